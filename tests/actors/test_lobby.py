"""The Lobby: a session for each user who needs one, and none for long that nobody needs."""

import asyncio

import pytest

from actors.lobby import Lobby
from actors.queue.messages import Places
from actors.scheduler import Token
from actors.session.actor import REST_AFTER_S, Session
from actors.session.messages import Attach, Detach, HangAll, HangUser, Heard, Resting, Say
from actors.shell import Kill
from actors.store_messages import LookedUp, Lookup
from protocol.api import ShowMe
from storage.operations import JobRecords, ReadUser, UserRecord
from tests.actors.stage import Recorder, play


class StoreOfNothing(Recorder):
    """Users without jobs."""

    def receiveMessage(self, message, sender):
        if isinstance(message, Lookup):
            found = JobRecords((), None)
            if isinstance(message.read, ReadUser):
                found = UserRecord(message.read.user, message.read.user, "free", False, 0, 0)
            self.tell(message.reply_to, LookedUp(message.lookup_id, found))
        super().receiveMessage(message, sender)


def set_up(stage):
    stage.cast("store", StoreOfNothing)
    for name in ("gate", "queue", "monitor", "account/fox"):
        stage.cast(name)
    return stage.cast("lobby", Lobby)


def is_here(stage, user):
    return f"session/{user}" in stage.base.names


def test_a_session_is_made_for_who_attaches_asks_or_holds_a_token():
    async def scene(stage):
        set_up(stage)
        stage.tell("lobby", Attach("u1", "s1"), Heard("u2", "q1", ShowMe()), Token("u3", "j1", 1, "l1", "fox", 1))
        await stage.quiet()
        assert [is_here(stage, user) for user in ("u1", "u2", "u3", "u4")] == [True, True, True, False]

    play(scene)


@pytest.mark.parametrize("message", [Places("u1", ()), Detach("u1", "s1")])
def test_no_session_is_made_for_news_that_nobody_waits_for(message):
    async def scene(stage):
        set_up(stage)
        stage.tell("lobby", message)
        await stage.quiet()
        assert not is_here(stage, "u1")

    play(scene)


def test_an_idle_session_rests_and_comes_back_when_it_is_needed():
    async def scene(stage):
        lobby = set_up(stage)
        stage.tell("lobby", Attach("u1", "s1"))
        await asyncio.sleep(REST_AFTER_S * 3)
        assert is_here(stage, "u1")
        stage.tell("lobby", Detach("u1", "s1"))
        await asyncio.sleep(REST_AFTER_S * 1.5)
        assert not is_here(stage, "u1")
        assert lobby.employed == {}
        stage.tell("lobby", Attach("u1", "s2"))
        await stage.quiet()
        assert is_here(stage, "u1")

    play(scene)


def test_a_session_does_not_rest_when_something_was_routed_to_it_meanwhile():
    async def scene(stage):
        lobby = set_up(stage)
        stage.tell("lobby", Heard("u1", "q1", ShowMe()))
        await stage.quiet()
        heard = lobby.employed["session/u1"].heard
        stage.tell("lobby", Resting("u1", heard - 1))
        await stage.quiet()
        assert is_here(stage, "u1")
        stage.tell("lobby", Resting("u1", heard))
        await stage.quiet()
        assert not is_here(stage, "u1")

    play(scene)


def test_a_session_that_died_costs_its_sockets_only_and_is_made_anew():
    async def scene(stage):
        set_up(stage)
        stage.tell("lobby", Attach("u1", "s1"), Attach("u1", "s2"), Attach("u2", "s3"))
        await stage.heard("gate")
        stage.tell("session/u1", Kill("test"))
        assert [(hang.user, hang.code) for hang in await stage.heard("gate", HangUser)] == [("u1", 1013)]
        assert (is_here(stage, "u1"), is_here(stage, "u2")) == (False, True)
        stage.tell("lobby", Detach("u1", "s1"), Attach("u1", "s4"))
        await stage.quiet()
        assert isinstance(stage.instance("session/u1"), Session)

    play(scene)


def test_one_session_that_always_dies_does_not_bring_down_the_others():
    async def scene(stage):
        lobby = set_up(stage)
        stage.tell("lobby", Attach("u2", "s0"))
        for number in range(30):
            stage.tell("lobby", Attach("u1", f"s{number + 1}"))
            await stage.quiet()
            stage.tell("session/u1", Kill("test"))
            await stage.quiet()
        assert is_here(stage, "u2")
        assert stage.instance("lobby") is lobby

    play(scene)


def test_a_fresh_lobby_has_all_sockets_closed():
    async def scene(stage):
        set_up(stage)
        stage.tell("lobby", Attach("u1", "s1"))
        await stage.heard("gate")
        stage.tell("lobby", Kill("test"))
        await stage.base.ended("lobby")
        stage.cast("lobby", Lobby)
        assert [hang.code for hang in await stage.heard("gate", HangAll)] == [1013]
        assert not is_here(stage, "u1")

    play(scene)


def test_a_thousand_sessions_come_and_go_without_a_trace():
    async def scene(stage):
        lobby = set_up(stage)
        users = [f"u{number}" for number in range(1_000)]
        for user in users:
            stage.tell("lobby", Attach(user, f"s-{user}"))
        await stage.quiet()
        assert len(lobby.employed) == len(users)
        for user in users:
            stage.tell("lobby", Detach(user, f"s-{user}"))
        await asyncio.sleep(REST_AFTER_S * 2)
        assert lobby.employed == {}

    play(scene)


def test_what_comes_for_a_user_whose_session_is_just_leaving_reaches_the_next_one():
    async def scene(stage):
        set_up(stage)
        stage.tell("lobby", Attach("u1", "s1"), Detach("u1", "s1"))
        await stage.quiet()
        stage.tell("lobby", Resting("u1", 2), Heard("u1", "q1", ShowMe()), Heard("u1", "q2", ShowMe()))
        await stage.quiet()
        stage.tell("lobby", Heard("u1", "q3", ShowMe()))
        said = await stage.heard("gate", Say)
        assert [say.socket for say in said if say.socket.startswith("q")] == ["q1", "q2", "q3"]

    play(scene)
