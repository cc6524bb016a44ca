"""Logs: everything the daemon and its libraries say goes to stderr, one line each, without secrets.

For people on a terminal it is readable, else JSON. Secrets are kept out at the source; what would slip through here (a
library's words, an exception's text) is masked by name, by shape, and by the values the config holds.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import TYPE_CHECKING, Any, TextIO

from core.config import Config, Secret
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
QUIETER = {"uvicorn": logging.WARNING, "alembic": logging.WARNING, "asyncio": logging.WARNING}

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
        if isinstance(value, bytes | BaseException):
            return self._masked(str(value))
        if isinstance(value, dict):
            return {
                key: MASK if str(key).lower() in SECRET_NAMES else self._masked(inner) for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._masked(inner) for inner in value]
        return value


def secrets_of(config: Config) -> tuple[str, ...]:
    """Every secret the config holds, revealed: for the Redactor and nobody else."""
    held = [account.token for account in config.accounts if account.token]
    held += [secret for secret in (config.store.url, config.admin.key) if secret]
    held += [config.cluster.key] if config.cluster else []
    held += [config.front.discord.token] if config.front.discord else []
    return tuple(secret.reveal() for secret in held)


def set_up_logs(secrets: Iterable[str], stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Sends structlog and the standard library's logging to `stream` (stderr), from `level` on."""
    stream = stream or sys.stderr
    readable = stream.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
        if readable
        else structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_last_steps(Redactor(secrets), readable)
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quieter in QUIETER.items():
        logging.getLogger(name).setLevel(quieter)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _last_steps(redactor: Redactor, readable: bool) -> list[Processor]:
    """Exceptions become text before the redactor sees them, so that it also sees theirs."""
    steps: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        redactor,
    ]
    if readable:
        return [*steps, structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [*steps, structlog.processors.JSONRenderer()]
