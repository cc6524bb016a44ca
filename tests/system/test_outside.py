"""Other threads: Thespian's blocking interface around a base that runs in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from thespian.actors import Actor, ActorSystem, ActorSystemFailure

from system.loop_base import run_on, start

THREADS = 8
NUMBERS = 200


class Adder(Actor):
    """Adds the numbers it is told; says the sum to whoever asks."""

    def __init__(self) -> None:
        self.sum = 0

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, int):
            self.sum += message
        elif message == "sum":
            self.send(sender, self.sum)
        elif message == "thread":
            self.send(sender, threading.get_ident())
        elif isinstance(message, tuple):
            self.send(sender, ("echo", *message))


@pytest.fixture
def system() -> Iterator[ActorSystem]:
    system = start({"dog": "food"})
    yield system
    system.shutdown()


def test_all_actors_live_in_one_thread_that_is_not_the_callers(system: ActorSystem) -> None:
    idents = {system.ask(system.createActor(Adder), "thread", 5) for _ in range(3)}
    assert len(idents) == 1
    assert threading.get_ident() not in idents


def test_no_message_from_any_thread_is_lost(system: ActorSystem) -> None:
    adder = system.createActor(Adder)

    def tell_all(_: int) -> None:
        for number in range(NUMBERS):
            system.tell(adder, number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(tell_all, range(THREADS)))
    assert system.ask(adder, "sum", 5) == THREADS * sum(range(NUMBERS))


def test_each_private_context_hears_its_own_answers(system: ActorSystem) -> None:
    adder = system.createActor(Adder)

    def converse(thread: int) -> list[Any]:
        with system.private() as mine:
            return [mine.ask(adder, (thread, number), 5) for number in range(NUMBERS)]

    with ThreadPoolExecutor(THREADS) as pool:
        conversations = list(pool.map(converse, range(THREADS)))
    for thread, conversation in enumerate(conversations):
        assert conversation == [("echo", thread, number) for number in range(NUMBERS)]
    base = system._systemBase.base
    assert [address for address in base.actorRegistry if "Requester:" in address] == []


def test_actors_are_created_from_many_threads_at_once(system: ActorSystem) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        addresses = list(pool.map(lambda _: system.createActor(Adder), range(100)))
    assert len({address.actorAddressString for address in addresses}) == 100


def test_what_creating_an_actor_raises_is_raised_in_the_calling_thread(system: ActorSystem) -> None:
    class Stillborn(Actor):
        def __init__(self) -> None:
            raise OSError("no ink")

    with pytest.raises(OSError, match="no ink"):
        system.createActor(Stillborn)


def test_listening_gives_up_after_its_time(system: ActorSystem) -> None:
    assert system.listen(0.01) is None


def test_two_systems_share_nothing_and_a_letter_to_the_other_is_dead(system: ActorSystem) -> None:
    other = start()
    try:
        mine = system.createActor(Adder, globalName="adder")
        theirs = other.createActor(Adder, globalName="adder")
        system.tell(mine, 1)
        assert system.ask(mine, "sum", 5) == 1
        assert other.ask(theirs, "sum", 5) == 0
        base = system._systemBase.base
        assert mine.actorAddressString == theirs.actorAddressString
        mine.record.actor_send(theirs, 5)
        system.tell(theirs, 5)
        assert system.ask(mine, "sum", 5) == 1
        assert other.ask(theirs, "sum", 5) == 0
        assert base.totals().dead_letters == 2
    finally:
        other.shutdown()


def test_shutdown_ends_the_actors_and_the_thread() -> None:
    system = start()
    adder = system.createActor(Adder)
    base = system._systemBase.base
    thread = next(thread for thread in threading.enumerate() if thread.ident == base.thread_id)
    system.shutdown()
    assert not thread.is_alive()
    assert adder.record.instance is None
    assert base.loop.is_closed()


def test_an_actor_may_shut_its_system_down() -> None:
    stopped = threading.Event()

    class Finisher(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if message == "finish":
                self._myRef.base.begin_stop().add_done_callback(lambda _: stopped.set())

    system = start()
    finisher = system.createActor(Finisher)
    system.tell(finisher, "finish")
    assert stopped.wait(5)
    assert finisher.record.instance is None
    system.shutdown()


def test_asking_from_the_loops_own_thread_is_refused_instead_of_hanging() -> None:
    async def main() -> None:
        base = run_on(asyncio.get_running_loop())
        adder = base.system.createActor(Adder)
        base.system.tell(adder, 5)
        with pytest.raises(ActorSystemFailure, match="own thread"):
            base.system.ask(adder, "sum", 1)
        assert await base.ask(adder, "sum", timeout=1) == 5
        assert await asyncio.to_thread(base.system.ask, adder, "sum", 5) == 5
        await base.stop()

    asyncio.run(main())
