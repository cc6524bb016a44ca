"""Rest: an account's REST calls, within Discord's limits: they wait for their bucket, and every answer is counted.

`read` is for what may be repeated, `send` for what may not: one try, which either begins before its deadline or not at
all. The limits themselves are protocol.buckets; here they meet the clock and the network.
"""

from __future__ import annotations

import asyncio

from actors.monitor.messages import Observed
from actors.shell import Shell
from core.config import AccountConfig
from protocol.rest import Buckets, Request, authorization
from system.links import LinkBroken, Response
from system.message import Message

READ_TRIES_MAX = 5
READ_AGAIN_S = 1.0
#: A wait for a bucket that is longer than this is no wait any more: the call fails.
BUCKET_WAIT_S_MAX = 60.0


class HeldBack(LinkBroken):
    """A limit leaves no room before the deadline: nothing was begun. `wait_s`: how long it lasts."""

    def __init__(self, wait_s: float) -> None:
        super().__init__("the limits would hold it back for too long", False)
        self.wait_s = wait_s


class TokenRefused(Message, frozen=True):
    """Discord has answered a call with 401: the token is wrong or was reset. No other call is made with it."""

    route: str


class Rest:
    """One an account; the budget of invalid answers of the host's address is shared by all accounts of a process."""

    def __init__(self, owner: Shell, account: AccountConfig) -> None:
        self._owner = owner
        self._account = account.name
        self._authorization = authorization(account.token.reveal(), account.kind)
        self._buckets = Buckets(owner.process.invalid_answers)
        self._is_open = True

    def delay_s(self, request: Request) -> float:
        """How long the limits hold this request back now."""
        return self._buckets.delay(request, self._owner.now())

    def reopen(self) -> None:
        """The operator says that the token is right again."""
        self._is_open = True

    async def send(self, request: Request, deadline: float) -> Response:
        """One try, begun before `deadline` (monotonic s). Raises LinkBroken; `sent` False when it was never begun.

        HeldBack where that is for the limits' sake.
        """
        while (wait_s := self.delay_s(request)) > 0:
            if self._owner.now() + wait_s > deadline:
                raise HeldBack(wait_s)
            await asyncio.sleep(wait_s)
        if self._owner.now() > deadline:
            raise LinkBroken("it is too late to begin", False)
        if not self._is_open:
            raise LinkBroken("Discord refuses the token", False)
        self._buckets.began(request, self._owner.now())
        try:
            answer = await self._owner.process.links.request(request, self._authorization)
        except LinkBroken as broken:
            self._count(request, "broken")
            self._owner.log.warning("a REST call has no answer", route=request.route, why=broken.why)
            raise
        self._count(request, str(answer.status))
        self._buckets.answered(request, answer.status, answer.headers, answer.body, self._owner.now())
        if answer.status == 401 and not request.interaction_callback and self._is_open:
            self._is_open = False
            self._owner.post(TokenRefused(request.route))
        return answer

    async def read(self, request: Request) -> Response:
        """A call that may be repeated, until Discord itself answers: no limit, no server trouble. Raises LinkBroken."""
        for number in range(READ_TRIES_MAX):
            try:
                answer = await self.send(request, self._owner.now() + BUCKET_WAIT_S_MAX)
            except LinkBroken:
                if number + 1 == READ_TRIES_MAX:
                    raise
            else:
                if answer.status != 429 and answer.status < 500:
                    return answer
            await asyncio.sleep(self._owner.dice.uniform(0.0, READ_AGAIN_S * 2**number))
        raise LinkBroken("Discord has no answer", None)

    def _count(self, request: Request, status: str) -> None:
        labels = (request.route, status)
        self._owner.tell("monitor", Observed("limner_rest_requests_total", 1.0, labels, self._account))
