"""Faults: what a test can ask to go wrong (`POST /_sim/faults`), as one table.

Armed faults wait at the place where they strike and are used up: `count` times (1 unless told), or, given `seconds`
and no count, as often as the place is passed until then. `account` limits a fault to one account; without it, it
strikes whoever comes first. Faults that strike before a connection or request has said whose it is
(reconnect_no_hello, no_hello, cdn_404, cdn_truncated, put_fails) do not look at the account.
Sudden faults strike the live connections at once and are not kept, save close_CODE, whose remaining count strikes at
the next IDENTIFYs and RESUMEs. For `slow`, `late_response` and `no_starts_left`, `seconds` is not a duration.

Those above the line in ARMED are of CONTRACT §8; below it stand some of our own.
"""

from __future__ import annotations

import re
import time

import msgspec

from sim.identity import Account

ARMED = {
    "reconnect_no_hello": "a new connection gets op 7 instead of HELLO",
    "no_hello": "a new connection gets no HELLO",
    "no_ack": "a heartbeat is not acknowledged",
    "reset_in_replay": "the connection is reset after the first replayed event",
    "dead_resume_url": "READY names a resume URL at which nothing listens",
    "resume_1006": "a RESUME is answered by a reset connection",
    "bad_zlib": "a compressed frame is damaged",
    "huge_guild": "GUILD_CREATE has 3 MiB",
    "r429_user": "429, scope user",
    "r429_shared": "429, scope shared",
    "r429_global": "429, global",
    "r429_html": "429 as the HTML page of a proxy, without a Via header",
    "bad_gateway": "502 as HTML; the request was not taken",
    "lost_response": "an interaction is taken, then the HTTP connection is cut without an answer",
    "slow": "a REST answer is held back `seconds`",
    "cdn_404": "a picture is not found",
    "cdn_truncated": "a picture's body ends half-way",
    "put_fails": "the PUT of an upload answers 500",
    "stale_version": "the commands get new versions; who knows the old ones is refused (50035)",
    "banned_prompt": "embed: Banned prompt detected",
    "invalid_parameter": "embed: Invalid parameter",
    "moderated": "a running drawing ends in: Request cancelled due to output filters",
    "job_queued": "embed: Job queued, and the drawing starts a little later",
    "queue_full": "embed: Queue full",
    "blocked": "embed: Blocked",
    "captcha": "a challenge: Action required to continue",
    "credits_exhausted": "embed: Credits exhausted",
    "never_finishes": "a drawing stays at 93 % until it is cancelled",
    # --
    "late_response": "the HTTP connection is cut without an answer, and the interaction is taken `seconds` later",
    "lost_message": "a message is posted, then the HTTP connection is cut without an answer",
    "unauthorized": "401, as after a reset of the token",
    "no_starts_left": "GET /gateway/bot says that no IDENTIFY is left for `seconds`",
    "op1_early": "a heartbeat is asked for between HELLO and READY",
}
SUDDEN = {
    "reconnect": "op 7 to live connections",
    "op1": "a heartbeat is asked of live connections",
    "invalid_true": "op 9 true to live connections",
    "invalid_false": "op 9 false to live connections; their sessions end",
    "drop_all": "every live connection is reset",
    "unknown_events": "an unknown op, an unknown event and unknown fields are sent",
    "close_CODE": "live connections are closed with CODE, as close_4009",
}
CLOSE = re.compile(r"close_(1\d{3}|4\d{3})")
SLOW_S, LATE_S, STARTS_S = 10.0, 20.0, 60.0
DELAYED = ("slow", "late_response", "no_starts_left")  # their `seconds` is no duration


class Order(msgspec.Struct):
    """The body of `POST /_sim/faults`."""

    fault: str
    account: str | None = None
    seconds: float | None = None
    count: int | None = None


class Armed(msgspec.Struct):
    """A fault that waits. `account` is an account's id; `left` None is: without limit until `until`."""

    account: str | None
    left: int | None
    until: float
    seconds: float | None


def names() -> list[str]:
    return sorted([*ARMED, *SUDDEN])


def is_known(fault: str) -> bool:
    return fault in ARMED or (fault in SUDDEN and fault != "close_CODE") or CLOSE.fullmatch(fault) is not None


class Faults:
    """The waiting faults, by name."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Armed]] = {}

    def arm(self, order: Order, account_id: str | None) -> None:
        lasts = order.seconds is not None and order.fault not in DELAYED
        left = order.count if order.count is not None else None if lasts else 1
        until = time.monotonic() + order.seconds if lasts and order.seconds is not None else float("inf")
        self.waiting.setdefault(order.fault, []).append(Armed(account_id, left, until, order.seconds))

    def find(self, fault: str, account: Account | None = None) -> Armed | None:
        """The first waiting one that fits, used up by one; None when there is none."""
        waiting = self.waiting.get(fault)
        if not waiting:
            return None
        now = time.monotonic()
        self.waiting[fault] = waiting = [armed for armed in waiting if armed.until > now and armed.left != 0]
        for armed in waiting:
            if account is None or armed.account in (None, account.id):
                if armed.left is not None:
                    armed.left -= 1
                return armed
        return None

    def take(self, fault: str, account: Account | None = None) -> bool:
        return bool(self.waiting) and self.find(fault, account) is not None

    def take_close(self, account: Account) -> int | None:
        """The code of a waiting close_CODE for this account."""
        for fault in [name for name in self.waiting if CLOSE.fullmatch(name)]:
            if self.take(fault, account):
                return int(fault.removeprefix("close_"))
        return None
