"""The Gate: whose key it is, who may do what, and which door is closed when; without a network."""

import asyncio

import pytest

from actors.console.messages import AskConsole, AskPresence, Presence, Stranger, TurnAway
from actors.gallery import AskImage
from actors.gate import RECHECK_S, STRANGERS_TOLD_PER_MIN, Arrived, Asked, Gate, Left, Spoken
from actors.guests import KNOWN_KEY_S, KNOWN_KEYS_MAX, KeyCache, digest_of, may_do
from actors.logins import OPERATOR_LOGIN_S
from actors.monitor.messages import AskMonitor
from actors.queue.messages import Drain
from actors.session.messages import Attach, Detach, Hang, HangAll, HangUser, Heard, Say
from actors.shell import Kill
from actors.store_messages import Commit, Committed, LookedUp, Lookup, NotCommitted
from protocol.api import (
    CancelJob,
    Instruct,
    LoggedIn,
    LoggedOut,
    LogIn,
    LogInOperator,
    LogOut,
    LogOutOperator,
    OperatorShown,
    PlaceJob,
    Refusal,
    ShowImage,
    ShowJobs,
    ShowMe,
    ShowOperator,
    ShowReady,
)
from protocol.client import Auth, Cancel, Draw, Error, Jobs, Notice, Pong, Quota, Welcome
from protocol.frames import CLOSE_LATER
from storage.operations import AddKey, Applied, DropKey, FindKey, KeyHolder, KeyHolders, Nothing, Refused
from tests.actors.stage import CONFIG, play

DRAW = Draw("r1", "a fox")
WELCOME = Welcome("u1", "free", Quota(5, 0, "2026-01-02T00:00:00.000Z"), 0, "limner")
HOLDER = KeyHolder("k1", "u1", "ada", "free", "user", False)
OPERATED = CONFIG + '\n[admin]\nkey = "operator-key"\n[limits]\nsockets_per_user = 2\n'


class Door:
    """Remembers what was said through it, and how it was closed."""

    def __init__(self):
        self.said, self.code = [], None

    def send(self, words):
        self.said.append(words)

    def close(self, code, reason):
        self.code = code


async def set_up(stage):
    """A gate among recorders."""
    for name in ("store", "lobby", "gallery", "monitor", "console"):
        stage.cast(name)
    stage.cast("gate", Gate)
    await stage.quiet()


def door(stage, socket):
    stage.base.process.sockets[socket] = Door()
    return stage.base.process.sockets[socket]


async def answer_lookups(stage, holder=HOLDER):
    """Plays the store: every key is this holder's (None: nobody's)."""
    lookups = await stage.heard("store", Lookup)
    for lookup in lookups:
        assert isinstance(lookup.read, FindKey)
        stage.tell("gate", LookedUp(lookup.lookup_id, holder or Nothing()))
    await stage.base.idle()
    return lookups


async def enter(stage, socket, key="key", holder=HOLDER):
    """A socket that has been let in."""
    found = door(stage, socket)
    stage.tell("gate", Arrived(socket, "127.0.0.1", key))
    await answer_lookups(stage, holder)
    return found


def test_a_known_key_attaches_its_socket_and_what_it_says_reaches_the_lobby():
    async def scene(stage):
        await set_up(stage)
        await enter(stage, "s1")
        stage.tell("gate", Spoken("s1", DRAW), Left("s1"))
        assert await stage.heard("lobby") == [Attach("u1", "s1"), Heard("u1", "s1", DRAW), Detach("u1", "s1")]

    play(scene)


def test_the_store_is_asked_for_a_digest_and_never_told_a_key():
    async def scene(stage):
        await set_up(stage)
        door(stage, "s1")
        stage.tell("gate", Arrived("s1", "127.0.0.1", "very-secret"))
        (lookup,) = await stage.heard("store", Lookup)
        assert lookup.read.digest == digest_of("very-secret")
        assert "very-secret" not in repr(lookup)
        assert "very-secret" not in repr(Arrived("s1", "127.0.0.1", "very-secret"))
        assert "very-secret" not in repr(Asked("s1", "127.0.0.1", "very-secret", ShowMe()))

    play(scene)


def test_an_unknown_key_is_told_and_closed_4401():
    async def scene(stage):
        await set_up(stage)
        found = await enter(stage, "s1", holder=None)
        assert ([words.code for words in found.said], found.code) == (["unauthenticated"], 4401)
        stage.tell("gate", Spoken("s1", DRAW))
        assert await stage.heard("lobby", Heard) == []

    play(scene)


def test_a_first_frame_may_carry_the_key_and_any_other_is_closed_4401():
    async def scene(stage):
        await set_up(stage)
        door(stage, "s1")
        stage.tell("gate", Arrived("s1", "127.0.0.1", None), Spoken("s1", Auth("key")))
        await answer_lookups(stage)
        assert await stage.heard("lobby", Attach) == [Attach("u1", "s1")]
        other = door(stage, "s2")
        stage.tell("gate", Arrived("s2", "127.0.0.1", None), Spoken("s2", DRAW))
        await stage.quiet()
        assert other.code == 4401

    play(scene)


def test_many_sockets_with_one_key_ask_the_store_once_and_later_ones_not_at_all():
    async def scene(stage):
        await set_up(stage)
        for socket in ("s1", "s2", "s3"):
            door(stage, socket)
            stage.tell("gate", Arrived(socket, "127.0.0.1", "key"))
        assert len(await answer_lookups(stage)) == 1
        await enter(stage, "s4")
        assert len(await stage.heard("lobby", Attach)) == 4
        await asyncio.sleep(KNOWN_KEY_S)
        door(stage, "s5")
        stage.tell("gate", Arrived("s5", "127.0.0.1", "key"))
        assert len(await answer_lookups(stage)) == 1

    play(scene)


def test_a_user_has_only_so_many_sockets_and_one_that_left_makes_room():
    async def scene(stage):
        await set_up(stage)
        for socket in ("s1", "s2"):
            await enter(stage, socket)
        third = await enter(stage, "s3")
        assert (third.said[0].code, third.code) == ("rate_limited", 1013)
        stage.tell("gate", Left("s3"), Left("s1"))
        await enter(stage, "s4")
        assert (await stage.heard("lobby", Attach))[-1] == Attach("u1", "s4")

    play(scene, config=OPERATED)


def test_a_users_frames_are_counted_over_all_sockets_and_their_lives_and_nobody_elses():
    async def scene(stage):
        await set_up(stage)
        bob = KeyHolder("k2", "u2", "bob", "free", "user", False)
        doors = {name: await enter(stage, name) for name in ("s1", "s2")} | {"s9": await enter(stage, "s9", "k", bob)}
        stage.tell("gate", Spoken("s1", DRAW), Spoken("s2", Jobs()), Left("s1"), Left("s2"))
        doors["s3"] = await enter(stage, "s3")
        stage.tell("gate", Spoken("s3", Jobs()), Spoken("s3", DRAW), Spoken("s9", Jobs()))
        heard = [heard.socket for heard in await stage.heard("lobby", Heard)]
        assert heard == ["s1", "s2", "s3", "s9"]
        assert [(words.code, words.ref) for words in doors["s3"].said] == [("rate_limited", "r1")]
        await stage.quiet(20.0)  # a third of a minute
        stage.tell("gate", Spoken("s3", DRAW))
        assert [heard.socket for heard in await stage.heard("lobby", Heard)] == ["s3"]

    play(scene, config=CONFIG + "\n[limits]\nframes_per_min = 3\n")


def test_a_store_that_lost_the_question_is_asked_again():
    async def scene(stage):
        await set_up(stage)
        door(stage, "s1")
        stage.tell("gate", Arrived("s1", "127.0.0.1", "key"))
        assert len(await stage.heard("store", Lookup)) == 1
        await asyncio.sleep(7)
        assert len(await answer_lookups(stage)) >= 1
        assert await stage.heard("lobby", Attach) == [Attach("u1", "s1")]

    play(scene)


def test_while_the_database_cannot_be_read_newcomers_are_told_to_come_again_and_who_is_known_stays():
    async def scene(stage):
        await set_up(stage)
        known = await enter(stage, "s1")
        newcomer, caller = door(stage, "s2"), door(stage, "s3")
        stage.tell("gate", Arrived("s2", "127.0.0.1", "other"), Asked("s3", "127.0.0.1", "third", ShowMe()))
        for _ in range(2):  # the second time all are asked for that are due for it
            for lookup in await stage.heard("store", Lookup):
                stage.tell("gate", NotCommitted(lookup.lookup_id, "corrupt: the database is damaged"))
            await stage.quiet(RECHECK_S + 1.0)
        assert [words.code for words in caller.said] == ["draining"]
        assert (newcomer.said, newcomer.code) == ([], CLOSE_LATER)
        assert (known.said, known.code) == ([], None)

    play(scene)


def test_a_key_that_was_revoked_loses_its_sockets_within_the_recheck_time():
    async def scene(stage):
        await set_up(stage)
        found = await enter(stage, "s1")
        other = await enter(stage, "s2", key="other", holder=KeyHolder("k2", "u2", "bob", "free", "user", False))
        deadline = stage.base.loop.time() + RECHECK_S * 1.1
        while found.code is None and stage.base.loop.time() < deadline:
            for lookup in await stage.heard("store", Lookup):
                holders = tuple(None if digest == digest_of("key") else HOLDER for digest in lookup.read.digests)
                stage.tell("gate", LookedUp(lookup.lookup_id, KeyHolders(holders)))
            await asyncio.sleep(5)
        assert (found.code, other.code) == (4401, None)

    play(scene)


@pytest.mark.parametrize(
    ("question", "part", "kind"),
    [
        (ShowMe(), "lobby", Heard),
        (PlaceJob(DRAW), "lobby", Heard),
        (ShowImage("i1"), "gallery", AskImage),
    ],
)
def test_a_question_goes_to_who_answers_it(question, part, kind):
    async def scene(stage):
        await set_up(stage)
        door(stage, "q1")
        stage.tell("gate", Asked("q1", "127.0.0.1", "key", question))
        await answer_lookups(stage)
        asked = await stage.one(part, kind)
        assert (asked.user, asked.socket) == ("u1", "q1")

    play(scene)


def test_readiness_needs_no_key_and_everything_else_does():
    async def scene(stage):
        await set_up(stage)
        found = door(stage, "q1")
        stage.tell("gate", Asked("q1", "127.0.0.1", None, ShowReady()))
        assert await stage.heard("monitor", AskMonitor) == [AskMonitor("q1", ShowReady())]
        stage.tell("gate", Asked("q1", "127.0.0.1", None, ShowMe()))
        await stage.quiet()
        assert found.said[0].code == "unauthenticated"

    play(scene)


def test_the_operators_key_instructs_and_does_nothing_else():
    async def scene(stage):
        await set_up(stage)
        found = door(stage, "q1")
        pause = Instruct("queue", None, "pause", {})
        stage.tell("gate", Asked("q1", "127.0.0.1", "operator-key", pause))
        asked = await stage.one("console", AskConsole)
        assert (asked.user, asked.role, asked.instruct) == ("operator", "admin", pause)
        stage.tell("gate", Asked("q1", "127.0.0.1", "operator-key", PlaceJob(DRAW)))
        await stage.quiet()
        assert found.said[0].code == "forbidden"
        socket = door(stage, "s1")
        stage.tell("gate", Arrived("s1", "127.0.0.1", "operator-key"))
        await stage.quiet()
        assert (socket.said[0].code, socket.code) == ("forbidden", 4401)

    play(scene, config=OPERATED)


@pytest.mark.parametrize(
    ("role", "wish", "allowed"),
    [
        ("user", DRAW, True),
        ("viewer", DRAW, False),
        ("viewer", Cancel("j"), False),
        ("viewer", CancelJob("j"), False),
        ("viewer", Jobs(), True),
        ("viewer", ShowJobs(None, 10, None), True),
        ("viewer", Instruct("jobs", None, "list", {}), True),
        ("viewer", Instruct("jobs", "j", "cancel", {}), False),
        ("user", Instruct("jobs", None, "list", {}), False),
        ("admin", Instruct("jobs", "j", "cancel", {}), True),
    ],
)
def test_a_role_allows_what_it_should(role, wish, allowed):
    assert may_do(role, wish) is allowed


def test_a_login_is_a_fresh_secret_stored_as_its_digest():
    async def scene(stage):
        await set_up(stage)
        tokens = set()
        for number in range(2):
            found = door(stage, f"q{number}")
            stage.tell("gate", Asked(f"q{number}", "127.0.0.1", "key", LogIn()))
            await answer_lookups(stage)
            commit = await stage.one("store", Commit)
            assert isinstance(commit.write, AddKey)
            assert (commit.write.user, commit.write.login, commit.write.role) == ("u1", True, "user")
            assert found.said == []  # not before it is durable
            stage.tell("gate", Committed(commit.op_id, Applied()))
            await stage.quiet()
            (answer,) = found.said
            assert isinstance(answer, LoggedIn)
            assert commit.write.digest == digest_of(answer.token)
            assert len(answer.token) >= 43
            assert answer.token not in repr(answer)
            tokens.add(answer.token)
        assert len(tokens) == 2

    play(scene)


def test_a_login_that_cannot_be_stored_is_refused():
    async def scene(stage):
        await set_up(stage)
        for socket, outcome in (("q1", "refused"), ("q2", "trouble")):
            found = door(stage, socket)
            stage.tell("gate", Asked(socket, "127.0.0.1", "key", LogIn()))
            await answer_lookups(stage)
            commit = await stage.one("store", Commit)
            if outcome == "refused":
                stage.tell("gate", Committed(commit.op_id, Refused("not_found", "gone")))
            else:
                stage.tell("gate", NotCommitted(commit.op_id, "disk full"))
            await stage.quiet()
            assert isinstance(found.said[0], Refusal)

    play(scene)


def test_a_logout_drops_the_login_and_closes_its_sockets_only():
    async def scene(stage):
        await set_up(stage)
        login = KeyHolder("k2", "u1", "ada", "free", "user", True)
        mine, other = await enter(stage, "s1", "cookie", login), await enter(stage, "s2")
        answer = door(stage, "q1")
        stage.tell("gate", Asked("q1", "127.0.0.1", "cookie", LogOut()))
        await answer_lookups(stage, login)
        commit = await stage.one("store", Commit)
        assert commit.write == DropKey(digest_of("cookie"), commit.write.at)
        stage.tell("gate", Committed(commit.op_id, Applied()))
        await stage.quiet()
        assert (answer.said, mine.code, other.code) == ([LoggedOut()], 4401, None)

    play(scene)


async def ask(stage, socket, key, question):
    """What is answered to a question."""
    answer = door(stage, socket)
    stage.tell("gate", Asked(socket, "127.0.0.1", key, question))
    await stage.base.idle()
    return answer


async def operator_login(stage):
    """A login of the config's operator."""
    (logged_in,) = (await ask(stage, "q0", "operator-key", LogInOperator())).said
    assert logged_in.max_age_s == OPERATOR_LOGIN_S
    assert logged_in.token not in repr(logged_in)
    return logged_in.token


def test_an_operators_login_instructs_and_shows_who_it_is_and_does_nothing_else():
    async def scene(stage):
        await set_up(stage)
        login = await operator_login(stage)
        assert (await ask(stage, "q1", login, ShowOperator())).said == [OperatorShown("operator", "admin")]
        instruct = Instruct("queue", None, "pause", {})
        await ask(stage, "q2", login, instruct)
        assert await stage.heard("console") == [AskConsole("operator", "admin", "q2", instruct)]
        for question in (ShowMe(), LogIn(), LogInOperator(), ShowImage("i1")):
            answer = await ask(stage, "q3", login, question)
            await answer_lookups(stage, None)
            assert [refusal.code for refusal in answer.said] == ["unauthenticated"]
        found = await enter(stage, "s1", login, None)
        assert found.code == 4401

    play(scene, config=OPERATED)


def test_an_operators_login_that_was_ended_is_worth_nothing():
    async def scene(stage):
        await set_up(stage)
        login = await operator_login(stage)
        for socket in ("q1", "q2"):  # twice is harmless
            assert (await ask(stage, socket, login, LogOutOperator())).said == [LoggedOut()]
        answer = await ask(stage, "q3", login, ShowOperator())
        await answer_lookups(stage, None)
        assert [refusal.code for refusal in answer.said] == ["unauthenticated"]

    play(scene, config=OPERATED)


def test_a_login_of_a_viewers_key_reads_only_and_ends_when_the_key_does():
    async def scene(stage):
        await set_up(stage)
        viewer = KeyHolder("k2", "u1", "ada", "free", "viewer", False)
        answer = await ask(stage, "q1", "viewer-key", LogInOperator())
        await answer_lookups(stage, viewer)
        login = answer.said[0].token
        assert (await ask(stage, "q2", login, ShowOperator())).said == [OperatorShown("ada", "viewer")]
        await ask(stage, "q3", login, Instruct("queue", None, "pause", {}))
        assert (await stage.one("console", AskConsole)).role == "viewer"  # which the console refuses
        await asyncio.sleep(KNOWN_KEY_S)
        revoked = await ask(stage, "q4", login, ShowOperator())
        await answer_lookups(stage, None)
        assert [refusal.code for refusal in revoked.said] == ["unauthenticated"]

    play(scene, config=OPERATED)


def test_a_users_key_gets_no_operators_login():
    async def scene(stage):
        await set_up(stage)
        answer = await ask(stage, "q1", "key", LogInOperator())
        await answer_lookups(stage)
        assert [refusal.code for refusal in answer.said] == ["forbidden"]
        assert (await stage.one("console", Stranger)).by == HOLDER.name  # it is on the trail

    play(scene)


def test_what_actors_say_goes_through_the_door_and_to_nobody_when_it_is_gone():
    async def scene(stage):
        await set_up(stage)
        found = await enter(stage, "s1")
        stage.tell("gate", Say("s1", Pong()), Say("nobody", Pong()), Hang("nobody", 1013, ""), Hang("s1", 1013, "slow"))
        await stage.quiet()
        assert (found.said, found.code) == ([Pong()], 1013)

    play(scene)


def test_draining_is_told_and_new_drawings_are_refused_but_nothing_else():
    async def scene(stage):
        await set_up(stage)
        found = await enter(stage, "s1")
        stage.tell("gate", Say("s1", WELCOME), Drain(), Spoken("s1", DRAW), Spoken("s1", Jobs()))
        assert await stage.heard("lobby", Heard) == [Heard("u1", "s1", Jobs())]
        _, notice, error = found.said
        assert isinstance(notice, Notice)
        assert (type(error), error.code, error.ref) == (Error, "draining", "r1")

    play(scene)


def test_welcome_is_the_first_frame_also_when_the_service_stops():
    async def scene(stage):
        await set_up(stage)
        found = await enter(stage, "s1")
        stage.tell("gate", Drain(), Say("s1", WELCOME))
        await stage.quiet()
        assert found.said == [WELCOME]

    play(scene)


def test_a_fresh_gate_closes_the_doors_it_does_not_know_with_1012():
    async def scene(stage):
        await set_up(stage)
        found = await enter(stage, "s1")
        stage.tell("gate", Kill("test"))
        await stage.base.ended("gate")
        stage.cast("gate", Gate)
        await stage.quiet()
        assert found.code == 1012

    play(scene)


def test_a_lobby_that_died_costs_all_authenticated_sockets_their_connection():
    async def scene(stage):
        await set_up(stage)
        inside, outside = await enter(stage, "s1"), door(stage, "s2")
        stage.tell("gate", Arrived("s2", "127.0.0.1", None), HangAll(1013, "sessions started again"))
        await stage.quiet()
        assert (inside.code, outside.code) == (1013, None)

    play(scene)


def test_a_session_that_died_costs_all_sockets_of_its_user_and_nobody_elses():
    async def scene(stage):
        await set_up(stage)
        doors = [await enter(stage, socket) for socket in ("s1", "s2")]
        other = await enter(stage, "s3", "other", KeyHolder("k3", "u2", "eve", "free", "user", False))
        stage.tell("gate", HangUser("u1", 1013, "session died"), HangUser("nobody", 1013, "session died"))
        await stage.quiet()
        assert ([found.code for found in doors], other.code) == ([1013, 1013], None)

    play(scene)


def test_the_key_of_a_request_is_remembered_for_a_burst_and_that_of_a_socket_is_not():
    async def scene(stage):
        await set_up(stage)
        await enter(stage, "s1")
        for socket, lookups in (("q1", 1), ("q2", 0)):
            stage.tell("gate", Asked(socket, "127.0.0.1", "key", ShowMe()))
            assert len(await answer_lookups(stage)) == lookups

    play(scene)


def test_the_memory_of_keys_is_bounded():
    cache = KeyCache()
    for number in range(KNOWN_KEYS_MAX + 10):
        cache.put(f"d{number}", HOLDER, now=0.0)
    assert cache.get("d5", now=0.0) is None
    assert cache.get("d50", now=0.0) is HOLDER
    assert cache.get("d50", now=KNOWN_KEY_S) is None


def test_what_a_key_may_not_instruct_reaches_the_console_which_writes_it_down():
    async def scene(stage):
        await set_up(stage)
        door(stage, "q1")
        stage.tell("gate", Asked("q1", "127.0.0.1", "key", Instruct("queue", None, "pause", {})))
        await answer_lookups(stage)
        asked = await stage.one("console", AskConsole)
        assert (asked.user, asked.role) == ("ada", "user")

    play(scene)


@pytest.mark.parametrize("key", [None, "wrong"])
def test_an_instruction_without_a_known_key_never_reaches_the_console(key):
    async def scene(stage):
        await set_up(stage)
        found = door(stage, "q1")
        stage.tell("gate", Asked("q1", "127.0.0.1", key, Instruct("queue", None, "pause", {})))
        await answer_lookups(stage, None)
        assert [refusal.code for refusal in found.said] == ["unauthenticated"]
        assert await stage.heard("console", AskConsole) == []

    play(scene)


def test_a_banned_users_key_is_forbidden_by_request_and_by_socket():
    async def scene(stage):
        await set_up(stage)
        banned = KeyHolder("k1", "u1", "ada", "free", "user", False, banned=True)
        found = door(stage, "q1")
        stage.tell("gate", Asked("q1", "127.0.0.1", "key", ShowMe()))
        await answer_lookups(stage, banned)
        assert [refusal.code for refusal in found.said] == ["forbidden"]
        socket = await enter(stage, "s1", "other", banned)
        assert (socket.said[0].code, socket.code) == ("forbidden", 4401)
        assert await stage.heard("lobby", Attach) == []

    play(scene)


def test_who_is_turned_away_loses_the_sockets_of_that_key_or_all_and_nobody_else_does():
    async def scene(stage):
        await set_up(stage)
        other = KeyHolder("k2", "u2", "ben", "free", "user", False)
        first, second = await enter(stage, "s1", "one"), await enter(stage, "s2", "two")
        third = await enter(stage, "s3", "three", other)
        stage.tell("gate", AskPresence("ask", "u1"), TurnAway("u1", digest_of("one"), "unauthenticated", "Revoked."))
        assert await stage.heard("console", Presence) == [Presence("ask", 2)]
        assert (first.said[-1], first.code) == (Error("unauthenticated", "Revoked."), 4401)
        assert (second.code, third.code) == (None, None)
        stage.tell("gate", TurnAway("u1", None, "forbidden", "Banned."))
        await stage.quiet()
        assert (second.said[-1], second.code, third.code) == (Error("forbidden", "Banned."), 4401, None)

    play(scene)


def test_a_key_that_was_being_looked_up_when_its_user_was_turned_away_is_looked_up_once_more():
    async def scene(stage):
        await set_up(stage)
        found = door(stage, "q1")
        stage.tell("gate", Asked("q1", "127.0.0.1", "key", ShowMe()))
        (before,) = await stage.heard("store", Lookup)
        stage.tell("gate", TurnAway("u1", None, "forbidden", "Banned."), LookedUp(before.lookup_id, HOLDER))
        await answer_lookups(stage, KeyHolder("k1", "u1", "ada", "free", "user", False, banned=True))
        assert [refusal.code for refusal in found.said] == ["forbidden"]

    play(scene)


def test_a_key_that_is_remembered_is_asked_for_again_when_its_user_was_turned_away():
    async def scene(stage):
        await set_up(stage)
        for number in range(2):
            door(stage, f"q{number}")
            stage.tell("gate", Asked(f"q{number}", "127.0.0.1", "key", ShowMe()))
            assert len(await answer_lookups(stage)) == 1
            stage.tell("gate", TurnAway("u1"))
            await stage.quiet()

    play(scene)


def test_who_instructs_without_a_known_key_is_told_to_the_console_at_an_even_pace_and_other_strangers_are_not():
    async def scene(stage):
        await set_up(stage)
        instruct = Instruct("queue", None, "pause", {})
        await ask(stage, "q0", None, instruct)
        for number in range(2 * STRANGERS_TOLD_PER_MIN):
            await ask(stage, f"q{number + 1}", "wrong", instruct)
            await answer_lookups(stage, None)
        await ask(stage, "me", "wrong", ShowMe())
        await answer_lookups(stage, None)
        told = await stage.heard("console")
        assert all(words == Stranger(instruct, "127.0.0.1") for words in told)
        assert STRANGERS_TOLD_PER_MIN <= len(told) < 1.5 * STRANGERS_TOLD_PER_MIN  # some seconds have passed

    play(scene, config=OPERATED)
