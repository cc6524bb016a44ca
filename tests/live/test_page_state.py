"""The page's pure parts, in the browser they are for: the folded state, its words. No server: the modules alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

STATIC = Path(__file__).parents[2] / "web" / "static"
TYPES = {".js": "text/javascript", ".html": "text/html"}

# Folds events into START and returns what the tests look at; Maps do not cross to Python.
FOLD = """async (events) => {
  const { START, reduce, hung, unsent } = await import("/static/state.js");
  const state = events.reduce(reduce, START);
  const plain = ({ job, status, percent, charged, away, prompt }) => ({ job, status, percent, charged, away, prompt });
  return {
    cards: Object.fromEntries(state.order.map((key) => [key, plain(state.cards.get(key))])),
    order: state.order, hung: hung(state).map((card) => card.key), unsent: unsent(state).map((card) => card.ref),
    seq: state.seq, gap: state.gap, stale: state.stale, next: state.next, used: state.quota?.used,
  };
}"""
SPOKEN = """async (events) => {
  const { START, reduce } = await import("/static/state.js");
  const { spoken } = await import("/static/format.js");
  let state = START;
  return events.map((event) => {
    const before = state;
    state = reduce(state, event);
    return spoken(before, state);
  });
}"""

IMAGE = {"id": "i1", "url": "/images/i1", "thumb": "/images/i1/thumb", "width": 64, "height": 64, "bytes": 9}


@pytest.fixture(scope="module")
def modules(chromium):
    """A page of our modules' own origin, with the files served from the disk."""
    context = chromium.new_context()

    def serve(route):
        path = route.request.url.removeprefix("http://limner.test").removeprefix("/static/")
        file = STATIC / path
        body = file.read_text() if path != "/" else "<!doctype html><title>modules</title>"
        route.fulfill(body=body, content_type=TYPES.get(file.suffix, "text/html"))

    context.route("http://limner.test/**", serve)
    page = context.new_page()
    page.goto("http://limner.test/")
    yield page
    context.close()


def welcome(seq=0, used=0):
    return {"type": "welcome", "user": "ana", "plan": "free", "quota": {"daily": 100, "used": used}, "seq": seq}


def drafted(ref, prompt="a fox", at="2026-01-01T00:00:00.000Z", kind="imagine"):
    frame = {"type": "draw", "ref": ref, "prompt": prompt, "mode": "fast"}
    return {"type": "page.draw", "frame": frame, "prompt": prompt, "mode": "fast", "kind": kind, "note": None, "at": at}


def accepted(seq, ref, job):
    return {"type": "accepted", "seq": seq, "ref": ref, "job": job, "position": 1, "eta_s": 9.0}


def progress(seq, job, percent):
    return {"type": "progress", "seq": seq, "job": job, "percent": percent}


def done(seq, job):
    return {"type": "done", "seq": seq, "job": job, "images": [IMAGE], "actions": [], "seconds": 6.0}


def failed(seq, job, charged=False):
    return {
        "type": "failed",
        "seq": seq,
        "job": job,
        "code": "upstream_timeout",
        "message": "Late.",
        "charged": charged,
    }


def listed(job, status, at, **more):
    """A job as the `jobs` frame has it."""
    blank = {"ref": f"ref-{job}", "kind": "imagine", "prompt": job, "mode": "fast", "position": None, "eta_s": None}
    blank |= {"percent": None, "images": [], "actions": [], "code": None, "message": None, "charged": True}
    return {**blank, "job": job, "status": status, "created_at": at, "parent": None, **more}


def test_a_card_is_the_same_one_from_its_draft_to_its_picture(modules):
    told = modules.evaluate(
        FOLD, [welcome(), drafted("r"), accepted(1, "r", "j"), progress(1, "j", 31), done(2, "j"), welcome(2)]
    )
    assert told["order"] == ["r"]
    assert told["cards"]["r"] | {"status": "done", "job": "j", "percent": 100} == told["cards"]["r"]
    assert told["unsent"] == []


def test_an_end_is_final_whatever_comes_late(modules):
    late = [progress(3, "j", 50), failed(4, "j"), {"type": "queued", "seq": 4, "job": "j", "position": 3, "eta_s": 1.0}]
    told = modules.evaluate(FOLD, [welcome(), drafted("r"), accepted(1, "r", "j"), done(2, "j"), *late])
    assert told["cards"]["r"]["status"] == "done"
    assert told["used"] == 1


def test_a_missed_event_is_noticed_and_not_stepped_over(modules):
    told = modules.evaluate(FOLD, [welcome(), drafted("r"), accepted(1, "r", "j"), failed(4, "other")])
    assert (told["seq"], told["gap"]) == (1, True)
    told = modules.evaluate(
        FOLD, [welcome(5), {"type": "page.resuming"}, failed(9, "other"), {"type": "resumed", "seq": 9}]
    )
    assert (told["seq"], told["gap"]) == (9, False)


def test_a_charge_is_counted_once_and_a_refund_gives_it_back(modules):
    story = [welcome(0, used=36), drafted("r"), accepted(1, "r", "j"), accepted(1, "r", "j")]
    assert modules.evaluate(FOLD, story)["used"] == 37
    assert modules.evaluate(FOLD, [*story, failed(2, "j"), failed(2, "j")])["used"] == 36
    assert modules.evaluate(FOLD, [*story, failed(2, "j", charged=True)])["used"] == 37
    replayed = [*story, {"type": "page.lost"}, welcome(2, used=36), failed(2, "j")]
    assert modules.evaluate(FOLD, replayed)["used"] == 36
    assert (
        modules.evaluate(FOLD, [welcome(0, used=3), drafted("d", kind="describe"), accepted(1, "d", "j")])["used"] == 3
    )


def test_a_draft_waits_for_the_connection_and_for_a_server_that_goes_away(modules):
    sent = [welcome(), drafted("a"), {"type": "page.sent", "ref": "a"}, drafted("b")]
    assert modules.evaluate(FOLD, sent)["unsent"] == ["a", "b"]
    draining = {"type": "error", "ref": "a", "code": "draining", "message": "Restarting."}
    assert modules.evaluate(FOLD, [*sent, draining])["unsent"] == ["a", "b"]
    banned = {"type": "error", "ref": "a", "code": "banned_prompt", "message": "No."}
    told = modules.evaluate(FOLD, [*sent, banned])
    assert told["unsent"] == ["b"]
    assert told["cards"]["a"] | {"status": "refused", "charged": False} == told["cards"]["a"]


def test_a_job_drawn_elsewhere_is_asked_for(modules):
    assert modules.evaluate(FOLD, [welcome(), accepted(1, "theirs", "j")])["stale"]


def test_pages_of_jobs_hang_newest_first_and_old_failures_are_put_away(modules):
    newest = [listed("c", "drawing", "2026-01-03", percent=15), listed("b", "failed", "2026-01-02", charged=False)]
    older = [listed("a", "done", "2026-01-01", images=[IMAGE])]
    told = modules.evaluate(
        FOLD,
        [
            welcome(7),
            {"type": "jobs", "jobs": newest, "next": "b", "older": False},
            {"type": "jobs", "jobs": older, "next": None, "older": True},
            {"type": "jobs", "jobs": newest, "next": "b", "older": False},
        ],
    )
    assert told["order"] == ["c", "b", "a"]
    assert told["hung"] == ["c", "a"]
    assert told["next"] is None


def test_a_reset_keeps_the_drafts_and_takes_the_rest_from_the_server(modules):
    page = {"type": "jobs", "jobs": [listed("new", "done", "2026-01-02", images=[IMAGE])], "next": None, "older": False}
    old = {"type": "jobs", "jobs": [listed("old", "drawing", "2026-01-01")], "next": None, "older": False}
    told = modules.evaluate(FOLD, [welcome(3), old, drafted("r", at="2026-01-05"), {"type": "reset", "seq": 9}, page])
    assert told["order"] == ["r", "new"]
    assert (told["seq"], told["unsent"]) == (9, ["r"])


def test_a_slow_clock_does_not_put_a_new_card_below_older_ones(modules):
    page = {"type": "jobs", "jobs": [listed("j", "done", "2026-01-05", images=[IMAGE])], "next": None, "older": False}
    told = modules.evaluate(FOLD, [welcome(), page, drafted("r", at="2025-12-31"), page])
    assert told["order"] == ["r", "j"]


def story_of(rng):
    """The stored events of one to six drawings, mixed: each accepted, started, and done or failed."""
    todo = {f"r{n}": ["accepted", "started", rng.choice(["done", "failed"])] for n in range(rng.randint(1, 6))}
    refs, story = list(todo), []
    while todo:
        ref, seq = rng.choice(list(todo)), len(story) + 1
        story.append(stored(todo[ref].pop(0), seq, ref))
        todo = {other: steps for other, steps in todo.items() if steps}
    return refs, story


def stored(step, seq, ref):
    job = f"job-{ref}"
    if step == "accepted":
        return accepted(seq, ref, job)
    if step == "started":
        return {"type": "started", "seq": seq, "job": job}
    return done(seq, job) if step == "done" else failed(seq, job)


@pytest.mark.parametrize("seed", range(50))
def test_any_replay_of_any_part_ends_in_the_same_wall(modules, seed):
    """Cut at any stored event and replayed from any earlier one: nothing differs, and nothing is counted twice."""
    rng = random.Random(seed)
    refs, story = story_of(rng)
    start = [welcome(0, used=10), *(drafted(ref) for ref in refs)]
    used = 10 + sum((event["type"] == "accepted") - (event["type"] == "failed") for event in story)
    cut = rng.randint(0, len(story))
    again = story[rng.randint(0, cut) :]
    back = [{"type": "page.lost"}, welcome(len(story), used), {"type": "page.resuming"}]
    straight = modules.evaluate(FOLD, [*start, *story])
    replayed = modules.evaluate(FOLD, [*start, *story[:cut], *back, *again, {"type": "resumed", "seq": len(story)}])
    assert replayed | {"stale": False} == straight
    assert straight["used"] == used


def test_progress_is_spoken_at_quarters_and_ends_in_words(modules):
    words = modules.evaluate(
        SPOKEN,
        [
            welcome(),
            drafted("r", prompt="a red fox"),
            accepted(1, "r", "j"),
            *(progress(1, "j", percent) for percent in (0, 15, 31, 46, 62, 78, 93)),
            done(2, "j"),
        ],
    )
    assert [word for word in words if word] == [
        "a red fox: place 1, about 10 s",
        "a red fox: 25 percent",
        "a red fox: 50 percent",
        "a red fox: 75 percent",
        "a red fox: the picture is there",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (3, "a few seconds"), (41, "about 40 s"), (90, "about 2 min"), (7200, "about 2 h")],
)
def test_an_eta_does_not_pretend_to_know_better(modules, seconds, words):
    assert modules.evaluate("async (s) => (await import('/static/format.js')).about(s)", seconds) == words


def test_backoff_grows_is_capped_and_spread(modules):
    waits = modules.evaluate(
        """async () => {
          const { backoff_s } = await import("/static/connection.js");
          return [0, 1, 4, 10, 1000].map((tries) => [backoff_s(tries, () => 0), backoff_s(tries, () => 1)]);
        }"""
    )
    assert all(low == 0.25 for low, _ in waits)
    assert [high for _, high in waits] == [0.75, 1.25, 8.25, 15.25, 15.25]
