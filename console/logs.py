"""Logs: everything the daemon and its libraries say goes to stderr, one line each, without secrets.

For people on a terminal it is readable, else JSON. Secrets are kept out at the source; what would slip through here (a
library's words, an exception's text) is masked by name, by shape, and by the values the config holds.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TextIO

from core.config import AccountConfig, Config, Secret
from core.trace import trace_id
from system.event_ring import EventRing
from system.log_levels import LEVELS, LogLevels
from system.plain_structlog import structlog

if TYPE_CHECKING:
    from structlog.typing import Processor

MASK = "…"
#: Fields of these names never show, whatever they hold.
SECRET_NAMES = frozenset(
    {"token", "key", "api_key", "admin_key", "secret", "password", "authorization", "cookie", "prompt", "credential"}
)
#: A key of ours, a Discord token, and what follows `Bearer` or `Bot`.
SECRET_SHAPES = re.compile(
    r"limner_[\w-]+\.[\w-]{16,}|\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}|(?<=Bearer )\S+|(?<=Bot )[\w.-]{20,}"
)
#: Shorter values are words that may stand in any text.
SECRET_CHARS_MIN = 8
#: Libraries that tell more than an operator wants to read.
QUIETER = {
    "opentelemetry": logging.CRITICAL,
    "uvicorn": logging.WARNING,
    "alembic": logging.WARNING,
    "asyncio": logging.WARNING,
}

EventDict = MutableMapping[str, Any]


class Redactor:
    """A structlog processor that masks secrets."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({secret for secret in secrets if len(secret) >= SECRET_CHARS_MIN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        """See the class."""
        for name, value in event.items():
            event[name] = MASK if name.lower() in SECRET_NAMES and value is not None else self._masked(value)
        return event

    def _masked(self, value: Any) -> Any:
        if isinstance(value, Secret):
            return MASK
        if isinstance(value, str):
            value = SECRET_SHAPES.sub(MASK, value)
            return self._known.sub(MASK, value) if self._known else value
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {
                self._masked(key): MASK if str(key).lower() in SECRET_NAMES else self._masked(inner)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._masked(inner) for inner in value]
        return self._masked(str(value))  # whatever it is, its own words are all that is shown of it


def secrets_of(config: Config, added: Iterable[AccountConfig] = ()) -> tuple[str, ...]:
    """Every secret that the config and accounts `added` to it hold, revealed: for the Redactor and nobody else."""
    held = [account.token for account in (*config.accounts, *added) if account.token]
    held += [secret for secret in (config.store.url, config.store.token_key, config.admin.key) if secret]
    held += [config.cluster.key] if config.cluster else []
    held += [config.front.discord.token] if config.front.discord else []
    return tuple(secret.reveal() for secret in held)


def set_up_logs(
    secrets: Iterable[str],
    stream: TextIO | None = None,
    events: EventRing | None = None,
    levels: LogLevels | None = None,
) -> tuple[EventRing, LogLevels]:
    """Sends structlog and the standard library's logging to `stream` (stderr), and what they say to the ring `events`.

    `levels`: from which level on, and for which of our actors from another. Libraries say what is usual. Returns ring
    and levels, to be given again when more secrets are known; they are made where none are given.
    """
    stream = stream or sys.stderr
    events = EventRing() if events is None else events
    levels = LogLevels() if levels is None else levels
    last = _last_steps(Redactor(secrets), events, stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_logger_name,
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
            ],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(levels.usual)
    for name, quieter in QUIETER.items():
        logging.getLogger(name).setLevel(quieter)
    structlog.configure(
        processors=[
            LevelGate(levels),
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.add_log_level,
            add_trace,
            *last,
        ],
        logger_factory=lambda *names: LineLogger(stream, *names),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # the demo's key is a secret that is known after the first lines only
    )
    return events, levels


class LevelGate:
    """A structlog processor, the first one: drops what is below its actor's level before anything is done for it."""

    def __init__(self, levels: LogLevels) -> None:
        self._levels = levels

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        """See the class."""
        level = LEVELS.get(method, logging.ERROR)  # `exception` and `critical` are no less
        if not self._levels.wants(event.get("actor"), level):
            raise structlog.DropEvent
        return event


def add_trace(logger: object, method: str, event: EventDict) -> EventDict:
    """A structlog processor: what is said of a job can be found by its trace."""
    job = event.get("job")
    if isinstance(job, str):
        event["trace"] = trace_id(job)
    return event


class LineLogger:
    """Writes lines for structlog, under a logger's name.

    A stream that takes none (its disk is full, its reader is gone) costs the line and never the actor that spoke.
    """

    def __init__(self, stream: TextIO, name: str = "limner") -> None:
        self.name = name
        self._stream = stream

    def msg(self, line: str) -> None:
        """One line, at once."""
        with suppress(OSError, ValueError):  # ValueError: it is closed
            self._stream.write(line + "\n")
            self._stream.flush()

    debug = info = warning = error = critical = exception = msg


def _last_steps(redactor: Redactor, events: EventRing, readable: bool) -> list[Processor]:
    """Exceptions become text before the redactor sees them, so that it also sees theirs; the ring comes after it."""
    steps: list[Processor] = [structlog.processors.format_exc_info, redactor]

    def remember(logger: object, method: str, event: EventDict) -> EventDict:
        events.add(event)
        return event

    steps.append(remember)
    if readable:
        clock = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        return [*steps, clock, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    clock = structlog.processors.TimeStamper(fmt="iso", utc=True)
    return [*steps, clock, structlog.processors.JSONRenderer()]
