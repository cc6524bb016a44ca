"""Names, births, tasks and deaths of a loop base's actors.

Of a dead actor the base keeps nothing: who holds its address holds its record, which is empty by then. Its last error
stays in a bounded table under its name.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from thespian.actors import ActorAddress, ActorExitRequest, ActorSystemFailure, ChildActorExited, InvalidActorAddress

from system.birth import bear
from system.held import Held
from system.mailroom import Mailroom, about
from system.record import ActorRecord, LoopAddress
from system.stats import LastError

log = logging.getLogger("limner.actors")


def kind_of(name: str) -> str:
    """The "account" of "account/fox-07"; a plain name is a kind of its own."""
    return name.partition("/")[0]


class Wanted(Exception):
    """Base of deaths that somebody asked for: they are logged without a traceback, which would look like a fault."""


class NameTaken(ValueError):
    """The name belongs to another living actor, or the actor has another name."""


class Lives(Mailroom):
    """The half of the base that makes actors, knows them by name, and buries them."""

    # --- names ---

    def register(self, record: ActorRecord, name: str) -> None:
        holder = self.names.get(name)
        if holder is not None and holder is not record:
            raise NameTaken(f"{name} is {type(holder.instance).__name__} at {holder.address.actorAddressString}")
        if record.name is not None and record.name != name:
            raise NameTaken(f"{record.name} cannot also be {name}")
        if record.instance is not None:
            if holder is None:
                self.kinds[kind_of(name)] += 1
            self.names[name] = record
            record.name = name

    def whereis(self, name: str) -> LoopAddress | None:
        record = self.names.get(name)
        return record.address if record else None

    # --- births ---

    def spawn(
        self, parent: ActorRecord, actor_class: Any, requirements: Any, name: str | None, source_hash: str | None
    ) -> LoopAddress:
        """A new actor's address. Raises NameTaken. When it could not be made, a top-level one raises the cause; of a
        child the parent hears ChildActorExited with the reason."""
        if self.stopped:
            raise ActorSystemFailure("the actor system has stopped")
        if parent.instance is None:
            raise InvalidActorAddress(parent.address, f"no parent for a {actor_class}: it has ended")
        if name is not None and name in self.names:
            raise NameTaken(name)
        text = f"{'' if parent is self.root else parent.address.actorAddressString}/{parent.births}"
        parent.births += 1
        record, failure = self._bear(parent, text, actor_class, requirements, source_hash)
        if failure is not None:
            if parent is self.root or isinstance(failure, ImportError):
                raise failure
            log.warning("a %s could not be made", actor_class, exc_info=failure, extra=about(parent))
        if record.instance is None:
            if parent is self.root:
                return self.bad_actor.address
            self._tell_of_death(record, name, reason_of(failure) if failure else "it refuses these capabilities")
            return record.address
        self.actorRegistry[text] = record
        if parent.children is None:
            parent.children = {}
        parent.children[record] = None
        if name is not None:
            self.register(record, name)
        return record.address

    def _bear(
        self, parent: ActorRecord, address: str, actor_class: Any, requirements: Any, source_hash: str | None
    ) -> tuple[ActorRecord, Exception | None]:
        record = self.new_record(address, parent)
        record.source_hash = source_hash
        try:
            record.instance = bear(actor_class, self.system.capabilities, requirements, source_hash, self._sources)
        except Exception as error:  # the caller logs it or raises it
            return record, error
        if record.instance is not None:
            record.instance._myRef = record
        return record, None

    # --- tasks and deaths ---

    def start_task(self, record: ActorRecord, coroutine: Coroutine[Any, Any, Any], label: str) -> "asyncio.Task[Any]":
        if record.instance is None:
            coroutine.close()
            raise RuntimeError(f"{record.label} has ended: it cannot start {label}")
        task = self.loop.create_task(coroutine, name=f"{record.label}: {label}")
        self.tasks[task] = record
        if record.tasks is None:
            record.tasks = {}
        record.tasks[task] = label
        task.add_done_callback(self._task_done)
        return task

    def _task_done(self, task: "asyncio.Task[Any]") -> None:
        record = self.tasks.pop(task)
        label = (record.tasks or {}).pop(task, task.get_name())
        if task.cancelled():
            return
        error = task.exception()
        if record.instance is None:
            if error is not None:
                log.warning("a task failed after its actor's end", exc_info=error, extra={"task": task.get_name()})
        elif error is not None:
            self.crash(record, error, label)
        elif task.result() is not None:
            try:
                record.post(task.result())
            except (TypeError, ValueError) as unfit:  # strict mode refuses the result
                self.crash(record, unfit, label)

    def crash(self, record: ActorRecord, error: BaseException, during: object | None) -> None:
        if record.instance is None:
            return
        self.crashes += 1
        reason = reason_of(error)
        before = self.last_errors.get(record.label)
        crashes = 1 + (before.crashes if before else 0)
        kind = record.kind
        self.last_errors.put(record.label, LastError(kind, reason, self.wall(), crashes))
        at = during if isinstance(during, str) else type(during).__name__ if during is not None else "work"
        shown = None if isinstance(error, Wanted) else error
        log.error("%s crashed at %s", record.label, at, exc_info=shown, extra={**about(record), "during": at})
        self.end(record, reason)

    def end(self, record: ActorRecord, reason: str | None, recursive: bool = True) -> None:
        """Ends an actor at once: `reason` of its crash, or None. Its children are asked to exit, its parent is told."""
        if record.instance is None or record.parent is None:
            return
        record.instance = None
        self._give_up_mail(record)
        del self.actorRegistry[record.address.actorAddressString]
        if record.name is not None:
            del self.names[record.name]
            self.kinds[kind_of(record.name)] -= 1
        self.handle_dead_letters(record, False)
        if self._sourceNotifications:
            self.registerSourceNotifications(record.address, False)
        for task in record.tasks or ():
            task.cancel()
        record.tasks = None
        self.timers.forget(record)
        children, record.children = record.children or (), None
        if recursive:
            for child in children:
                self.enqueue(child, ActorExitRequest(), self.root.address)
        self._tell_of_death(record, record.name, reason)
        if record.ended is not None and not record.ended.done():
            record.ended.set_result(reason)

    # --- suspended actors (system/held.py) ---

    def suspend(self, name: str) -> bool:
        """From now on what comes for this actor waits; False when it did already, or there is none."""
        record = self.names.get(name)
        if record is None or record in self.held:
            return False
        record.instance = self.held[record] = Held(record)
        return True

    def resume(self, name: str) -> bool:
        """It takes its mail again, what waited first; False when it was not suspended, or there is none."""
        record = self.names.get(name)
        held = self.held.pop(record, None) if record is not None else None
        if record is None or held is None:
            return False
        record.instance = held.actor
        self.fifo.extendleft(reversed(held.mail))
        if self.fifo and not self.pump_is_due:
            self.wake()
        return True

    def _give_up_mail(self, record: ActorRecord) -> None:
        held = self.held.pop(record, None)
        for _, message, sender in held.mail if held is not None else ():
            record.handled += 1
            self.dead_letter(record.address.actorAddressString, message, sender)

    def _tell_of_death(self, record: ActorRecord, name: str | None, reason: str | None) -> None:
        parent = record.parent
        if parent is None or parent.instance is None:
            return
        if parent.children is not None:
            parent.children.pop(record, None)
        if parent is not self.root:
            news = ChildActorExited(record.address)
            news.name, news.reason = name, reason
            self.enqueue(parent, news, self.root.address)

    # --- Thespian's names for the same ---

    def newPrimaryActor(
        self, actor_class: Any, requirements: Any, global_name: str | None, source_hash: str | None
    ) -> ActorAddress:
        return self._found(global_name) or self.spawn(self.root, actor_class, requirements, global_name, source_hash)

    def newActor(
        self,
        parent: ActorAddress,
        actor_class: Any,
        system: Any,
        requirements: Any,
        global_name: str | None,
        source_hash: str | None,
    ) -> ActorAddress:
        parent_record = self.find(parent)
        return self._found(global_name) or self.spawn(
            parent_record, actor_class, requirements, global_name, source_hash
        )

    def _found(self, global_name: str | None) -> LoopAddress | None:
        """Thespian's global names are our names; asking for a taken one gives its holder."""
        return self.whereis(global_name) if global_name else None


def reason_of(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
