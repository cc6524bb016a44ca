"""Permit: asks whether an account's application may begin a new gateway session now.

Of Discord, where it tells (`GET /gateway/bot`, for bots), and of the store, which counts for all accounts of the
application, on all hosts and in all lives (protocol.identifies). A session that is resumed asks nobody.
"""

from __future__ import annotations

from collections.abc import Callable

from actors.account.rest import Rest
from actors.store_client import StoreAsker
from protocol import rest
from protocol.identifies import StartLimit, start_limit
from storage.operations import ClaimIdentify, IdentifyClaim, Written
from system.links import LinkBroken

#: Discord's own count is asked for once and not for long: without it, ours decides.
LIMIT_S_MAX = 5.0
#: The store could not say: asked again after so long.
UNCLEAR_S = 5.0
#: A wait that an operator wants to know of.
LONG_S = 60.0


class Permit:
    """One an account. `application`: whose IDENTIFYs are counted together, an id of Discord's."""

    def __init__(self, owner: StoreAsker, calls: Rest, kind: str, application: str) -> None:
        self._owner = owner
        self._rest = calls
        self._kind = kind
        self._application = application

    def ask(self, then: Callable[[float], None]) -> None:
        """Calls `then(wait_s)`: 0, and it may and is counted; else it may not before so many seconds have passed."""
        self._owner.work(self._claim(then), "ask to identify")

    async def _claim(self, then: Callable[[float], None]) -> None:
        limit = await self._start_limit() if self._kind == "bot" else None

        def claimed(outcome: Written) -> None:
            wait_s = outcome.wait_s if isinstance(outcome, IdentifyClaim) else UNCLEAR_S
            if wait_s >= LONG_S:
                self._owner.log.warning("no new gateway session is allowed for a while", seconds=round(wait_s))
            then(wait_s)

        remaining, reset_after_s = (limit.remaining, limit.reset_after_s) if limit is not None else (None, None)
        claim = ClaimIdentify(self._application, remaining, reset_after_s, self._owner.wall())
        self._owner.store.commit(claim, claimed, lambda why: then(UNCLEAR_S))

    async def _start_limit(self) -> StartLimit | None:
        try:
            answer = await self._rest.send(rest.get_gateway("bot"), self._owner.now() + LIMIT_S_MAX)
        except LinkBroken:
            return None  # counted and logged by Rest
        return start_limit(answer.body) if answer.status == 200 else None
