"""The WebSocket of CONTRACT §3, through the real server, gate, lobby, sessions, queue and store."""

import asyncio
import json
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from actors.queue.messages import Drain
from actors.shell import Kill
from core.config import Server
from protocol.client import (
    JSON,
    MSGPACK,
    Accepted,
    Act,
    Auth,
    Cancel,
    Cancelled,
    Done,
    Draw,
    Error,
    Failed,
    Jobs,
    JobsPage,
    Notice,
    Ping,
    Pong,
    Progress,
    Reset,
    Resume,
    Resumed,
    Started,
    Welcome,
)
from tests.web.house import ACCOUNT, KEYS, VIEWER_KEY, Finish, Show, config_for_tests, play, until
from web.sockets import headers_of, without_header

PAINTER = f"account/{ACCOUNT}"


@pytest.mark.parametrize("subprotocol", [JSON, MSGPACK])
def test_a_drawing_is_told_from_acceptance_to_its_end(tmp_path, subprotocol):
    async def scene(house):
        line = await house.socket(subprotocol=subprotocol)
        welcome = await line.hear()
        assert (type(welcome), welcome.user, welcome.plan, welcome.seq) == (Welcome, "ada", "free", 0)
        assert (welcome.quota.daily, welcome.quota.used) == (20, 0)
        await line.say(Draw("r1", "a fox in the snow"))
        accepted = await line.hear()
        assert (type(accepted), accepted.seq, accepted.ref, accepted.position) == (Accepted, 1, "r1", 1)
        started = await line.hear(Started)
        house.base.tell(PAINTER, Show(40))
        assert (await line.hear(Progress)).percent == 40
        house.base.tell(PAINTER, Show(30))  # never back
        house.base.tell(PAINTER, Finish())
        done = await line.hear()
        assert (type(done), done.job) == (Done, accepted.job)
        assert [accepted.seq, started.seq, done.seq] == [1, 2, 3]
        assert done.images[0].url.startswith("/images/")

    play(tmp_path, scene)


def test_every_socket_of_a_user_hears_all_events_and_no_other_user_hears_any(tmp_path):
    async def scene(house):
        first, second, other = await house.socket(), await house.socket(), await house.socket(KEYS["bob"])
        for line in (first, second, other):
            await line.hear(Welcome)
        await first.say(Draw("r1", "a fox"))
        assert (await first.hear(Accepted)).job == (await second.hear(Accepted)).job
        await other.say(Jobs())
        assert (await other.hear()).jobs == ()

    play(tmp_path, scene)


def test_a_key_may_come_as_the_first_frame(tmp_path):
    async def scene(house):
        line = await house.socket(key=None)
        await line.say(Auth(KEYS["bob"]))
        assert (await line.hear()).user == "bob"

    play(tmp_path, scene)


def test_a_wrong_key_is_told_and_closed_4401(tmp_path):
    async def scene(house):
        for line in (await house.socket("wrong"), await house.socket(key=None)):
            if line.connection.request.headers.get("Authorization") is None:
                await line.say(Auth("also wrong"))
            assert (await line.hear()).code == "unauthenticated"
            assert await line.closed() == 4401

    play(tmp_path, scene)


def test_any_other_frame_before_the_key_is_closed_4401(tmp_path):
    async def scene(house):
        for words in (Draw("r", "a fox"), "what?"):
            line = await house.socket(key=None)
            await line.say(words)
            assert (await line.hear()).code == "unauthenticated"
            assert await line.closed() == 4401

    play(tmp_path, scene)


def test_no_key_in_time_is_closed_4401(tmp_path):
    async def scene(house):
        line = await house.socket(key=None)
        assert (await line.hear()).code == "unauthenticated"
        assert await line.closed() == 4401

    play(tmp_path, scene, config_for_tests(limits={"auth_s": 0.2}))


def test_frames_sent_at_once_wait_for_welcome(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.say(Draw("r1", "a fox"))
        assert isinstance(await line.hear(), Welcome)
        assert isinstance(await line.hear(), Accepted)

    play(tmp_path, scene)


def test_welcome_is_the_first_frame_whatever_was_said_before_it(tmp_path):
    async def scene(house):
        line = await house.socket()
        for words in (Ping(), '{"type":"bogus"}', Jobs()):
            await line.say(words)
        heard = [await line.hear() for _ in range(4)]
        assert [type(frame) for frame in heard[:3]] == [Welcome, Pong, Error]
        assert isinstance(heard[3], JobsPage)
        noisy = await house.socket()
        for _ in range(11):
            await noisy.say("junk")
        assert isinstance(await noisy.hear(), Welcome)
        assert await noisy.closed() == 4400

    play(tmp_path, scene)


def test_a_foreign_page_is_refused_with_403_and_ours_is_not(tmp_path):
    async def scene(house):
        with pytest.raises(InvalidStatus) as refused:
            await house.socket(origin="https://evil.example")
        assert refused.value.response.status_code == 403
        line = await house.socket(origin=house.url)
        assert isinstance(await line.hear(), Welcome)

    play(tmp_path, scene)


def test_only_configured_origins_may_come_when_some_are(tmp_path):
    async def scene(house):
        assert isinstance(await (await house.socket(origin="https://limner.example")).hear(), Welcome)
        with pytest.raises(InvalidStatus):
            await house.socket(origin=house.url)

    play(tmp_path, scene, config_for_tests(server=Server(allowed_origins=("https://limner.example",))))


def test_there_is_no_websocket_elsewhere(tmp_path):
    from websockets.asyncio.client import connect

    async def scene(house):
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{house.port}/api/v1/jobs")
        assert refused.value.response.status_code == 404

    play(tmp_path, scene)


def test_what_is_no_frame_is_told_and_the_tenth_in_a_minute_closes_4400(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        for bad in ("{", "[]", '{"type":"nonsense"}', '{"type":"draw"}', "null", "", "1", '"x"', "{}"):
            await line.say(bad)
            assert (await line.hear()).code == "bad_frame"
        await line.say(Ping())
        assert isinstance(await line.hear(), Pong)
        await line.say("tenth")
        assert (await line.hear()).code == "bad_frame"
        assert await line.closed() == 4400

    play(tmp_path, scene)


def test_too_big_a_frame_closes_1009(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say("x" * 70_000)
        assert await line.closed() == 1009

    play(tmp_path, scene)


def test_more_frames_than_allowed_are_refused_and_the_connection_lives(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        for _ in range(5):
            await line.say(Ping())
            assert isinstance(await line.hear(), Pong)
        await line.say(Draw("r1", "a fox"))
        error = await line.hear()
        assert (error.code, error.ref) == ("rate_limited", "r1")

    play(tmp_path, scene, config_for_tests(limits={"frames_per_min": 5}))


def test_coming_again_gives_no_frames_more_to_a_user_nor_in_the_end_to_an_address(tmp_path):
    async def scene(house):
        async def answers_to_two(key):
            line = await house.socket(key)
            await line.hear(Welcome)
            answers = []
            for _ in range(2):
                await line.say(Jobs())
                answers.append(await line.hear())
            await line.connection.close()
            return answers

        assert [type(answer) for answer in await answers_to_two(KEYS["ada"])] == [JobsPage, JobsPage]
        by_user = await answers_to_two(KEYS["ada"])
        assert [answer.code for answer in by_user] == ["rate_limited"] * 2
        assert [type(answer) for answer in await answers_to_two(KEYS["bob"])] == [JobsPage, JobsPage]
        by_address = await answers_to_two(KEYS["bob"])
        assert [answer.code for answer in by_address] == ["rate_limited"] * 2
        assert by_address[0].message != by_user[0].message

    play(tmp_path, scene, config_for_tests(limits={"frames_per_min": 2, "sockets_per_ip": 3}))


def test_a_user_and_an_address_have_only_so_many_connections(tmp_path):
    async def scene(house):
        for _ in range(2):
            await (await house.socket()).hear(Welcome)
        third = await house.socket()
        assert (await third.hear()).code == "rate_limited"
        assert await third.closed() == 1013
        await until(lambda: len(house.process.sockets) == 2)
        await (await house.socket(KEYS["bob"])).hear(Welcome)
        with pytest.raises(InvalidStatus) as refused:
            await house.socket(KEYS["bob"])
        response = refused.value.response
        assert (response.status_code, json.loads(response.body)["code"]) == (429, "rate_limited")
        assert int(response.headers["Retry-After"]) >= 1

    play(tmp_path, scene, config_for_tests(limits={"sockets_per_user": 2, "sockets_per_ip": 3}))


def test_a_network_of_ipv6_is_one_address_whatever_its_hosts_call_themselves(tmp_path):
    async def scene(house):
        await house.socket(headers={"X-Forwarded-For": "2001:db8:1:2::1"})
        await house.socket(headers={"X-Forwarded-For": "2001:db8:1:3::1"})
        with pytest.raises(InvalidStatus) as refused:
            await house.socket(headers={"X-Forwarded-For": "2001:db8:1:2::ffff"})
        assert refused.value.response.status_code == 429

    server = Server(trusted_proxies=("127.0.0.1",))
    play(tmp_path, scene, config_for_tests(limits={"sockets_per_ip": 1}, server=server))


def test_missed_events_are_replayed_in_order_then_resumed(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say(Draw("r1", "a fox"))
        await line.hear(Started)
        await line.connection.close()
        house.base.tell(PAINTER, Finish())
        other = await house.socket()
        assert (await other.hear(Welcome)).seq in (2, 3)
        await until_done(house)
        await other.say(Resume(1))
        heard = [await other.hear() for _ in range(2)]
        if isinstance(heard[0], Done):  # it ended while this socket was live already
            heard = [heard[1], await other.hear()]
        assert [type(frame) for frame in heard] == [Started, Done]
        assert await other.hear() == Resumed(3)

    play(tmp_path, scene)


async def until_done(house):
    async def is_done():
        jobs = (await house.ask("GET", "/api/v1/jobs")).json["jobs"]
        return all(job["status"] == "done" for job in jobs)

    await until(is_done)


def test_resuming_from_the_future_is_a_reset(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say(Resume(99))
        assert await line.hear() == Reset(0)
        await line.say(Resume(0))
        assert await line.hear() == Resumed(0)

    play(tmp_path, scene)


def test_the_same_ref_is_the_same_job_and_with_another_body_a_conflict(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say(Draw("r1", "a fox"))
        accepted = await line.hear(Accepted)
        await line.say(Draw("r1", "a fox"))
        assert await line.hear(Accepted) == accepted
        await line.say(Draw("r1", "a wolf"))
        assert await line.hear(Error) == Error("ref_conflict", (await house_error(house)), "r1")

    async def house_error(house):
        reply = await house.ask("POST", "/api/v1/jobs", json={"prompt": "owl"}, headers={"Idempotency-Key": "r1"})
        assert reply.status == 409
        return reply.json["detail"]

    play(tmp_path, scene)


def test_a_running_drawing_can_be_cancelled(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say(Draw("r1", "a fox"))
        job = (await line.hear(Started)).job
        await line.say(Cancel(job))
        cancelled = await line.hear(Cancelled)
        assert (cancelled.job, cancelled.charged) == (job, False)
        await line.say(Cancel(job))
        await line.say(Cancel("nobody"))
        refused = {error.job: error.code for error in [await line.hear(Error), await line.hear(Error)]}
        assert refused == {job: "not_cancellable", "nobody": "not_found"}

    play(tmp_path, scene)


def test_a_drawing_that_failed_is_refunded(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say(Draw("r1", "a fox"))
        await line.hear(Started)
        house.base.tell(PAINTER, Finish(code="upstream_rejected"))
        failed = await line.hear(Failed)
        assert (failed.code, failed.charged) == ("upstream_rejected", False)
        assert (await house.ask("GET", "/api/v1/me")).json["quota"]["used"] == 0

    play(tmp_path, scene)


def test_an_action_of_a_finished_job_is_a_job_of_its_own(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say(Draw("r1", "a fox"))
        await line.hear(Started)
        house.base.tell(PAINTER, Finish())
        done = await line.hear(Done)
        action = done.actions[0]
        await line.say(Act("r2", done.job, action.action, action.index))
        accepted = await line.hear(Accepted)
        assert (accepted.ref, accepted.job != done.job) == ("r2", True)
        await line.say(Act("r3", done.job, "nonsense"))
        assert (await line.hear(Error)).code == "bad_prompt"

    play(tmp_path, scene)


def test_what_is_not_drawn_here_is_refused_before_it_is_queued(tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("Gore  # no blood\n")

    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        wishes = [
            (Draw("r1", "", kind="describe"), "bad_prompt"),
            (Draw("r2", "so much GORE here"), "banned_prompt"),
            (Draw("r3", "a fox --secret 1"), "bad_prompt"),
            (Draw("r4", "a fox", mode="turbo"), "no_account"),
        ]
        for wish, code in wishes:
            await line.say(wish)
            error = await line.hear()
            assert (error.code, error.ref) == (code, wish.ref)

    from core.config import Prompts

    play(tmp_path, scene, config_for_tests(prompts=Prompts(str(words), ("--ar",))))


def test_a_key_that_only_reads_draws_nothing(tmp_path):
    async def scene(house):
        line = await house.socket(VIEWER_KEY)
        await line.hear(Welcome)
        await line.say(Draw("r1", "a fox"))
        assert (await line.hear()).code == "forbidden"
        await line.say(Jobs())
        assert isinstance(await line.hear(), JobsPage)

    play(tmp_path, scene)


def test_draining_is_told_to_everybody_and_new_drawings_are_refused(tmp_path):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        house.base.tell("gate", Drain())
        assert (await line.hear(Notice)).kind == "draining"
        await line.say(Draw("r1", "a fox"))
        assert (await line.hear(Error)).code == "draining"
        reply = await house.ask("POST", "/api/v1/jobs", json={"prompt": "a fox"})
        assert (reply.status, reply.json["code"]) == (503, "draining")
        assert int(reply.headers["Retry-After"]) >= 1

    play(tmp_path, scene)


def test_a_reader_that_stays_slow_is_closed_1013_and_holds_up_nobody(tmp_path):
    async def scene(house):
        slow, quick = await house.socket(max_queue=1), await house.socket()
        await slow.hear(Welcome)
        await quick.hear(Welcome)
        slow.connection.transport.pause_reading()
        door = next(iter(house.process.sockets.values()))
        notice, begun = Notice("noise", "x" * 30_000), time.monotonic()
        for _ in range(400):
            door.send(notice)
            await asyncio.sleep(0)
            if len(house.process.sockets) == 1:
                break
        await quick.say(Ping())
        assert isinstance(await quick.hear(Pong), Pong)
        assert time.monotonic() - begun < 5
        slow.connection.transport.resume_reading()
        assert await slow.closed() == 1013

    play(tmp_path, scene)


def test_a_logout_closes_the_sockets_of_that_login(tmp_path):
    async def scene(house):
        reply = await house.ask("POST", "/api/v1/login", key=None, json={"key": KEYS["ada"]})
        cookie = reply.headers["Set-Cookie"].split(";")[0]
        line = await house.socket(key=None, headers={"Cookie": f"other=1; {cookie}"}, origin=house.url)
        assert isinstance(await line.hear(), Welcome)
        other = await house.socket()
        await other.hear(Welcome)
        headers = {"Cookie": cookie, "Origin": house.url}
        assert (await house.ask("DELETE", "/api/v1/login", key=None, headers=headers)).status == 204
        assert await line.closed() == 4401
        assert (await house.ask("GET", "/api/v1/me", key=None, headers={"Cookie": cookie})).status == 401
        await other.say(Ping())
        assert isinstance(await other.hear(), Pong)

    play(tmp_path, scene)


@pytest.mark.parametrize(
    ("victim", "code"), [("session/u-ada", 1013), ("lobby", 1013), ("gate", 1012), ("store", None), ("queue", None)]
)
def test_whoever_dies_a_client_that_comes_back_hears_everything_once(tmp_path, victim, code):
    async def scene(house):
        line = await house.socket()
        await line.hear(Welcome)
        await line.say(Draw("r1", "a fox"))
        seen = [await line.hear(Accepted), await line.hear(Started)]
        before = house.base.names[victim]
        house.base.tell(victim, Kill("test"))
        if victim in ("store", "queue"):  # the painter, unlike an account, says a thing once
            await until(lambda: house.base.names.get(victim) not in (None, before))
        if code is not None:
            assert await line.closed() == code
            line = await until_back(house)
            await line.say(Resume(seen[-1].seq))
        house.base.tell(PAINTER, Finish())
        seen.append(await line.hear(Done))
        assert [frame.seq for frame in seen] == [1, 2, 3]

    async def until_back(house):
        async with asyncio.timeout(10):
            while True:
                line = await house.socket()
                try:
                    await line.hear(Welcome)
                    return line
                except ConnectionClosed:
                    continue

    play(tmp_path, scene)


def test_cookies_of_others_are_no_key_and_the_first_frame_may_be(tmp_path):
    async def scene(house):
        line = await house.socket(key=None, headers={"Cookie": "session=of-another-program"})
        await line.say(Auth(KEYS["ada"]))
        assert isinstance(await line.hear(), Welcome)

    play(tmp_path, scene)


def test_headers_are_read_and_left_out_as_uvicorn_writes_them():
    request = b"GET /ws HTTP/1.1\r\nhost: h\r\ncookie: a=b\r\nx-empty:\r\n\r\nrest\r\n\r\n"
    assert headers_of(request) == {"host": "h", "cookie": "a=b", "x-empty": ""}
    assert without_header(request, b"cookie") == b"GET /ws HTTP/1.1\r\nhost: h\r\nx-empty:\r\n\r\nrest\r\n\r\n"
