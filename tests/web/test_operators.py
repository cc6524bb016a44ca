"""The admin page's login: a cookie that gives instructions and nothing else, from our own page only."""

import pytest

from tests.web.house import ADMIN_KEY, KEYS, VIEWER_KEY, play
from tests.web.test_api import assert_problem

LOGIN = "/admin/v1/login"


async def log_in(house, key, **options):
    """The cookie's text, and its flags."""
    reply = await house.ask("POST", LOGIN, key=None, json={"key": key}, **options)
    assert reply.status == 204
    cookie, *flags = reply.headers["Set-Cookie"].split("; ")
    return cookie, set(flags)


@pytest.mark.parametrize(
    ("key", "name", "role"), [(ADMIN_KEY, "operator", "admin"), (VIEWER_KEY, "ada", "viewer")], ids=["admin", "viewer"]
)
def test_a_login_says_whose_it_is_and_its_cookie_is_for_the_operators_routes_only(tmp_path, key, name, role):
    async def scene(house):
        cookie, flags = await log_in(house, key)
        assert {"HttpOnly", "Path=/admin/v1", "SameSite=strict", "Max-Age=43200"} <= flags
        assert key not in cookie
        mine = {"Cookie": cookie}
        assert (await house.ask("GET", LOGIN, key=None, headers=mine)).json == {"name": name, "role": role}
        read = await house.ask("GET", "/admin/v1/accounts", key=None, headers=mine)
        assert (read.status, read.json["by"]) == (200, name)
        token = cookie.partition("=")[2]
        for header in ({"Cookie": f"limner={token}"}, {"Authorization": f"Bearer {token}"}):
            assert_problem(await house.ask("GET", "/api/v1/me", key=None, headers=header), 401, "unauthenticated")

    play(tmp_path, scene)


def test_with_the_cookie_only_our_own_page_changes_things(tmp_path):
    async def scene(house):
        cookie, _ = await log_in(house, ADMIN_KEY)
        pause = ("POST", "/admin/v1/queue/pause", None)
        assert_problem(await house.ask(*pause, headers={"Cookie": cookie}), 403, "forbidden")
        foreign = {"Cookie": cookie, "Origin": "https://evil"}
        assert_problem(await house.ask(*pause, headers=foreign), 403, "forbidden")
        for ours in ({"Origin": house.url}, {"Sec-Fetch-Site": "same-origin"}):
            reply = await house.ask(*pause, headers={"Cookie": cookie} | ours)
            assert (reply.status, reply.json["by"]) == (200, "operator")

    play(tmp_path, scene)


def test_a_viewers_login_changes_nothing(tmp_path):
    async def scene(house):
        cookie, _ = await log_in(house, VIEWER_KEY)
        ours = {"Cookie": cookie, "Origin": house.url}
        assert_problem(await house.ask("POST", "/admin/v1/queue/pause", None, headers=ours), 403, "forbidden")

    play(tmp_path, scene)


def test_a_login_that_was_ended_is_worth_nothing_and_may_be_ended_again(tmp_path):
    async def scene(house):
        cookie, _ = await log_in(house, ADMIN_KEY)
        mine, ours = {"Cookie": cookie}, {"Cookie": cookie, "Origin": house.url}
        assert_problem(await house.ask("DELETE", LOGIN, key=None, headers=mine), 403, "forbidden")
        ended = await house.ask("DELETE", LOGIN, key=None, headers=ours)
        assert ended.status == 204
        assert "Max-Age=0" in ended.headers["Set-Cookie"]
        for path in (LOGIN, "/admin/v1/status"):
            assert_problem(await house.ask("GET", path, key=None, headers=mine), 401, "unauthenticated")
        assert (await house.ask("DELETE", LOGIN, key=None, headers=ours)).status == 204
        assert (await house.ask("DELETE", LOGIN, key=None)).status == 204

    play(tmp_path, scene)


def test_the_login_of_who_draws_gives_no_instructions_whatever_the_role_of_its_key(tmp_path):
    async def scene(house):
        reply = await house.ask("POST", "/api/v1/login", key=None, json={"key": VIEWER_KEY})
        mine = {"Cookie": reply.headers["Set-Cookie"].split("; ")[0]}
        assert (await house.ask("GET", "/api/v1/me", key=None, headers=mine)).json["user"] == "ada"
        assert_problem(await house.ask("GET", "/admin/v1/status", key=None, headers=mine), 401, "unauthenticated")

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"json": {"key": "wrong"}}, 401, "unauthenticated"),
        ({"json": {"key": KEYS["ada"]}}, 403, "forbidden"),
        ({"json": {"key": ADMIN_KEY}, "headers": {"Origin": "https://evil"}}, 403, "forbidden"),
        ({"json": {}}, 400, "bad_frame"),
        ({"json": {"key": "k" * 600}}, 400, "bad_frame"),
        ({"data": b"{"}, 400, "bad_frame"),
        ({"data": b"x" * 20_000}, 413, "bad_frame"),
    ],
    ids=["unknown", "a user's", "a foreign page", "none", "too long", "no JSON", "too large"],
)
def test_a_refused_login_is_a_problem_document_without_a_cookie(tmp_path, options, status, code):
    async def scene(house):
        reply = await house.ask("POST", LOGIN, key=None, **options)
        assert_problem(reply, status, code)
        assert "Set-Cookie" not in reply.headers

    play(tmp_path, scene)


def test_a_key_in_the_header_comes_before_the_cookie_and_needs_no_origin(tmp_path):
    async def scene(house):
        cookie, _ = await log_in(house, VIEWER_KEY)
        reply = await house.ask("GET", LOGIN, ADMIN_KEY, headers={"Cookie": cookie})
        assert reply.json == {"name": "operator", "role": "admin"}
        assert (await house.ask("POST", "/admin/v1/queue/pause", ADMIN_KEY)).status == 200

    play(tmp_path, scene)
