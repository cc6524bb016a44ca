/**
 * State of the page: everything heard so far, folded into one value. Pure: no DOM, no clock, no dice.
 *
 * An event is a frame of the server as it came (CONTRACT §3), or one of the page's own, named `page.*`.
 * A card is one drawing: a draft until `accepted` gives it a job, the same card until its end. It is known by its
 * `key`, which never changes, so that what is on the screen stays where it is.
 */

export const ENDED = new Set(["done", "failed", "cancelled", "refused"]);
const DRAFT = new Set(["sending", "waiting", "refused"]);
const STORED = new Set(["accepted", "started", "done", "failed", "cancelled"]);
const FREE_KINDS = new Set(["describe", "shorten"]);

export const START = Object.freeze({
  user: null,
  quota: null,
  countedTo: 0, // quota.used already holds every event up to this seq
  seq: null, // the last stored event that was seen without a gap before it
  catching: false, // a resume is under way
  gap: false, // an event was missed: resume
  stale: false, // a job is not known here: ask for the newest jobs
  renew: false, // the next jobs replace what is here
  cards: new Map(),
  keys: new Map(), // job id or ref -> key
  order: [], // keys, newest first
  loaded: false,
  next: null, // where older jobs begin; null when there are none
  notice: null,
});

/** One event folded in. Returns the same object when nothing changed. */
export function reduce(state, event) {
  const next = Object.hasOwn(ON, event.type) ? ON[event.type](state, event) : state;
  return STORED.has(event.type) ? counted(next, event.seq) : next;
}

/** Seqs rise by one a user, so a jump is an event that was missed; it is not stepped over. */
function counted(state, seq) {
  if (state.seq === null || seq <= state.seq) return state;
  if (seq === state.seq + 1) return { ...state, seq };
  return state.catching ? state : { ...state, gap: true };
}

const ON = {
  welcome(state, { user, quota, seq }) {
    const open = eachCard(state, (card) => (card.status === "waiting" ? { ...card, status: "sending" } : card));
    return { ...open, user, quota, countedTo: seq, seq: state.seq ?? seq, catching: false, gap: false, notice: null };
  },

  accepted(state, { seq, ref, job, position, eta_s }) {
    const key = state.keys.get(ref) ?? state.keys.get(job);
    const card = state.cards.get(key);
    const charged = charge(state, seq, card, +1);
    if (!card) return { ...charged, stale: true };
    if (!DRAFT.has(card.status)) return charged;
    const keys = new Map(charged.keys).set(job, key);
    return put({ ...charged, keys }, { ...card, job, status: "queued", position, eta_s });
  },

  queued: (state, { job, position, eta_s }) => change(state, job, { status: "queued", position, eta_s }),

  started: (state, { job }) =>
    change(state, job, (card) => ({
      status: "drawing",
      percent: card.status === "drawing" ? card.percent : 0,
      position: null,
    })),

  progress: (state, { job, percent, preview }) =>
    change(state, job, (card) => ({
      status: card.status === "keeping" ? "keeping" : "drawing",
      percent,
      preview: preview ?? card.preview,
      position: null,
    })),

  done: (state, { job, images, actions, seconds, text }) =>
    change(state, job, { status: "done", percent: 100, images, actions, seconds, text, cancelling: false }),

  failed: (state, frame) => ended(state, frame, "failed"),
  cancelled: (state, frame) => ended(state, frame, "cancelled"),

  error(state, { ref, code, message }) {
    const card = state.cards.get(state.keys.get(ref));
    if (card && DRAFT.has(card.status)) {
      // A server that is going away takes no new work: the draft waits for the one that comes after it.
      if (code === "draining") return put(state, { ...card, status: "waiting" });
      return put(state, { ...card, status: "refused", code, message, charged: false });
    }
    const calm = eachCard(state, (card) => (card.cancelling ? { ...card, cancelling: false } : card));
    return { ...calm, notice: { kind: "error", message } };
  },

  notice: (state, { kind, message }) => ({ ...state, notice: { kind, message } }),
  reset: (state, { seq }) => ({ ...state, seq, catching: false, gap: false, stale: true, renew: true }),

  // Places and percents are not replayed: the newest jobs are asked for once more to have them.
  resumed: (state, { seq }) => ({
    ...state,
    seq: Math.max(state.seq ?? 0, seq),
    catching: false,
    gap: false,
    stale: true,
  }),

  jobs(state, { jobs, next, older }) {
    const base = state.renew && !older ? onlyDrafts(state) : state;
    const cards = new Map(base.cards);
    const keys = new Map(base.keys);
    for (const job of jobs) {
      const key = keys.get(job.job) ?? keys.get(job.ref) ?? job.job;
      const known = cards.get(key);
      keys.set(job.job, key);
      if (known && ENDED.has(known.status) && !DRAFT.has(known.status)) continue;
      cards.set(key, told(job, key, known));
    }
    const order = [...new Set([...base.order, ...cards.keys()])].sort((a, b) => later(cards.get(a), cards.get(b)));
    const cursor = older || !base.loaded ? next : base.next;
    return { ...base, cards, keys, order, loaded: true, renew: false, next: cursor ?? null };
  },

  "page.draw"(state, { frame, prompt, mode, kind, note, at }) {
    // A clock behind the server's must not put a new card below older ones.
    const newest = state.cards.get(state.order[0])?.created_at ?? "";
    const card = {
      ...BLANK,
      key: frame.ref,
      ref: frame.ref,
      sent: frame,
      prompt,
      mode,
      kind,
      note,
      status: "waiting",
      created_at: at > newest ? at : newest,
    };
    const keys = new Map(state.keys).set(frame.ref, frame.ref);
    return put({ ...state, keys, order: [frame.ref, ...state.order] }, card);
  },

  "page.sent": (state, { ref }) => change(state, ref, { status: "sending" }),
  "page.cancelling": (state, { key }) => change(state, key, { cancelling: true }),
  "page.away": (state, { key }) => put(state, { ...state.cards.get(key), away: true }),
  "page.resuming": (state) => ({ ...state, catching: true, gap: false }),
  "page.asked": (state) => ({ ...state, stale: false }),
  "page.quota": (state, { quota }) => ({ ...state, quota, countedTo: state.seq ?? state.countedTo }),
  "page.heeded": (state) => ({ ...state, notice: null }),

  "page.lost"(state) {
    const shut = eachCard(state, (card) => (card.status === "sending" ? { ...card, status: "waiting" } : card));
    return { ...shut, catching: false };
  },

  "page.drop"(state, { key }) {
    const cards = new Map(state.cards);
    cards.delete(key);
    return { ...state, cards, order: state.order.filter((other) => other !== key) };
  },
};

const BLANK = {
  key: null,
  job: null,
  ref: null,
  status: "waiting",
  kind: "imagine",
  prompt: "",
  mode: "fast",
  note: null,
  position: null,
  eta_s: null,
  percent: 0,
  preview: null,
  images: [],
  actions: [],
  seconds: null,
  text: null,
  code: null,
  message: null,
  charged: true,
  created_at: "",
  parent: null,
  sent: null,
  cancelling: false,
  away: false,
};

/** The card of a job as the `jobs` frame tells it. One that came to nothing before this visit is put away. */
function told(job, key, known) {
  const away = known ? known.away : job.status === "failed" || job.status === "cancelled";
  return {
    ...BLANK,
    ...known,
    away,
    key,
    job: job.job,
    ref: job.ref,
    status: job.status,
    kind: job.kind,
    prompt: job.prompt ?? "",
    mode: job.mode,
    position: job.position,
    eta_s: job.eta_s,
    percent: job.percent ?? 0,
    images: job.images ?? [],
    actions: job.actions ?? [],
    code: job.code,
    message: job.message,
    charged: job.charged,
    created_at: job.created_at,
    parent: job.parent,
  };
}

function ended(state, { seq, job, code, message, charged }, status) {
  const card = cardOf(state, job);
  const refunded = charged || !card || ENDED.has(card.status) ? state : charge(state, seq, card, -1);
  return change(refunded, job, { status, code, message, charged, cancelling: false });
}

/** quota.used moves with each event once, and not for those that `welcome` had already counted. */
function charge(state, seq, card, by) {
  if (seq <= state.countedTo) return state;
  const free = !state.quota || (card && FREE_KINDS.has(card.kind));
  const quota = free ? state.quota : { ...state.quota, used: Math.max(0, state.quota.used + by) };
  return { ...state, quota, countedTo: seq };
}

function change(state, id, with_) {
  const card = cardOf(state, id);
  if (!card || ENDED.has(card.status)) return state; // an end is final, whatever comes late
  return put(state, { ...card, ...(typeof with_ === "function" ? with_(card) : with_) });
}

function put(state, card) {
  return { ...state, cards: new Map(state.cards).set(card.key, card) };
}

function eachCard(state, alter) {
  return { ...state, cards: new Map([...state.cards].map(([key, card]) => [key, alter(card)])) };
}

function onlyDrafts(state) {
  const drafts = [...state.cards].filter(([, card]) => DRAFT.has(card.status));
  const keys = new Map(drafts.map(([key]) => [key, key]));
  return { ...state, cards: new Map(drafts), keys, order: state.order.filter((key) => keys.has(key)), loaded: false };
}

function later(a, b) {
  if (a.created_at === b.created_at) return 0;
  return a.created_at > b.created_at ? -1 : 1;
}

/** The card of a job id, ref or key; undefined when there is none. */
export function cardOf(state, id) {
  return state.cards.get(id) ?? state.cards.get(state.keys.get(id));
}

/** Cards on the wall, newest first. */
export function hung(state) {
  return state.order.map((key) => state.cards.get(key)).filter((card) => !card.away);
}

/** Cards with a picture to look at, newest first. */
export function pictures(state) {
  return hung(state).filter((card) => card.status === "done" && card.images.length > 0);
}

/** Frames the server has not answered yet, oldest first: sent again, with the same ref, after a reconnect. */
export function unsent(state) {
  const drafts = state.order.map((key) => state.cards.get(key));
  return drafts.filter((card) => card.status === "waiting" || card.status === "sending").reverse();
}
