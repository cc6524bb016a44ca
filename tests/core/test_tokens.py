"""Places of accounts are leased, never oversold, and never leak."""

from __future__ import annotations

import itertools
import random

from hypothesis import given, settings
from hypothesis import strategies as st

from core.tokens import BEGIN_S, LEASE_S, Ledger, Stage


def ids() -> itertools.count[int]:
    return itertools.count()


def ledger_with(slots: int = 2) -> tuple[Ledger, list[str]]:
    ledger, count = Ledger(), ids()
    ledger.announce("fox", slots, ("fast",), 1.0, (), 0.0)
    return ledger, [lease.id for lease in ledger.ask("fox", lambda: f"l{next(count)}", 0.0)]


def test_every_free_place_is_asked_for_once() -> None:
    ledger, asked = ledger_with(slots=3)
    assert len(asked) == 3
    assert ledger.ask("fox", lambda: "more", 1.0) == ()


def test_a_place_is_free_again_after_it_is_settled_and_settling_twice_is_harmless() -> None:
    ledger, asked = ledger_with(slots=1)
    assert ledger.grant(asked[0], "j", 1, 0.0)
    assert ledger.settle(asked[0]) == "fox"
    assert ledger.settle(asked[0]) is None
    assert len(ledger.ask("fox", lambda: "again", 1.0)) == 1


def test_a_lease_that_did_not_begin_is_overdue_after_ten_seconds_and_not_before() -> None:
    ledger, asked = ledger_with()
    ledger.grant(asked[0], "j", 1, 0.0)
    assert ledger.overdue(asked[0], 1, BEGIN_S - 0.1) is None
    assert ledger.overdue(asked[0], 1, BEGIN_S) is not None
    assert ledger.overdue(asked[0], 2, BEGIN_S) is None


def test_a_lease_that_began_is_never_overdue() -> None:
    ledger, asked = ledger_with()
    ledger.grant(asked[0], "j", 1, 0.0)
    ledger.renew("fox", asked[0], 1.0)
    assert ledger.overdue(asked[0], 1, 1000.0) is None


def test_a_lease_that_is_not_renewed_is_looked_into_and_its_place_not_used_again() -> None:
    ledger, asked = ledger_with(slots=1)
    ledger.grant(asked[0], "j", 1, 0.0)
    ledger.renew("fox", asked[0], 1.0)
    assert ledger.stale_accounts(LEASE_S) == ()
    assert ledger.stale_accounts(1.0 + LEASE_S + 1) == ("fox",)
    assert ledger.ask("fox", lambda: "x", 200.0) == ()


def test_an_account_that_is_down_is_asked_nothing_and_keeps_what_it_holds() -> None:
    ledger, asked = ledger_with(slots=2)
    ledger.grant(asked[0], "j", 1, 0.0)
    ledger.renew("fox", asked[0], 0.0)
    assert ledger.down("fox") == (asked[1],)
    assert ledger.ask("fox", lambda: "x", 1.0) == ()
    assert ledger.counts()["fox", "begun"] == 1
    assert ledger.slots == 0


def test_people_count_a_place_as_free_until_a_job_has_it_and_those_of_an_account_that_is_down_are_not() -> None:
    ledger, asked = ledger_with(slots=4)
    ledger.grant(asked[0], "j1", 1, 0.0)
    ledger.grant(asked[1], "j2", 1, 0.0)
    ledger.renew("fox", asked[1], 0.0)
    assert dict(ledger.places()) == {("fox", "free"): 2, ("fox", "granted"): 1, ("fox", "begun"): 1}
    ledger.down("fox")
    assert dict(ledger.places()) == {("fox", "free"): 0, ("fox", "granted"): 1, ("fox", "begun"): 1}


def test_a_new_scheduler_adopts_what_an_account_says_it_holds() -> None:
    ledger, count = Ledger(), ids()
    ledger.announce("fox", 3, ("fast",), 1.0, ("old1", "old2"), 0.0)
    assert len(ledger.ask("fox", lambda: f"l{next(count)}", 0.0)) == 1


def test_a_lease_of_an_earlier_epoch_that_is_renewed_takes_an_asked_for_place() -> None:
    ledger, asked = ledger_with(slots=2)
    (withdrawn,) = ledger.renew("fox", "of-an-earlier-epoch", 1.0)
    assert withdrawn in asked
    assert not ledger.grant(withdrawn, "j", 1, 1.0)
    assert len(ledger.pools["fox"].leases) == 2
    assert ledger.renew("fox", "of-an-earlier-epoch", 2.0) == ()


def test_a_lease_that_nobody_holds_any_more_is_free_when_its_account_says_what_it_holds() -> None:
    ledger, asked = ledger_with(slots=1)
    ledger.grant(asked[0], "j", 1, 0.0)
    ledger.renew("fox", asked[0], 1.0)
    ledger.announce("fox", 1, ("fast",), 1.0, (), 2.0)
    assert len(ledger.ask("fox", lambda: "again", 2.0)) == 1
    assert ledger.settle(asked[0]) is None  # and comes back late


def test_a_grant_on_its_way_to_an_account_that_announces_itself_keeps_its_place_until_it_is_void() -> None:
    ledger, asked = ledger_with(slots=1)
    ledger.grant(asked[0], "j", 1, 0.0)
    ledger.announce("fox", 1, ("fast",), 1.0, (), 1.0)
    assert ledger.ask("fox", lambda: "x", 1.0) == ()
    assert ledger.overdue(asked[0], 1, BEGIN_S) is not None
    assert ledger.settle(asked[0])
    assert len(ledger.ask("fox", lambda: "again", BEGIN_S)) == 1


def test_fewer_slots_take_asked_for_places_away_and_never_what_is_held() -> None:
    ledger, asked = ledger_with(slots=3)
    ledger.grant(asked[0], "j", 1, 0.0)
    ledger.renew("fox", asked[0], 0.0)
    assert set(ledger.announce("fox", 1, ("fast",), 1.0, (asked[0],), 1.0)) == set(asked[1:])
    assert ledger.ask("fox", lambda: "x", 1.0) == ()


def test_a_busy_account_seems_busier_than_an_idle_one_and_weight_lightens_it() -> None:
    ledger = Ledger()
    ledger.announce("busy", 2, ("fast",), 1.0, ("x",), 0.0)
    ledger.announce("strong", 2, ("fast",), 4.0, ("y",), 0.0)
    ledger.announce("idle", 2, ("fast",), 1.0, (), 0.0)
    assert ledger.pools["idle"].load < ledger.pools["strong"].load < ledger.pools["busy"].load


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_account_is_ever_oversold_and_no_place_leaks(seed: int) -> None:
    dice, count = random.Random(seed), ids()
    ledger = Ledger()
    now = 0.0
    held: dict[str, set[str]] = {"fox": set(), "owl": set()}  # what the accounts really hold
    asked: list[str] = []
    for _ in range(120):
        now += dice.random() * 5
        account = dice.choice(("fox", "owl"))
        match dice.choice(("up", "down", "grant", "begin", "old", "free", "void", "ask")):
            case "up":
                ledger.announce(account, 3, ("fast",), 1.0, tuple(sorted(held[account])), now)
            case "down":
                ledger.down(account)
            case "ask":
                asked += [lease.id for lease in ledger.ask(account, lambda: f"l{next(count)}", now)]
            case "grant" if asked:
                ledger.grant(asked.pop(dice.randrange(len(asked))), "j", 1, now)
            case "begin":
                granted = [lease for lease in ledger._leases.values() if lease.stage is Stage.GRANTED]
                if granted:
                    lease = dice.choice(granted)
                    held[lease.account].add(lease.id)
                    ledger.renew(lease.account, lease.id, now)
            case "old" if account in ledger.pools and len(held[account]) < 3:
                # An account begins no more than it has places, also with a grant of a scheduler that is no more.
                stages = [lease.stage for lease in ledger.pools[account].leases.values()]
                if Stage.GRANTED not in stages:
                    held[account].add(old := f"l{next(count)}")
                    ledger.renew(account, old, now)
            case "free" if held[account]:
                done = dice.choice(sorted(held[account]))
                held[account].remove(done)
                for _ in range(dice.choice((1, 2))):
                    ledger.settle(done)
            case "void":
                for lease in list(ledger._leases.values()):
                    if ledger.overdue(lease.id, lease.attempt, now):
                        ledger.settle(lease.id)
        for pool in ledger.pools.values():
            assert len(pool.leases) <= pool.slots
            assert set(pool.leases) == {x.id for x in ledger._leases.values() if x.account == pool.account}
            assert held[pool.account] <= set(pool.leases)
    for account in held:
        for lease_id in list(held[account]):
            ledger.settle(lease_id)
        ledger.announce(account, 3, ("fast",), 1.0, (), now)
    for lease in list(ledger._leases.values()):
        ledger.settle(lease.id)
    assert sum(len(ledger.ask(account, lambda: f"l{next(count)}", now)) for account in held) == 6
