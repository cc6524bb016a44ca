"""The config as operators see it, and what becomes of a file that is read again."""

from __future__ import annotations

from typing import Any

from actors.console.config import differences, shown, taken_over
from actors.console.messages import Reconfigured
from actors.queue.messages import AccountsChanged
from core.config import ConfigMistake, read
from tests.actors.console.test_actor import instruct, set_up
from tests.actors.stage import CONFIG, Stage, play

HEN = '\n[[accounts]]\nname = "hen"\ntoken = "t2"\nguild_id = "1"\nchannel_id = "3"\n'
SECRETS = CONFIG + '\n[admin]\nkey = "sesame"\n[discord]\nproxy = "http://me:pass@proxy:3128/x"\n'


def test_no_secret_is_shown() -> None:
    config = read(SECRETS, {})
    told = shown(config)
    assert (told["admin"]["key"], told["accounts"][0]["token"]) == ("…", "…")
    assert told["discord"]["proxy"] == "http://…@proxy:3128/x"
    assert told["plans"]["free"]["daily"] == 5
    for secret in ("sesame", "pass"):
        assert secret not in str(told)


def test_differences_are_told_by_their_keys() -> None:
    one, other = read(CONFIG, {}), read(CONFIG.replace("daily = 5", "daily = 6") + "\n[images]\nkeep_days = 1\n", {})
    assert sorted(differences(one, other)) == ["images.keep_days", "plans.free.daily"]
    assert list(differences(one, one)) == []
    assert list(differences(one, read(CONFIG + HEN, {}))) == ["accounts.hen"]


def test_an_account_that_is_there_keeps_its_settings_until_the_next_start() -> None:
    before, fresh = read(CONFIG, {}), read(CONFIG.replace("slots = 2", "slots = 3") + HEN, {})
    after = taken_over(before, fresh)
    assert [(account.name, account.slots) for account in after.accounts] == [("fox", 2), ("hen", 3)]
    assert list(differences(after, fresh)) == ["accounts.fox.slots"]
    assert taken_over(before, before).accounts is before.accounts


def reading(stage: Stage, text: str) -> None:
    stage.base.process.reread = lambda: read(text, {})


def test_a_file_that_is_read_again_holds_at_once_and_who_keeps_something_of_it_is_told() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for name in ("queue", "accounts"):
            stage.cast(name)
        reading(stage, CONFIG.replace("daily = 5", "daily = 6") + HEN + "\n[images]\nkeep_days = 1\n")
        status, told = await instruct(stage, "config", "reload")
        assert (status, told["changed"], told["needs_restart"]) == (200, True, ["images.keep_days"])
        assert sorted(told["applied"]) == ["accounts.hen", "plans.free.daily"]
        assert stage.base.process.config.plan("free").daily == 6
        for name in ("queue", "gate"):
            assert len(await stage.heard(name, Reconfigured)) == 1
        assert len(await stage.heard("accounts", AccountsChanged)) == 1
        _, again = await instruct(stage, "config", "reload")
        assert (again["changed"], again["applied"]) == (False, [])

    play(scene)


def test_a_wrong_file_and_none_are_refused_and_change_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        before = stage.base.process.config
        status, refused = await instruct(stage, "config", "reload")
        assert (status, refused["code"]) == (404, "not_found")

        def wrong() -> Any:
            raise ConfigMistake("plans.free.daily", 3, "is a number from 0")

        stage.base.process.reread = wrong
        status, refused = await instruct(stage, "config", "reload")
        assert (status, refused["code"]) == (400, "bad_frame")
        assert "line 3: plans.free.daily" in refused["detail"]
        assert stage.base.process.config is before

    play(scene)
