"""The doors of a loop base for other threads: Thespian's blocking interface, and a thread that runs a loop.

An `Outside` is one correspondent outside the loop: an address to be answered at, and a mailbox to listen at. The main
ActorSystem has one, and so has every `private()` context.
"""

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from thespian.actors import ActorAddress, ActorSystemFailure
from thespian.system import isInternalActorSystemMessage

from system.record import ActorRecord, as_if_sent_far

if TYPE_CHECKING:
    from system.loop_base import LoopBase

CALL_S_MAX = 60.0
SHUTDOWN_S_MAX = 10.0

Result = TypeVar("Result")


class Mailbox:
    """The instance behind an outside address: messages wait here until their thread listens."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:
        if not isInternalActorSystemMessage(message):
            self._messages.put(message)

    def take(self, timeout: float | None) -> Any:
        """The oldest message, waited for at most `timeout` seconds (None: for ever); None when there was none."""
        try:
            return self._messages.get(timeout=timeout)
        except queue.Empty:
            return None


class Outside:
    """What an ActorSystem calls its systemBase; each method may be called from any thread."""

    base: "LoopBase"

    def __init__(self) -> None:
        self._mailbox = Mailbox()

    def attach(self, base: "LoopBase", address: str = "System:ExternalRequester") -> None:
        self.base = base
        self._record: ActorRecord = base.correspondent(address, self._mailbox)

    def tell(self, address: ActorAddress, message: Any) -> None:
        if self.base.strict:
            message = as_if_sent_far(message)
        if self._is_on_loop():
            self._deliver(address, message)
        else:
            self.base.loop.call_soon_threadsafe(self._deliver, address, message)

    def _deliver(self, address: ActorAddress, message: Any) -> None:
        self.base.actor_send(self._record.address, address, message)

    def listen(self, timeout: timedelta | float | None) -> Any:
        """The next message to this correspondent, or None after `timeout` (s, or a timedelta; None: for ever)."""
        if self._is_on_loop():
            raise ActorSystemFailure("listening on the loop's own thread would stop the actors that should speak")
        if isinstance(timeout, timedelta):
            timeout = timeout.total_seconds()
        return self._mailbox.take(None if timeout is None else max(0.0, timeout))

    def ask(self, address: ActorAddress, message: Any, timeout: timedelta | float | None) -> Any:
        self.tell(address, message)
        return self.listen(timeout)

    def newPrimaryActor(self, *arguments: Any) -> ActorAddress:
        return self._call(lambda: self.base.newPrimaryActor(*arguments))

    def external_clone(self) -> "Outside":
        """Another correspondent, for `ActorSystem.private()`."""
        clone = Outside()
        self._call(lambda: clone.attach(self.base, f"System:ExternalRequester:{self.base.next_private()}"))
        return clone

    def exit_context(self) -> None:
        if not self.base.loop.is_closed():
            self._call(lambda: self.base.dismiss(self._record))

    def updateCapability(self, name: str, value: Any) -> None:
        self._call(lambda: self.base.updateCapability(name, value))

    def loadActorSource(self, file: Any) -> str:
        return self._call(lambda: str(self.base.loadActorSource(file)))

    def unloadActorSource(self, source_hash: str) -> None:
        self._call(lambda: self.base.unloadActorSource(source_hash))

    def shutdown(self) -> None:
        """Stops the base, and its thread when it has one of its own; returns when that is done. A base on a loop that
        its caller runs is stopped there, by `await base.stop()`; from its own thread this only begins the stop."""
        if self._is_on_loop():
            self.base.begin_stop()
            return
        try:
            if self.base.loop.is_running():
                asyncio.run_coroutine_threadsafe(self.base.stop(), self.base.loop).result(SHUTDOWN_S_MAX)
        finally:
            if self.base.thread is not None:
                self.base.thread.end()

    def _is_on_loop(self) -> bool:
        return threading.get_ident() == self.base.thread_id

    def _call(self, function: Callable[[], Result]) -> Result:
        """Runs a function in the loop's thread; its result or exception is the caller's."""
        if self._is_on_loop():
            return function()
        done: concurrent.futures.Future[Result] = concurrent.futures.Future()
        self.base.loop.call_soon_threadsafe(_settle, done, function)
        return done.result(CALL_S_MAX)


def _settle(done: "concurrent.futures.Future[Result]", function: Callable[[], Result]) -> None:
    try:
        done.set_result(function())
    except BaseException as error:  # the calling thread raises it
        done.set_exception(error)


class LoopThread:
    """A daemon thread that runs one event loop until `end`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="limner-actors", daemon=True)

    def start(self, furnish: "Callable[[asyncio.AbstractEventLoop], LoopBase]") -> "LoopBase":
        """Runs the loop, and `furnish` on it; what that raises is raised here."""
        self._thread.start()
        done: concurrent.futures.Future[LoopBase] = concurrent.futures.Future()
        self._loop.call_soon_threadsafe(_settle, done, lambda: furnish(self._loop))
        base = done.result(CALL_S_MAX)
        base.thread = self
        return base

    def end(self) -> None:
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SHUTDOWN_S_MAX)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()
