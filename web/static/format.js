/** Words for values: times, places, endings. Pure. */

const NUMBER = new Intl.NumberFormat();

/** "about 40 s", in steps that do not pretend to know better. Empty for an unknown time. */
export function about(seconds) {
  if (seconds === null || seconds === undefined) return "";
  if (seconds < 8) return "a few seconds";
  if (seconds < 55) return `about ${Math.round(seconds / 5) * 5} s`;
  if (seconds < 3300) return `about ${Math.round(seconds / 60)} min`;
  return `about ${Math.round(seconds / 3600)} h`;
}

/** Where an unfinished drawing is, in one line. */
export function standing(card) {
  const eta = about(card.eta_s);
  switch (card.status) {
    case "waiting":
      return "goes out when the connection is back";
    case "sending":
      return "on its way";
    case "queued":
      return ["in the queue", eta].filter(Boolean).join(" · ");
    case "granted":
    case "submitting":
      return "next to be drawn";
    case "undecided":
      return "asking whether it was taken";
    case "keeping":
      return "hanging it up";
    default:
      return "drawn";
  }
}

/** Whose doing an ending is, by its code (CONTRACT §3), and what is worth trying. */
const ENDINGS = {
  bad_prompt: { fault: "prompt", text: "This prompt cannot be drawn." },
  banned_prompt: { fault: "prompt", text: "This prompt holds a word that is not allowed here." },
  forbidden: { fault: "prompt", text: "This is not allowed with your key." },
  upstream_rejected: { fault: "prompt", text: "The drawing bot refused this prompt." },
  upstream_blocked: { fault: "bot", text: "The drawing bot stopped this drawing." },
  upstream_timeout: { fault: "bot", text: "The drawing bot did not finish in time." },
  undecided: { fault: "bot", text: "The connection broke, and it cannot be known whether the bot took it." },
  quota_exceeded: { fault: "limit", text: "Today's drawings are used up." },
  too_many_jobs: { fault: "limit", text: "You have as many drawings under way as your plan allows." },
  rate_limited: { fault: "limit", text: "That was too fast. Try again in a moment." },
  queue_full: { fault: "server", text: "The queue is full." },
  no_account: { fault: "server", text: "No drawing account is free for this." },
  internal: { fault: "server", text: "Something broke on our side." },
};

const BLAME = {
  prompt: "The prompt's fault",
  bot: "Not your fault",
  server: "Our fault",
  limit: "A limit of your plan",
};

/** {text, small, edit}: one sentence, whose fault and whether it was charged, and whether the prompt needs a change. */
export function ending(card) {
  const charge = card.charged ? "charged" : "not charged";
  if (card.status === "cancelled") return { text: "Cancelled.", small: charge, edit: false };
  const known = ENDINGS[card.code] ?? ENDINGS.internal;
  return {
    text: card.message || known.text,
    small: `${BLAME[known.fault]} · ${charge}`,
    edit: known.fault === "prompt",
  };
}

/** "Today", "Yesterday", "Monday 3 March", with the year when it is another one. */
export function dayName(iso, now) {
  const day = new Date(iso);
  const ago = Math.round((midnight(now) - midnight(day)) / 86_400_000);
  if (ago <= 0) return "Today";
  if (ago === 1) return "Yesterday";
  const year = day.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return day.toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long", year });
}

function midnight(date) {
  return new Date(date.getFullYear(), date.getMonth(), date.getDate());
}

export function quotaText({ used, daily }) {
  return `${NUMBER.format(used)} of ${NUMBER.format(daily)} today`;
}

export function quotaTitle({ resets_at }) {
  if (!resets_at) return "";
  const at = new Date(resets_at).toLocaleString(undefined, { weekday: "long", hour: "2-digit", minute: "2-digit" });
  return `Starts again on ${at}`;
}

/** The window's title: how far the running drawing is, so that another tab can be read meanwhile. */
export function pageTitle(cards) {
  const under = cards.filter((card) => card.status === "drawing" || card.status === "keeping");
  if (under.length > 1) return `${Math.min(...under.map((card) => card.percent))} % of ${under.length} – Limner`;
  if (under.length === 1) return `${under[0].percent} % – ${short(under[0].prompt, 40)} – Limner`;
  const waiting = cards.find((card) => card.status === "queued" && card.position);
  return waiting ? `place ${waiting.position} – Limner` : "Limner";
}

export function short(text, length) {
  return text.length > length ? `${text.slice(0, length - 1).trimEnd()}…` : text;
}

/** What a screen reader is told between two states: starts, quarters of the way, and ends. */
export function spoken(before, after) {
  const news = [];
  for (const [key, card] of after.cards) {
    const was = before.cards.get(key);
    if (!was || was === card) continue;
    const name = short(card.prompt, 60);
    if (was.status !== card.status) {
      if (card.status === "queued" && card.position) news.push(`${name}: place ${card.position}, ${about(card.eta_s)}`);
      if (card.status === "done") news.push(`${name}: the picture is there`);
      if (["failed", "refused", "cancelled"].includes(card.status)) news.push(`${name}: ${ending(card).text}`);
    }
    if (card.status === "drawing" && quarter(card) > quarter(was)) news.push(`${name}: ${quarter(card) * 25} percent`);
  }
  return news.join(". ");
}

function quarter(card) {
  return Math.floor((card.percent ?? 0) / 25);
}
