"""The tormentor: ends the daemon's lives one after another, each at a moment drawn by dice, and spoils Discord too."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable

from tests.chaos.machines import STOP_S_MAX, Daemon, Simulator
from tests.chaos.moments import POSTED, STORED, TOLD, Moments

MOMENT_S_MAX = 5.0
#: How a life ends, with weights: at a moment of the work, at any moment, while it starts, or as it was asked to stop.
ENDS = {
    **{"accepted": 10, "started": 4, "progress": 3, "done": 8},
    **{"granted": 6, "submitting": 14, POSTED: 12, "keeping": 10, "undecided": 4},
    **{"any moment": 20, "starting": 14, "stopping": 6, "stopped": 6},
}
PAUSE_CHANCE = 0.1
#: In this share of lives nothing is killed for long, so that doubts can be decided by a RESUME; and when so many jobs
#: are in doubt an account that there is no place left to draw at.
CALM_CHANCE, CALM_S = 0.04, 25.0
DOUBTS_PER_ACCOUNT_MAX = 1.5
SIMULATOR_CHANCE = 0.3

#: Faults of the simulator, with weights and what they are given.
FAULTS = {
    "reconnect": (6, {}),
    "drop_all": (5, {}),
    "op1": (2, {}),
    "invalid_true": (2, {}),
    "close_4000": (3, {}),
    "close_4001": (1, {}),
    "close_4008": (2, {}),
    "unknown_events": (2, {}),
    "reset_in_replay": (2, {"count": 1}),
    "resume_1006": (2, {"count": 1}),
    "reconnect_no_hello": (1, {"count": 1}),
    "bad_zlib": (2, {"count": 1}),
    "huge_guild": (1, {"count": 1}),
    "lost_response": (8, {"count": 2}),
    "bad_gateway": (5, {"count": 1}),
    "slow": (4, {"seconds": 2.0, "count": 2}),
    "r429_user": (2, {"count": 1}),
    "r429_shared": (1, {"count": 1}),
    "cdn_404": (3, {"count": 1}),
    "cdn_truncated": (3, {"count": 1}),
    "job_queued": (4, {"count": 2}),
    "queue_full": (2, {"count": 1}),
    "moderated": (1, {"count": 1}),
    "stale_version": (1, {"count": 1}),
}
#: These end a gateway session, and with it the evidence: they strike accounts of which nothing is in doubt.
SESSION_ENDS = ("invalid_false", "close_4007", "close_4009")
SESSION_END_CHANCE = 0.05
BOT_HABITS = ("late_delete", "no_delete", "final_nonce", "rewrite_prompts", "reorder", "duplicate_events")


class Tormentor:
    """`torment(kills)` returns when so many lives were ended by kill -9."""

    def __init__(
        self,
        daemon: Daemon,
        simulator: Simulator,
        dice: random.Random,
        say: Callable[[str], None],
        *,
        sim_dies: bool,
        calm: bool,
    ) -> None:
        self.daemon, self.simulator, self.dice, self.say = daemon, simulator, dice, say
        self.sim_dies, self.calm = sim_dies, calm
        self.moments = Moments(daemon, simulator)
        self.counts: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.complaints: list[str] = []

    @property
    def kills(self) -> int:
        """How often `kill -9` has hit."""
        return sum(count for name, count in self.counts.items() if name.startswith("killed"))

    async def torment(self, kills: int) -> None:
        """Until so many kills. Afterwards the daemon is down."""
        spoiling = asyncio.create_task(self._spoil())
        try:
            while self.kills < kills:
                await self._life()
                if self.daemon.lives % 10 == 0:
                    self.say(f"{self.kills} of {kills} kills, {self.daemon.lives} lives")
        finally:
            spoiling.cancel()
            await asyncio.gather(spoiling, return_exceptions=True)

    # --- lives -----------------------------------------------------------------------------------------------

    async def _life(self) -> None:
        """One life of the daemon, from its start to its end."""
        end = self.dice.choices(list(ENDS), list(ENDS.values()))[0]
        await self.daemon.start()
        if end == "starting":
            slowest_s = max(self.daemon.ready_s[-5:], default=2.0)
            await asyncio.sleep(self.dice.uniform(0.0, 1.1 * slowest_s))
            self._kill(end)
        elif not await self.daemon.ready():
            self.complaints.append(f"life {self.daemon.lives} ended by itself before it was ready")
        else:
            await self._end(end)
        code = await self.daemon.ended()
        if code not in (-signal.SIGKILL, 0):
            self.complaints.append(f"life {self.daemon.lives} ended with exit code {code}")
        await self._let_simulator_live()

    async def _end(self, end: str) -> None:
        if self.dice.random() < PAUSE_CHANCE:
            await self._pause()
        doubts_max = DOUBTS_PER_ACCOUNT_MAX * len(self.simulator.accounts)
        if self.calm and (self.dice.random() < CALM_CHANCE or self._in_doubt("undecided") > doubts_max):
            self.counts["calm lives"] += 1
            await asyncio.sleep(CALM_S)
        if end in ("stopping", "stopped"):
            await self._stop(end)
        elif end in STORED or end in TOLD or end == POSTED:
            number = self.dice.randint(1, 25)
            await self.moments.strike_at(end, number, MOMENT_S_MAX, lambda: self._kill(end))
        else:
            await asyncio.sleep(self.dice.uniform(0.0, 4.0))
            self._kill(end)

    def _kill(self, moment: str) -> None:
        with_simulator = self.sim_dies and self.dice.random() < SIMULATOR_CHANCE
        first, second = (self.simulator, self.daemon) if self.dice.random() < 0.5 else (self.daemon, self.simulator)
        for machine in (first, second) if with_simulator else (self.daemon,):
            if machine.kill():
                self.counts[f"killed: {moment}" if machine is self.daemon else "simulator killed"] += 1

    async def _stop(self, end: str) -> None:
        """SIGTERM; `stopping`: and kill -9 while it does as told."""
        await asyncio.sleep(self.dice.uniform(0.5, 3.0))
        self.daemon.signal(signal.SIGTERM)
        self.counts["SIGTERM"] += 1
        if end == "stopping":
            await asyncio.sleep(self.dice.uniform(0.0, 0.7))
            self._kill(end)
            return
        code = await self.daemon.ended()
        if code != 0:
            self.complaints.append(
                f"life {self.daemon.lives} ended on SIGTERM with {code}, or not within {STOP_S_MAX} s"
            )

    async def _pause(self) -> None:
        """SIGSTOP for a few seconds: to the daemon it is as if its clock had jumped."""
        await asyncio.sleep(self.dice.uniform(0.2, 1.5))
        if self.daemon.signal(signal.SIGSTOP):
            await asyncio.sleep(self.dice.uniform(2.0, 7.0))
            self.daemon.signal(signal.SIGCONT)
            self.counts["paused"] += 1

    async def _let_simulator_live(self) -> None:
        if not self.simulator.is_alive:
            await self.simulator.ended()
            await self.simulator.start()

    # --- faults ----------------------------------------------------------------------------------------------

    async def _spoil(self) -> None:
        """Trouble with Discord, all the time."""
        while True:
            await asyncio.sleep(self.dice.uniform(0.2, 1.5))
            if self.dice.random() < 0.1:
                await self._change_habits()
            account = self.dice.choice(self.simulator.accounts)
            if self.dice.random() < SESSION_END_CHANCE:
                fault, more = self.dice.choice(SESSION_ENDS), {}
                if self._in_doubt("granted", "submitting", "undecided", account=account):
                    continue
            else:
                fault = self.dice.choices(list(FAULTS), [weight for weight, _ in FAULTS.values()])[0]
                more = FAULTS[fault][1]
            body = {"fault": fault, **more} | (
                {} if fault.startswith(("cdn", "reconnect_no")) else {"account": account}
            )
            if await self.simulator.ask("POST", "/_sim/faults", body) is not None:
                self.faults[fault] += 1

    async def _change_habits(self) -> None:
        """How the drawing bot behaves from now on."""
        habits = {name: self.dice.random() < 0.4 for name in BOT_HABITS} | {"jitter": 0.5, "fail_rate": 0.01}
        if await self.simulator.ask("POST", "/_sim/config", habits) is not None:
            self.simulator.settings = habits

    def _in_doubt(self, *states: str, account: str = "%") -> int:
        """How many jobs are in these states."""
        database = self.daemon.database
        try:
            marks = ", ".join("?" * len(states))
            query = f"SELECT count(*) FROM jobs WHERE account LIKE ? AND state IN ({marks})"
            return database.execute(query, (account, *states)).fetchone()[0]
        finally:
            database.close()

    async def relent(self) -> None:
        """No more trouble: what is armed strikes and is over, and the bot behaves."""
        self.simulator.settings = dict.fromkeys(BOT_HABITS, False) | {"jitter": 0.0, "fail_rate": 0.0}
        await self.simulator.ask("POST", "/_sim/config", self.simulator.settings)
