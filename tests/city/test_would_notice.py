"""Would the city notice? Lies are planted in the daemon, one a test, and some early seed must tell of each."""

from __future__ import annotations

import re
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from actors.account.presence import AccountPresence
from actors.account.uploads import Uploads
from actors.gate import Gate
from actors.session.words import SessionWords
from actors.store import Store
from actors.store_messages import StoreWell
from core.correlate import Correlator
from core.fairness import FairQueue
from core.remembered import Standing
from core.signs import Stage
from protocol import close_codes, rest, websocket
from protocol.close_codes import Close, Then
from protocol.websocket import WebSocket
from storage import accepting, operations
from storage.operations import KeyHolder
from storage.settling import settle as honest_settle
from storage.writes import APPLIERS
from tests.city.town import run

SEEDS_MAX = 150
honest_outcome, honest_proof, honest_start = rest.outcome, Correlator._prove, AccountPresence.on_start
honest_add, honest_slots, honest_resume = FairQueue.add, Uploads.slots, SessionWords._resume


def repeat_what_may_have_arrived(*arguments, **more):
    found = honest_outcome(*arguments, **more)
    return rest.Refused(None, "no answer", retry=True, kind="not_sent") if isinstance(found, rest.Doubtful) else found


def give_it_to_another_who_waits(self, sign):
    proven = honest_proof(self, sign)
    waiting = [each for each in self._drawings.live() if each is not proven and each.standing is Standing.OPEN]
    return waiting[0] if sign.stage is Stage.FINISHED and waiting else proven


def believe_in_one_place_more(self):
    honest_start(self)
    self.slots += 1


async def remember_pictures_of_no_job_in_particular(self, job):
    return await honest_slots(self, replace(job, id="the job"))


def charge_who_is_not_at_fault(writing, write):
    return honest_settle(writing, replace(write, charged=True))


def refund_nobody(writing, write):
    settled = honest_settle(writing, write)
    if isinstance(settled, operations.Applied) and settled.job is not None and not settled.job.charged:
        writing.connection.exec_driver_sql(f"UPDATE quota SET used = used + 1 WHERE \"user\" = '{settled.job.user}'")
    return settled


def let_five_more_begin(self, waiting, *, weight, concurrent):
    honest_add(self, waiting, weight=weight, concurrent=concurrent + 5)


def begin_one_too_early(self, line, after):
    honest_resume(self, line, max(0, after - 1))


def admit_everybody(self, guest, holder):
    limits = self.process.config.limits
    more = replace(self.process.config, limits=replace(limits, sockets_per_user=99))
    with patch.object(self.process, "config", more):
        honest_admit(self, guest, holder)


def take_a_stranger_for_somebody(self, who, holder):
    honest_found(self, who, holder or KeyHolder("k0", "u0", "u0", "free", "user", False))


honest_admit, honest_found = Gate._admit, Gate._found
KNOCK_ON = {4004: Close(Then.IDENTIFY, "…"), 4014: Close(Then.IDENTIFY, "…")}

#: What the city says (a pattern), and the lie of which it says so.
LIES = {
    "submitted again": lambda: patch.object(rest, "outcome", repeat_what_may_have_arrived),
    "got the picture": lambda: patch.object(Correlator, "_prove", give_it_to_another_who_waits),
    "oversold": lambda: patch.object(AccountPresence, "on_start", believe_in_one_place_more),
    "given were": lambda: patch.object(Uploads, "slots", remember_pictures_of_no_job_in_particular),
    "costs": lambda: patch("actors.queue.actor.charge_of", lambda *_: 1),
    "are allowed": lambda: patch.object(accepting, "_over_a_limit", lambda *_: None),
    "charged: 1": lambda: patch.dict(APPLIERS, {operations.Settle: charge_who_is_not_at_fault}),
    "quota used is": lambda: patch.dict(APPLIERS, {operations.Settle: refund_nobody}),
    "is charged to": lambda: patch("actors.queue.actor.never_before", lambda latest, wall: wall),
    "under way": lambda: patch.object(FairQueue, "add", let_five_more_begin),
    "names": lambda: patch("actors.queue.actor.digest_of", lambda wish: ""),
    "two jobs of one ref|accepted anew|is j.* and j": lambda: patch.object(accepting, "_in_force", lambda *_: False),
    "was awaited": lambda: patch.object(SessionWords, "_resume", begin_one_too_early),
    "than the wire takes": lambda: patch.object(WebSocket, "pause_writing", lambda self, now: None),
    "sockets, 1 are allowed": lambda: patch.object(Gate, "_admit", admit_everybody),
    "None with 6 of 5": lambda: patch.object(WebSocket, "refuse", lambda self, status, text: None),
    "frames a minute": lambda: patch.object(websocket, "paced", lambda until, now, per_min: now),
    "and it lives": lambda: patch.object(websocket, "BAD_FRAME_COUNT_MAX", 1000),
    "knocks again": lambda: patch.dict(close_codes.CLOSE_CODES, KNOCK_ON),
    "in spite of": lambda: patch.object(Store, "_tell_health", lambda self: self.tell("monitor", StoreWell())),
    "a stranger hears": lambda: patch.object(Gate, "_found", take_a_stranger_for_somebody),
}


@pytest.mark.parametrize("words", LIES)
def test_a_lie_comes_to_light(words):
    with LIES[words]():
        told = (run(seed).broken or "" for seed in range(SEEDS_MAX))
        assert any(re.search(words, broken) for broken in told)
