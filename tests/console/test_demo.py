"""The demo's file, and the config it draws with."""

from __future__ import annotations

import shlex

from console.demo import (
    Announcement,
    SimulatedAccount,
    first_drawing,
    keep_demo,
    keep_token_key,
    read_demo,
    with_simulator,
)
from core.config import Admin, Config, Secret, Store
from core.secret import key_bytes

ANNOUNCED = Announcement(
    api="http://127.0.0.1:7001/api/v10",
    gateway="ws://127.0.0.1:7001/gateway",
    cdn="http://127.0.0.1:7001/cdn",
    apps="http://127.0.0.1:7001/apps/{application_id}",
    guild_id="1",
    accounts=(SimulatedAccount("fox-01", "token-1", "11"), SimulatedAccount("heron-02", "token-2", "12")),
)


def test_keys_stay_the_same_while_addresses_change(tmp_path):
    first = keep_demo(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:7001")
    again = keep_demo(tmp_path, "http://127.0.0.1:9090", "http://127.0.0.1:7002")
    assert (again.key, again.admin_key) == (first.key, first.admin_key)
    assert (again.url, again.sim) == ("http://127.0.0.1:9090", "http://127.0.0.1:7002")
    assert read_demo(tmp_path) == again
    assert first.key != first.admin_key


def test_the_operators_key_of_the_file_is_the_one_that_holds_and_the_configs_does_not_outlive_it(tmp_path):
    first = keep_demo(tmp_path, "u", "s")
    named = keep_demo(tmp_path, "u", "s", Secret("the config's own"))
    assert (named.key, named.admin_key) == (first.key, "the config's own")
    assert (tmp_path / "demo.json").stat().st_mode & 0o777 == 0o600
    assert keep_demo(tmp_path, "u", "s").admin_key not in ("the config's own", "")


def test_what_is_said_to_type_first_works_from_here_whatever_the_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual, other = tmp_path / "limner-data", tmp_path / "other"
    url, key = "http://127.0.0.1:9090", Secret("limner_demo.k")
    assert first_drawing("limner", usual, url, key) == 'limner draw "a red fox in snow" -o fox.png'
    told = shlex.split(first_drawing("limner", other, url, key))
    assert told[:3] == ["limner", "draw", "a red fox in snow"]
    assert told[-4:] == ["--url", url, "--key", "limner_demo.k"]


def test_a_file_that_is_none_of_ours_is_written_anew(tmp_path):
    (tmp_path / "demo.json").write_text('{"key": 3}')
    assert read_demo(tmp_path) is None
    assert read_demo(tmp_path) != keep_demo(tmp_path, "u", "s")


def test_keys_do_not_show(tmp_path):
    demo = keep_demo(tmp_path, "http://127.0.0.1:8080", "http://127.0.0.1:7001")
    assert demo.key not in repr(demo)
    assert demo.admin_key not in repr(demo)


def test_the_simulator_takes_the_place_of_discord_and_its_accounts(tmp_path):
    demo = keep_demo(tmp_path, "http://127.0.0.1:8080", ANNOUNCED.base)
    config = with_simulator(Config(), ANNOUNCED, demo, keep_token_key(tmp_path))
    assert config.discord.api == ANNOUNCED.api
    assert [(account.name, account.kind, account.channel_id) for account in config.accounts] == [
        ("fox-01", "user", "11"),
        ("heron-02", "user", "12"),
    ]
    assert config.admin.key.reveal() == demo.admin_key
    assert demo.sim == "http://127.0.0.1:7001"


def test_the_operators_key_of_the_config_is_left_alone(tmp_path):
    demo = keep_demo(tmp_path, "u", "s")
    config = with_simulator(Config(admin=Admin(Secret("mine"))), ANNOUNCED, demo, keep_token_key(tmp_path))
    assert config.admin.key.reveal() == "mine"


def test_what_operators_add_is_sealed_with_a_key_that_only_the_owner_reads_and_that_stays(tmp_path):
    key = keep_token_key(tmp_path)
    assert len(key_bytes(key)) == 32
    assert (tmp_path / "token.key").stat().st_mode & 0o777 == 0o600
    assert keep_token_key(tmp_path).reveal() == key.reveal()
    demo = keep_demo(tmp_path, "u", "s")
    assert with_simulator(Config(), ANNOUNCED, demo, key).store.token_key == key
    (tmp_path / "token.key").write_text("not a key")
    assert len(key_bytes(keep_token_key(tmp_path))) == 32


def test_the_token_key_of_the_config_is_left_alone(tmp_path):
    demo, mine = keep_demo(tmp_path, "u", "s"), Secret("A" * 43)
    config = with_simulator(Config(store=Store(token_key=mine)), ANNOUNCED, demo, keep_token_key(tmp_path))
    assert config.store.token_key == mine
