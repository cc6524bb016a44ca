"""The HTTP API of CONTRACT §4 and §6, through the real server, gate, lobby, sessions, queue and store."""

import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from core.config import Secret
from protocol.client import Accepted, ClientMistake, Draw, Job, Ping, Pong, decode_order
from tests.web.house import ACCOUNT, ADMIN_KEY, KEYS, PNG, VIEWER_KEY, Finish, play, until
from web.app import PromptHttp
from web.exchange import Desk
from web.requests import idempotency_key, read_json

PAINTER = f"account/{ACCOUNT}"
JOBS = "/api/v1/jobs"
JOB_FIELDS = set(Job.__struct_fields__)


def outcome_of(reading):
    """What was read, or the code of the refusal; any other exception is a failure."""
    try:
        return reading()
    except ClientMistake as mistake:
        return mistake.code


def assert_problem(reply, status, code):
    assert (reply.status, reply.headers["Content-Type"]) == (status, "application/problem+json")
    assert set(reply.json) == {"type", "title", "status", "code", "detail"}
    assert (reply.json["status"], reply.json["code"]) == (status, code)


def test_a_job_is_placed_shown_listed_and_done(tmp_path):
    async def scene(house):
        placed = await house.ask("POST", JOBS, json={"prompt": "a fox", "mode": "relax"})
        assert placed.status == 202
        job = placed.json
        assert set(job) == JOB_FIELDS
        assert (job["status"], job["position"], job["mode"], job["charged"]) == ("queued", 1, "relax", True)
        assert placed.headers["Location"] == f"{JOBS}/{job['job']}"
        assert "Idempotent-Replay" not in placed.headers
        await until(lambda: house.is_job(job["job"], "drawing"))
        house.base.tell(PAINTER, Finish())
        await until(lambda: house.is_job(job["job"], "done"))
        shown = (await house.ask("GET", placed.headers["Location"])).json
        assert (shown["percent"], shown["finished_at"][-1]) == (100, "Z")
        assert [entry["state"] for entry in shown["history"]][-1] == "done"
        listed = (await house.ask("GET", f"{JOBS}?limit=10&state=done")).json
        assert [one["job"] for one in listed["jobs"]] == [job["job"]]
        assert_problem(await house.ask("GET", f"{JOBS}/{job['job']}", KEYS["bob"]), 404, "not_found")

    play(tmp_path, scene)


def test_the_same_key_and_body_answer_the_first_body_again_also_after_the_end(tmp_path):
    async def scene(house):
        headers = {"Idempotency-Key": "order-1"}
        first = await house.ask("POST", JOBS, json={"prompt": "a fox"}, headers=headers)
        await until(lambda: house.is_job(first.json["job"], "drawing"))
        house.base.tell(PAINTER, Finish())
        await until(lambda: house.is_job(first.json["job"], "done"))
        again = await house.ask("POST", JOBS, json={"prompt": "a fox"}, headers=headers)
        assert (again.status, again.headers["Idempotent-Replay"]) == (202, "true")
        assert again.json == first.json
        assert again.headers["Location"] == first.headers["Location"]
        other = await house.ask("POST", JOBS, json={"prompt": "a wolf"}, headers=headers)
        assert_problem(other, 409, "ref_conflict")
        assert (await house.ask("GET", "/api/v1/me")).json["quota"]["used"] == 1

    play(tmp_path, scene)


@pytest.mark.parametrize("sent", ["обезьяна 🐒", "r\xe9f"])
def test_the_same_text_is_the_same_ref_by_header_and_by_frame(tmp_path, sent):
    async def scene(house):
        line = await house.socket()
        await line.say(Draw(sent, "a fox"))
        placed = await line.hear(Accepted)
        again = await house.ask("POST", JOBS, json={"prompt": "a fox"}, headers={"Idempotency-Key": sent})
        assert (again.status, again.json["job"], again.json["ref"]) == (202, placed.job, sent)

    play(tmp_path, scene)


@pytest.mark.parametrize(("sent", "read"), [(b"r\xe9f", "r\xe9f"), (b"r\xc3\xa9f", "r\xe9f"), (b"", ""), (None, None)])
def test_a_key_that_is_no_utf_8_is_read_byte_by_byte(sent, read):
    headers = [(b"idempotency-key", sent)] if sent is not None else []
    assert idempotency_key(Request({"type": "http", "headers": headers})) == read


def test_many_requests_at_once_under_one_key_are_one_job(tmp_path):
    async def scene(house):
        headers = {"Idempotency-Key": "order-1"}
        orders = [house.ask("POST", JOBS, json={"prompt": "a fox"}, headers=headers) for _ in range(10)]
        replies = await asyncio.gather(*orders)
        assert {reply.status for reply in replies} == {202}
        assert len({reply.json["job"] for reply in replies}) == 1
        assert sum("Idempotent-Replay" not in reply.headers for reply in replies) == 1

    play(tmp_path, scene)


def test_a_job_is_cancelled_once(tmp_path):
    async def scene(house):
        job = (await house.ask("POST", JOBS, json={"prompt": "a fox"})).json["job"]
        await until(lambda: house.is_job(job, "drawing"))
        assert (await house.ask("DELETE", f"{JOBS}/{job}")).status == 202
        await until(lambda: house.is_job(job, "cancelled"))
        assert_problem(await house.ask("DELETE", f"{JOBS}/{job}"), 409, "not_cancellable")
        assert_problem(await house.ask("DELETE", f"{JOBS}/nothing"), 404, "not_found")

    play(tmp_path, scene)


def test_over_the_quota_says_when_to_come_back(tmp_path):
    async def scene(house):
        for number in range(20):
            job = (await house.ask("POST", JOBS, json={"prompt": f"fox {number}"})).json["job"]
            await until(lambda job=job: house.is_job(job, "drawing"))
            house.base.tell(PAINTER, Finish())
        reply = await house.ask("POST", JOBS, json={"prompt": "one more"})
        assert_problem(reply, 429, "quota_exceeded")
        assert 1 <= int(reply.headers["Retry-After"]) <= 86_400

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", JOBS, {"key": None}, 401, "unauthenticated"),
        ("GET", JOBS, {"key": "wrong"}, 401, "unauthenticated"),
        ("GET", f"{JOBS}?limit=0", {}, 400, "bad_frame"),
        ("GET", f"{JOBS}?limit=²", {}, 400, "bad_frame"),
        ("GET", f"{JOBS}?state=asleep", {}, 400, "bad_frame"),
        ("POST", JOBS, {"data": b"{"}, 400, "bad_frame"),
        ("POST", JOBS, {"json": {"prompt": ""}}, 400, "bad_prompt"),
        ("POST", JOBS, {"json": {"prompt": "x" * 4001}}, 400, "bad_prompt"),
        ("POST", JOBS, {"json": {"prompt": "x" * 70_000}}, 413, "bad_frame"),
        ("POST", JOBS, {"json": {"prompt": "x", "webhook": "https://a/b"}}, 400, "bad_frame"),
        ("POST", JOBS, {"json": {"prompt": "x"}, "headers": {"Idempotency-Key": "k" * 65}}, 400, "bad_frame"),
        ("POST", JOBS, {"json": {"prompt": "x"}, "headers": {"Origin": "https://evil"}}, 403, "forbidden"),
        ("POST", JOBS, {"json": {"prompt": "x", "images": ["p1nothere"]}}, 404, "not_found"),
        ("POST", JOBS, {"json": {"prompt": "x"}, "key": VIEWER_KEY}, 403, "forbidden"),
        ("POST", JOBS, {"json": {"prompt": "x"}, "key": ADMIN_KEY}, 403, "forbidden"),
        ("PUT", JOBS, {}, 405, "bad_frame"),
        ("GET", "/api/v1/nothing", {}, 404, "not_found"),
        ("GET", "/admin/nothing", {}, 404, "not_found"),
        ("POST", "/api/v1/login", {"json": {}}, 400, "bad_frame"),
        ("POST", "/api/v1/login", {"json": {"key": "wrong"}, "key": None}, 401, "unauthenticated"),
        ("GET", "/admin/v1/jobs", {}, 403, "forbidden"),
        ("GET", "/images/nothing", {}, 404, "not_found"),
        ("GET", "/static/nothing.js", {"key": None}, 404, "not_found"),
        ("POST", "/healthz", {"key": None}, 405, "bad_frame"),
        ("GET", "/nothing", {"key": None}, 404, "not_found"),
    ],
)
def test_a_refusal_is_a_problem_document(tmp_path, method, path, options, status, code):
    async def scene(house):
        assert_problem(await house.ask(method, path, **options), status, code)

    play(tmp_path, scene)


def test_a_login_is_a_cookie_that_changes_things_only_from_our_own_page(tmp_path):
    async def scene(house):
        reply = await house.ask("POST", "/api/v1/login", key=None, json={"key": KEYS["ada"]})
        assert reply.status == 204
        cookie, *flags = reply.headers["Set-Cookie"].split("; ")
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= set(flags)
        assert "Secure" not in flags
        mine = {"Cookie": cookie}
        assert (await house.ask("GET", "/api/v1/me", key=None, headers=mine)).json["user"] == "ada"
        order = {"json": {"prompt": "a fox"}, "key": None}
        assert_problem(await house.ask("POST", JOBS, **order, headers=mine), 403, "forbidden")
        ours = mine | {"Origin": house.url}
        assert (await house.ask("POST", JOBS, **order, headers=ours)).status == 202
        ours = mine | {"Sec-Fetch-Site": "same-origin"}
        assert (await house.ask("POST", JOBS, **order, headers=ours)).status == 202
        assert (await house.ask("DELETE", "/api/v1/login", key=None, headers=ours)).status == 204
        assert_problem(await house.ask("GET", "/api/v1/me", key=None, headers=mine), 401, "unauthenticated")
        assert (await house.ask("DELETE", "/api/v1/login", key=None, headers=ours)).status == 204

    play(tmp_path, scene)


def test_me_is_welcome_without_seq(tmp_path):
    async def scene(house):
        me = (await house.ask("GET", "/api/v1/me")).json
        assert set(me) == {"user", "plan", "quota", "server"}
        assert set(me["quota"]) == {"daily", "used", "resets_at"}

    play(tmp_path, scene)


def test_the_demo_key_is_shown_only_when_there_is_one_and_only_here(tmp_path):
    async def scene(house):
        assert_problem(await house.ask("GET", "/api/v1/demo", key=None), 404, "not_found")
        house.process.demo_key = Secret(KEYS["ada"])
        assert (await house.ask("GET", "/api/v1/demo", key=None)).json["key"] == KEYS["ada"]
        proxied = {"X-Forwarded-For": "203.0.113.1"}
        assert_problem(await house.ask("GET", "/api/v1/demo", key=None, headers=proxied), 404, "not_found")
        rebound = {"Host": "evil.example"}
        assert_problem(await house.ask("GET", "/api/v1/demo", key=None, headers=rebound), 404, "not_found")

    play(tmp_path, scene)


def test_health_readiness_and_metrics_need_no_key(tmp_path):
    async def scene(house):
        assert (await house.ask("GET", "/healthz", key=None)).status == 200
        ready = await house.ask("GET", "/readyz", key=None)
        assert (ready.status, ready.json["ready"]) in ((200, True), (503, False))
        assert isinstance(ready.json["reasons"], list)
        metrics = await house.ask("GET", "/metrics", key=None)
        assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert b"limner_queue_depth" in metrics.body

    play(tmp_path, scene)


def test_instructions_go_to_the_console_by_role(tmp_path):
    async def scene(house):
        added = await house.ask("POST", "/admin/v1/users", ADMIN_KEY, json={"name": "eve"})
        assert (added.status, added.json["verb"]) == (201, "add")
        listed = (await house.ask("GET", "/admin/v1/jobs?user=ada", VIEWER_KEY)).json
        assert listed == {"by": "ada", "noun": "jobs", "id": "None", "verb": "list"}
        shown = (await house.ask("GET", "/admin/v1/jobs/j1", ADMIN_KEY)).json
        assert (shown["by"], shown["id"], shown["verb"]) == ("operator", "j1", "show")
        nobody = (await house.ask("GET", "/admin/v1/accounts/", ADMIN_KEY)).json
        assert (nobody["id"], nobody["verb"]) == ("", "show")  # and no list of all
        done = await house.ask("POST", "/admin/v1/accounts/fox/slots", ADMIN_KEY, json={"slots": 2})
        assert (done.status, done.json["verb"]) == (200, "slots")
        assert (await house.ask("POST", "/admin/v1/queue/pause", ADMIN_KEY)).json["id"] == "None"
        for key in (VIEWER_KEY, KEYS["ada"]):
            assert_problem(await house.ask("POST", "/admin/v1/queue/pause", key), 403, "forbidden")
        nested = await house.ask("POST", "/admin/v1/queue/pause", ADMIN_KEY, json={"a": {"b": 1}})
        assert_problem(nested, 400, "bad_frame")

    play(tmp_path, scene)


def test_pictures_are_private_immutable_and_never_what_a_browser_runs(tmp_path):
    async def scene(house):
        picture = await house.ask("GET", "/images/picture")
        assert (picture.body, picture.headers["Content-Type"]) == (PNG, "image/png")
        assert picture.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        assert (await house.ask("GET", "/images/picture/thumb")).status == 200
        assert (await house.ask("GET", "/images/picture/preview")).headers["Cache-Control"] == "no-store"
        script = await house.ask("GET", "/images/script")
        assert script.headers["Content-Type"] == "application/octet-stream"
        assert script.headers["Content-Disposition"] == "attachment"

    play(tmp_path, scene)


def test_every_answer_carries_the_security_headers(tmp_path):
    async def scene(house):
        for path in ("/", "/healthz", JOBS, "/nothing", "/static/nothing", "/static/../app.py"):
            headers = (await house.ask("GET", path)).headers
            policy = headers["Content-Security-Policy"]
            assert "default-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert (headers["X-Content-Type-Options"], headers["Referrer-Policy"]) == ("nosniff", "no-referrer")

    play(tmp_path, scene)


def test_the_page_is_served_with_a_tag_and_once(tmp_path):
    async def scene(house):
        page = await house.ask("GET", "/", key=None)
        assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        again = await house.ask("GET", "/", key=None, headers={"If-None-Match": page.headers["ETag"]})
        assert (again.status, again.body) == (304, b"")
        for path in ("/static/%2e%2e/app.py", "/static//etc/passwd", "/static/index.html/"):
            assert (await house.ask("GET", path, key=None)).status == 404

    play(tmp_path, scene)


def test_a_wrong_method_is_told_all_the_right_ones(tmp_path):
    async def scene(house):
        assert (await house.ask("PATCH", JOBS)).headers["Allow"] == "GET, HEAD, POST"
        assert (await house.ask("PUT", f"{JOBS}/j1")).headers["Allow"] == "DELETE, GET, HEAD"

    play(tmp_path, scene)


def test_a_person_who_takes_a_wrong_turn_reads_words(tmp_path):
    async def scene(house):
        lost = await house.ask("GET", "/nothing", key=None, headers={"Accept": "text/html,*/*;q=0.8"})
        assert (lost.status, lost.body) == (404, b"Not Found\n")

    play(tmp_path, scene)


def test_who_drips_headers_is_cut_off_and_others_are_not(tmp_path, monkeypatch):
    monkeypatch.setattr(PromptHttp, "head_s", 0.2)

    async def scene(house):
        line = await house.socket()
        await line.hear()
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX-Slow: ")
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        await line.say(Ping())  # older than the one that was cut off: an open socket has no head to be late with
        assert isinstance(await line.hear(), Pong)

    play(tmp_path, scene)


def test_a_fault_of_ours_is_a_problem_without_a_traceback(tmp_path):
    async def scene(house):
        def broken(name, message):
            raise RuntimeError("a secret detail")

        desk = house.server.switchboard.desk
        desk.tell, tell = broken, desk.tell
        reply = await house.ask("GET", "/api/v1/me")
        desk.tell = tell
        assert_problem(reply, 500, "internal")
        assert b"secret" not in reply.body
        assert house.process.sockets == {}

    play(tmp_path, scene)


def test_no_answer_in_time_is_draining_and_leaves_no_socket_behind(tmp_path):
    async def scene(house):
        desk: Desk = house.server.switchboard.desk
        desk.answer_s, desk.tell = 0.05, lambda name, message: None
        assert_problem(await house.ask("GET", "/api/v1/me"), 503, "draining")
        assert house.process.sockets == {}

    play(tmp_path, scene)


@settings(max_examples=200)
@given(st.binary(max_size=300), st.text(max_size=80))
def test_no_body_whatever_breaks_the_reading_of_an_order(body, ref):
    found = outcome_of(lambda: decode_order(body, ref)[0].ref)
    assert found in (ref, "bad_frame", "bad_prompt")


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_arguments_of_an_instruction_are_scalars_or_refused(value):
    body = json.dumps(value).encode("utf-8", "surrogatepass")
    found = outcome_of(lambda: read_json(body, dict[str, str | int | float | bool | None]))
    assert found == "bad_frame" or all(not isinstance(inner, list | dict) for inner in found.values())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from([JOBS, "/api/v1/login", "/admin/v1/users"]), st.binary(max_size=200)), max_size=8
    )
)
def test_no_body_whatever_breaks_a_running_house(tmp_path_factory, bodies):
    async def scene(house):
        for path, body in bodies:
            reply = await house.ask("POST", path, ADMIN_KEY if "admin" in path else KEYS["ada"], data=body)
            assert reply.status < 500
        assert (await house.ask("GET", "/healthz")).status == 200

    play(tmp_path_factory.mktemp("house"), scene)
