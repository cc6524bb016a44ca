"""The admin page: what is wrong is read in words, and put right behind a question; by keyboard, by phone, for viewers.

Most of it before a service that is made up (tests/live/operated.py), the way in and the changes before a real daemon.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.live.daemon import ask
from tests.live.operated import KEY, URL, VIEWER_KEY, Operated, account, alarm, before

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

DESK = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
PAUSED = alarm("account_paused", "red", "fox-07", "account fox-07 paused: moderation notice, 4 drawings moved")
ANSWER_MS_MAX = 10_000
VIEWS = ("#/overview", "#/queue", "#/jobs", "#/users", "#/events", "#/accounts/fox-07", "#/jobs/j1", "#/users/ana")


@pytest.fixture
def service():
    """A service that is made up, with one user and one job."""
    made_up = Operated()
    user = {"user": "u1", "name": "ana", "plan": "free", "banned": False, "used": 97, "daily": 100, "waiting": 6}
    made_up.users = [user | {"drawing": 2, "jobs": 3007, "created_at": before(days=40), "keys": [], "sockets": 2}]
    made_up.jobs = [job("j1", "a lighthouse at dusk")]
    made_up.events = [event(1, "info", "drawing taken"), event(2, "error", "closed 4009")]
    return made_up


def job(number, prompt, **other):
    """A job as `GET jobs` shows it."""
    plain = {"job": number, "user": "u1", "name": "ana", "kind": "imagine", "mode": "fast", "status": "drawing"}
    where = {"prompt": prompt, "account": "fox-07", "attempt": 1, "position": None, "percent": 62, "code": None}
    seen = [{"at": before(seconds=30), "what": "granted", "by": "scheduler", "detail": None}]
    return plain | where | {"created_at": before(minutes=1), "finished_at": None, "timeline": seen} | other


def event(number, level, words):
    """An event as `GET events` shows it."""
    return {
        "id": number,
        "at": before(seconds=9),
        "level": level,
        "actor": "a",
        "event": words,
        "fields": {"job": "j1"},
    }


@pytest.fixture
def enter(visit, service):
    """Lets somebody in at the service that is made up: `enter(key, **options of a browser context)`."""

    def let_in(key=KEY, **options):
        visitor = visit(URL, **{**DESK, **options})
        visitor.expected = ("/admin/v1/",)
        service.serve(visitor.context)
        sign_in(visitor, key)
        return visitor.page

    return let_in


def sign_in(visitor, key):
    """From the address to the accounts."""
    visitor.page.goto("/admin")
    visitor.page.get_by_label("Admin or viewer key").fill(key)
    visitor.page.get_by_role("button", name="Sign in").click()
    expect(visitor.page.get_by_role("table", name="Accounts")).to_be_visible()


def row(page, name):
    """The row of this name."""
    return page.locator(f'[data-row="{name}"]')


def spoken(page):
    """What a screen reader was told last."""
    return page.locator("#spoken")


# --- what is wrong ---------------------------------------------------------------------------------------------------


def test_what_is_wrong_is_read_in_words_leads_to_its_place_and_moves_nothing_when_it_comes(enter, service):
    page = enter()
    expect(page.get_by_text("Nothing needs you.")).to_be_visible()
    expect(page).to_have_title("Limner · operator")
    places = "all => all.map((each) => JSON.stringify(each.getBoundingClientRect()))"
    still = page.locator(".accounts tr, .figures > div, .health")
    where = still.evaluate_all(places)
    service.accounts[0] |= {
        "state": "paused",
        "cause": "moderation",
        "reason": "moderation notice",
        "since": before(minutes=4),
    }
    service.alarms = [PAUSED, *(alarm("mailbox", "yellow", f"session/u{n}", f"mailbox {n} is full") for n in range(9))]
    expect(page).to_have_title("● 10 · Limner")
    expect(spoken(page)).to_contain_text("needs a hand: account fox-07 paused: moderation notice")
    expect(row(page, "fox-07")).to_contain_text("paused moderation notice")
    assert still.evaluate_all(places) == where

    page.get_by_role("link", name=PAUSED["words"]).click()
    expect(page.get_by_role("heading", name="fox-07")).to_be_visible()
    page.get_by_role("button", name="Resume fox-07").click()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator(".lead")).to_have_text("up")
    assert service.changes == [("accounts/fox-07/resume", {})]
    service.alarms = []
    expect(spoken(page)).to_contain_text("over: account fox-07 paused")


def test_an_alarm_about_an_actor_leads_to_the_actor(enter, service):
    service.alarms = [alarm("mailbox", "yellow", "session/u1", "the mailbox of session/u1 is full")]
    service.actors["session/u1"] = {"name": "session/u1", "kind": "Session", "depth": 812, "state": {"views": 3}}
    page = enter()
    page.get_by_role("link", name="the mailbox of session/u1 is full").click()
    expect(page.locator(".lead")).to_contain_text("812 in its mailbox")
    expect(page.locator(".facts").last).to_contain_text("views")


def test_a_silent_service_is_told_with_the_time_of_what_is_shown_and_comes_back_by_itself(enter, service):
    page = enter()
    service.silent = True
    expect(page.locator(".line")).to_contain_text("What you see is of")
    expect(row(page, "fox-07")).to_be_visible()
    service.silent = False
    expect(page.locator(".line")).to_have_count(0)


def test_nothing_is_asked_while_nobody_looks_and_at_once_when_somebody_does(enter, service):
    page = enter()
    page.clock.install()
    look = """(state) => {
      Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(look, "hidden")
    page.clock.run_for(3_000)  # a round that had begun ends
    asked = service.asked["status"]
    page.clock.run_for(60_000)
    assert service.asked["status"] == asked
    with page.expect_response("**/admin/v1/status"):
        page.evaluate(look, "visible")


# --- what is changed -------------------------------------------------------------------------------------------------


def test_a_change_waits_for_its_answer_and_no_or_escape_leaves_all_as_it_is(enter, service):
    page = enter()
    fox = row(page, "fox-07")
    fox.get_by_role("button", name="Drain fox-07").click()
    expect(fox).to_contain_text("Give fox-07 nothing new?")
    expect(fox.get_by_role("button", name="Drain", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    expect(fox.get_by_role("button", name="Drain fox-07")).to_be_focused()
    page.keyboard.press("Enter")
    fox.get_by_role("button", name="No").click()
    assert service.changes == []
    expect(fox.get_by_role("button", name="Drain fox-07")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(fox).to_contain_text("draining drained by operator")
    expect(fox.locator(".sign")).to_have_count(0)  # what was asked for is no trouble
    service.accounts[0]["busy"] = 0
    expect(fox.locator(".state")).to_have_text("drained")
    expect(spoken(page)).to_have_text("fox-07 gets nothing new")
    expect(fox.get_by_role("button", name="Resume fox-07")).to_be_focused()
    assert service.changes == [("accounts/fox-07/drain", {})]


def test_places_are_a_number_and_a_reason_goes_with_a_suspension(enter, service):
    page = enter()
    fox = row(page, "fox-07")
    fox.get_by_role("button", name="Places fox-07").click()
    fox.get_by_role("spinbutton").fill("0")
    fox.get_by_role("button", name="Set").click()
    expect(fox.get_by_role("spinbutton")).to_have_js_property("validity.valid", False)
    fox.get_by_role("spinbutton").fill("7")
    fox.get_by_role("button", name="Set").click()
    expect(fox).to_contain_text("2 of 7")
    fox.get_by_role("link", name="fox-07").click()
    page.get_by_role("button", name="Suspend fox-07").click()
    page.get_by_label("why").fill("new token on Monday")
    page.keyboard.press("Enter")
    expect(page.locator(".lead")).to_have_text("suspended new token on Monday")
    assert service.changes == [
        ("accounts/fox-07/slots", {"slots": 7}),
        ("accounts/fox-07/suspend", {"reason": "new token on Monday"}),
    ]


def test_a_refused_change_is_told_where_it_was_asked(enter, service):
    service.refusals["accounts/fox-07/drain"] = (409, "fox-07 is being removed.")
    page = enter()
    fox = row(page, "fox-07")
    fox.get_by_role("button", name="Drain fox-07").click()
    fox.get_by_role("button", name="Drain", exact=True).click()
    expect(fox.get_by_role("alert")).to_have_text("fox-07 is being removed.")
    fox.get_by_role("button", name="No").click()
    expect(fox.get_by_role("button", name="Drain fox-07")).to_be_visible()


def test_the_queue_is_paused_and_resumed_and_every_view_knows(enter, service):
    page = enter()
    page.get_by_role("link", name="Queue").click()
    page.get_by_role("button", name="Pause the queue").click()
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator(".lead")).to_contain_text("none begins")
    expect(row(page, "u1")).to_contain_text("ana")
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Resume it there.").click()
    page.get_by_role("button", name="Resume the queue").click()
    page.get_by_role("button", name="Resume", exact=True).click()
    expect(page.locator(".lead")).to_have_text("New drawings are taken.")
    assert [path for path, _ in service.changes] == ["queue/pause", "queue/resume"]


def test_a_user_is_banned_and_let_in_again(enter, service):
    page = enter()
    page.get_by_role("link", name="Users").click()
    row(page, "u1").get_by_role("button", name="Ban ana").click()
    row(page, "u1").get_by_role("button", name="Ban", exact=True).click()
    expect(row(page, "u1")).to_contain_text("banned")
    page.get_by_role("link", name="ana").click()
    page.get_by_role("button", name="Unban ana").click()
    page.get_by_role("button", name="Unban", exact=True).click()
    expect(page.locator(".lead")).to_have_text("free")
    assert [path for path, _ in service.changes] == ["users/ana/ban", "users/ana/unban"]


# --- what is found ---------------------------------------------------------------------------------------------------


def test_a_job_is_found_by_its_user_and_by_its_id_with_all_that_happened_to_it(enter, service):
    found = "j" + "0" * 18 + "7"
    service.jobs.append(job(found, "<b>bold</b>", name="ben", status="failed", code="upstream_timeout"))
    page = enter()
    page.get_by_role("link", name="Jobs").click()
    sought = page.get_by_label("A job's id, or a user's name")
    sought.fill("ben")
    sought.press("Enter")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    expect(row(page, found)).to_contain_text("<b>bold</b>")
    expect(row(page, found)).to_contain_text("failed upstream timeout")
    sought.fill(found)
    sought.press("Enter")
    expect(page.locator(".timeline li")).to_contain_text("granted scheduler")
    page.get_by_role("button", name="Retry this job").click()
    page.get_by_role("button", name="Retry", exact=True).click()
    expect(page.get_by_role("heading", name="Job j-again")).to_be_visible()
    page.goto("/admin#/jobs/j-nowhere")
    expect(page.get_by_role("alert").last).to_have_text("There is no job j-nowhere.")


def test_jobs_keep_their_places_and_newer_ones_wait_to_be_asked_for(enter, service):
    page = enter()
    page.get_by_role("link", name="Jobs").click()
    expect(row(page, "j1")).to_contain_text("62 %")
    service.jobs = [job("j2", "newer"), job("j1", "a lighthouse at dusk", status="done")]
    expect(row(page, "j1")).to_contain_text("done")
    expect(page.locator(".jobs tbody tr")).to_have_count(1)
    page.get_by_role("button", name="1 newer: show them").click()
    expect(page.locator(".jobs tbody tr").first).to_contain_text("newer")
    expect(page.locator(".jobs tbody tr")).to_have_count(2)


def test_the_tail_of_events_goes_on_and_stays_where_one_reads(enter, service):
    service.events = [event(number, "info", f"event {number}") for number in range(1, 120)]
    page = enter()
    page.get_by_role("link", name="Events").click()
    last = page.locator(".tail li").last
    expect(last).to_contain_text("event 119")
    expect(last).to_be_in_viewport()
    service.events.append(event(120, "error", "event 120"))
    expect(last).to_contain_text("event 120")
    expect(last).to_be_in_viewport()
    expect(last).to_contain_text("●")
    page.locator(".tail").evaluate("box => new Promise((done) => { box.onscrollend = done; box.scrollTop = 0; })")
    service.events.append(event(121, "info", "event 121"))
    expect(last).to_contain_text("event 121")
    assert page.locator(".tail").evaluate("box => box.scrollTop") == 0
    assert page.locator(".tail li").count() == 121
    last.get_by_role("link", name="j1").click()
    expect(page.get_by_role("heading", name="Job j1")).to_be_visible()


# --- who may ---------------------------------------------------------------------------------------------------------


def test_a_viewer_reads_everything_and_is_offered_no_change(enter):
    page = enter(VIEWER_KEY)
    expect(page.locator(".who")).to_contain_text("reads only")
    for view in VIEWS:
        page.goto(f"/admin{view}")
        expect(page.locator("main section, main .one").first).to_be_visible()
        expect(page.locator(".acts")).to_have_count(0)


def test_a_login_that_ended_shows_the_way_in_and_nothing_of_before(enter, service):
    page = enter()
    service.role = None
    expect(page.get_by_label("Admin or viewer key")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text("fox-07")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]


@pytest.mark.parametrize("window", [DESK, PHONE], ids=["desk", "phone"])
def test_no_view_scrolls_sideways_or_leaves_a_control_without_a_name(enter, service, window):
    service.accounts.append(account("wombat-" + "x" * 60, "paused", reason="y" * 200, ends="z" * 200))
    service.jobs.append(job("j2", "unbreakable" * 40, name="n" * 60))
    service.alarms = [alarm("disk", "red", None, "the disk is nearly full: " + "w" * 90)]
    page = enter(**window)
    for view in VIEWS:
        page.goto(f"/admin{view}")
        expect(page.locator("main .told.soft", has_text="Reading")).to_have_count(0)
        assert page.evaluate("document.documentElement.scrollWidth") == window["viewport"]["width"], view
        nameless = (
            "all => all.filter((each) => !(each.ariaLabel || each.textContent.trim())).map((each) => each.outerHTML)"
        )
        assert page.locator("button, a, input, table").evaluate_all(nameless) == []


# --- words -----------------------------------------------------------------------------------------------------------


def test_lengths_of_time_and_amounts_are_words_one_reads_at_a_glance(enter):
    page = enter()
    said = page.evaluate("""async () => {
      const { span, bytes, rate, held } = await import("/static/admin/words.js");
      const { placeOf, hrefOf } = await import("/static/admin/store.js");
      return [
        [0, 0.004, 0.44, 7.2, 41.4, 126, 600, 11_100, 187_200, null].map(span),
        [0, 999, 912_000_000, 1_200_000_000_000].map(bytes), [0, 0.31, 10.4, 1204, null].map(rate),
        held([{ n: "a", x: 1 }, { n: "b", x: 1 }], [{ n: "c", x: 2 }, { n: "b", x: 2 }], "n"),
        placeOf(hrefOf("actors", "account/a b%")), placeOf("#/jobs?user=ana"), placeOf("#/users/%"), placeOf(""),
      ];
    }""")
    assert said == [
        ["0 s", "4 ms", "0.4 s", "7.2 s", "41 s", "2.1 min", "10 min", "3 h 5 min", "2 d 4 h", "–"],
        ["0 B", "999 B", "912 MB", "1.2 TB"],
        ["0", "0.31", "10.4", "1,204", "–"],
        {"rows": [{"n": "a", "x": 1}, {"n": "b", "x": 2}], "news": 1},
        {"view": "actors", "of": "account/a b%", "query": {}},
        {"view": "jobs", "of": None, "query": {"user": "ana"}},
        {"view": "users", "of": "%", "query": {}},
        {"view": "overview", "of": None, "query": {}},
    ]


# --- before a real daemon --------------------------------------------------------------------------------------------


def test_an_operator_signs_in_drains_an_account_and_lets_it_work_again(daemon, visit):
    operator = visit(daemon.url, **DESK)
    operator.expected = ("/admin/v1/login",)
    operator.page.goto("/admin")
    for key, words in (("not-a-key", "not known"), (daemon.key, "does not operate")):
        operator.page.get_by_label("Admin or viewer key").fill(key)
        operator.page.get_by_role("button", name="Sign in").click()
        expect(operator.page.get_by_role("alert")).to_contain_text(words)
    sign_in(operator, daemon.admin_key)
    page = operator.page
    page.reload()
    expect(page.get_by_role("table", name="Accounts")).to_be_visible()
    name = page.locator(".accounts tbody th").first.inner_text()
    one = row(page, name)
    one.get_by_role("button", name=f"Drain {name}").click()
    one.get_by_role("button", name="Drain", exact=True).click()
    expect(one.locator(".state")).to_have_text(re.compile("drained|draining"), timeout=ANSWER_MS_MAX)
    operator.shoot("admin-dark")
    one.get_by_role("button", name=f"Resume {name}").click()
    one.get_by_role("button", name="Resume", exact=True).click()
    expect(one.locator(".state")).to_have_text("up", timeout=ANSWER_MS_MAX)
    page.get_by_role("button", name="Sign out").click()
    page.reload()
    expect(page.get_by_label("Admin or viewer key")).to_be_visible()


def test_a_viewer_of_a_real_daemon_finds_a_job_and_is_refused_a_change(daemon, visit):
    ana = daemon.add_user("ana-of-the-admin-page")
    number = daemon.submit("a heron for the operator", ana)
    made = ask(f"{daemon.url}/admin/v1/keys/ana-of-the-admin-page/new", daemon.admin_key, {"role": "viewer"})
    assert made[0] == 201
    viewer = visit(daemon.url, **{**DESK, "color_scheme": "light"})
    viewer.expected = ("/admin/v1/",)
    sign_in(viewer, made[1]["key"])
    page = viewer.page
    expect(page.locator(".acts")).to_have_count(0)
    page.get_by_role("link", name="Jobs").click()
    sought = page.get_by_label("A job's id, or a user's name")
    sought.fill("ana-of-the-admin-page")
    sought.press("Enter")
    expect(row(page, number)).to_contain_text("a heron for the operator")
    sought.fill(number)
    sought.press("Enter")
    expect(page.locator(".timeline li").first).to_have_text(re.compile("accepted|queued"))
    viewer.shoot("admin-job-light")
    refused = "async () => (await fetch('/admin/v1/queue/pause', { method: 'POST' })).status"
    assert page.evaluate(refused) == 403
