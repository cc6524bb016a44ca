"""What actors say of themselves to operators in the middle of a storm: enough, never a secret or a user's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actors.shell import Summary
from system.held import Held
from system.message import encode
from tests.city import town as towns

SEED, LOOK_EACH = 3, 20
#: So short a prompt may stand in a name by chance.
SHORT = 3


def test_no_actor_tells_a_secret_or_what_users_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, str] = {}
    wrote: set[str] = set()
    secrets: set[str] = set()
    committed = towns.Town.committed

    def look(town: Any) -> None:
        committed(town)
        town.looks = getattr(town, "looks", 0) + 1
        if town.looks % LOOK_EACH:
            return
        secrets.update(account.token.reveal() for account in town.config.accounts)
        wrote.update(row[0] for row in town.witness.query("SELECT prompt FROM jobs"))
        for record in town.base.actors():
            assert not isinstance(record.instance, Held)
            summary = record.instance.summary()
            assert encode(Summary("a1", summary))
            told[record.kind] = told.get(record.kind, "") + json.dumps(summary)

    monkeypatch.setattr(towns.Town, "committed", look)
    outcome = towns.run(SEED)
    assert outcome.broken is None
    assert {"Queue", "Scheduler", "Session", "Account", "Store", "Gallery", "Lobby", "Monitor", "Gate"} <= set(told)
    assert secrets
    assert wrote
    everything = "".join(told.values())
    long = {text for text in secrets | wrote if len(text) > SHORT}
    assert long >= secrets
    assert [text for text in long if text in everything] == []
