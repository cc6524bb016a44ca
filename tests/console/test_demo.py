"""The demo's file, and the config it draws with."""

from __future__ import annotations

from console.demo import Announcement, SimulatedAccount, keep_demo, read_demo, with_simulator
from core.config import Admin, Config, Secret

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
    config = with_simulator(Config(), ANNOUNCED, demo)
    assert config.discord.api == ANNOUNCED.api
    assert [(account.name, account.kind, account.channel_id) for account in config.accounts] == [
        ("fox-01", "user", "11"),
        ("heron-02", "user", "12"),
    ]
    assert config.admin.key.reveal() == demo.admin_key
    assert demo.sim == "http://127.0.0.1:7001"


def test_the_operators_key_of_the_config_is_left_alone(tmp_path):
    demo = keep_demo(tmp_path, "u", "s")
    config = with_simulator(Config(admin=Admin(Secret("mine"))), ANNOUNCED, demo)
    assert config.admin.key.reveal() == "mine"
