"""The ledger of capacity: which places of which accounts are asked for, granted, begun or free. Tokens are leases.

An account is never oversold: leases on it, in whatever state, never exceed its slots, save those it says itself that it
holds. A grant that does not begin is void; once it has begun, only the account frees it. Settling twice is harmless.
Pure: time and new ids are arguments; what to send is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum

#: A lease that does not begin within this time is void (DESIGN, "Journey", step 4).
BEGIN_S = 10.0
#: A timer may fire this much before its time: clocks are rounded.
TIMER_EARLY_S = 0.05
#: A begun lease that was not renewed for this long is looked into: the account is asked what it holds.
LEASE_S = 90.0


class Stage(Enum):
    """How far a lease is."""

    ASKED = "asked"
    GRANTED = "granted"
    BEGUN = "begun"


@dataclass(slots=True)
class Lease:
    """One place of an account, spoken for."""

    id: str
    account: str
    stage: Stage
    since: float
    job: str | None = None
    attempt: int = 0


@dataclass(slots=True)
class Pool:
    """One account's places. `leases` are all that are spoken for."""

    account: str
    slots: int
    modes: tuple[str, ...]
    weight: float
    up: bool = True
    leases: dict[str, Lease] = field(default_factory=dict)

    @property
    def load(self) -> float:
        """How busy it is, 0 when idle; a greater weight makes it seem less so."""
        busy = sum(lease.stage is not Stage.ASKED for lease in self.leases.values())
        return busy / (self.slots * self.weight)


class Ledger:
    """All accounts' places. Mutable; one owner, the Scheduler."""

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}
        self._leases: dict[str, Lease] = {}

    def announce(
        self, account: str, slots: int, modes: tuple[str, ...], weight: float, holding: tuple[str, ...], now: float
    ) -> tuple[str, ...]:
        """An account is up and says what it holds: begun leases it does not name are free, unknown ones are adopted.

        Returns the asked-for leases that are withdrawn, because places or modes are fewer or other than before.
        """
        before = self.pools.get(account)
        pool = Pool(account, slots, modes, weight)
        withdrawn = []
        for lease in before.leases.values() if before else ():
            if lease.stage is Stage.ASKED:
                withdrawn.append(lease.id)
            if lease.stage is Stage.GRANTED:
                pool.leases[lease.id] = lease
            else:
                del self._leases[lease.id]
        for lease_id in holding:
            lease = Lease(lease_id, account, Stage.BEGUN, now)
            pool.leases[lease_id] = self._leases[lease_id] = lease
        self.pools[account] = pool
        return tuple(withdrawn)

    def down(self, account: str) -> tuple[str, ...]:
        """No new work for this account; what it holds stays held. Returns the asked-for leases that are withdrawn."""
        pool = self.pools.get(account)
        if pool is None:
            return ()
        pool.up = False
        return self._drop_asked(pool)

    def forget_asked(self) -> None:
        """The Queue has forgotten what was asked of it."""
        for pool in self.pools.values():
            self._drop_asked(pool)

    def ask(self, account: str, new_id: Callable[[], str], now: float) -> tuple[Lease, ...]:
        """Speak for every free place of an account that is up; returns the new leases, to be asked of the Queue."""
        pool = self.pools.get(account)
        if pool is None or not pool.up:
            return ()
        asked = tuple(Lease(new_id(), account, Stage.ASKED, now) for _ in range(pool.slots - len(pool.leases)))
        for lease in asked:
            pool.leases[lease.id] = self._leases[lease.id] = lease
        return asked

    def grant(self, lease_id: str, job: str, attempt: int, now: float) -> bool:
        """The Queue gave a job for an asked-for place; False when the place is gone meanwhile."""
        lease = self._leases.get(lease_id)
        if lease is None or lease.stage is not Stage.ASKED:
            return False
        lease.stage, lease.since, lease.job, lease.attempt = Stage.GRANTED, now, job, attempt
        return True

    def renew(self, account: str, lease_id: str, now: float) -> tuple[str, ...]:
        """The account works on it; a lease unknown here (of an earlier epoch) is adopted.

        Returns the asked-for lease that is withdrawn when it takes the adopted one's place.
        """
        lease = self._leases.get(lease_id)
        withdrawn: tuple[str, ...] = ()
        if lease is None:
            pool = self.pools.get(account)
            if pool is None:
                return ()
            if len(pool.leases) >= pool.slots:
                withdrawn = self._drop_asked(pool, 1)
            lease = pool.leases[lease_id] = self._leases[lease_id] = Lease(lease_id, account, Stage.BEGUN, now)
        lease.stage, lease.since = Stage.BEGUN, now
        return withdrawn

    def settle(self, lease_id: str) -> str | None:
        """The place is free again: of this account; None when it was free already."""
        lease = self._leases.pop(lease_id, None)
        if lease is None:
            return None
        self.pools[lease.account].leases.pop(lease_id, None)
        return lease.account

    def overdue(self, lease_id: str, attempt: int, now: float) -> Lease | None:
        """The granted lease if it should have begun by now, else None."""
        lease = self._leases.get(lease_id)
        return lease if lease is not None and lease.attempt == attempt and _should_have_begun(lease, now) else None

    def all_overdue(self, now: float) -> tuple[Lease, ...]:
        """Every granted lease that should have begun by now."""
        return tuple(lease for lease in self._leases.values() if _should_have_begun(lease, now))

    def stale_accounts(self, now: float) -> tuple[str, ...]:
        """Accounts with a begun lease that was not renewed for LEASE_S: to be asked what they hold."""
        return tuple(
            pool.account
            for pool in self.pools.values()
            if any(lease.stage is Stage.BEGUN and now - lease.since > LEASE_S for lease in pool.leases.values())
        )

    def counts(self) -> dict[tuple[str, str], int]:
        """Places by (account, state): free, asked, granted, begun."""
        found: dict[tuple[str, str], int] = {}
        for pool in self.pools.values():
            for stage in Stage:
                found[pool.account, stage.value] = sum(lease.stage is stage for lease in pool.leases.values())
            found[pool.account, "free"] = max(0, pool.slots - len(pool.leases)) if pool.up else 0
        return found

    def places(self) -> Iterator[tuple[tuple[str, str], int]]:
        """((account, state), how many) of every account, as people count them: a place that is asked for is free."""
        for pool in self.pools.values():
            granted = sum(lease.stage is Stage.GRANTED for lease in pool.leases.values())
            begun = sum(lease.stage is Stage.BEGUN for lease in pool.leases.values())
            yield (pool.account, "free"), max(0, pool.slots - granted - begun) if pool.up else 0
            yield (pool.account, "granted"), granted
            yield (pool.account, "begun"), begun

    @property
    def slots(self) -> int:
        """All places of the accounts that are up."""
        return sum(pool.slots for pool in self.pools.values() if pool.up)

    @property
    def modes(self) -> dict[str, tuple[str, ...]]:
        """What each account that is up draws."""
        return {pool.account: pool.modes for pool in self.pools.values() if pool.up}

    def _drop_asked(self, pool: Pool, count_max: int | None = None) -> tuple[str, ...]:
        asked = [lease.id for lease in pool.leases.values() if lease.stage is Stage.ASKED][:count_max]
        for lease_id in asked:
            del pool.leases[lease_id]
            del self._leases[lease_id]
        return tuple(asked)


def _should_have_begun(lease: Lease, now: float) -> bool:
    return lease.stage is Stage.GRANTED and now - lease.since >= BEGIN_S - TIMER_EARLY_S
