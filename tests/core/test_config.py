"""A config is read strictly: what is wrong is named with its key and line, and secrets do not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.account_config import DRIVERS, PARTICULAR, AccountConfig
from core.config import Config, ConfigMistake, Secret, read

GOOD = """\
[server]
port = 9090

[plans.free]
daily = 5
timezone = "Europe/Berlin"

[[accounts]]
name = "fox"
token = "${FOX_TOKEN}"
guild_id = "1"
channel_id = "2"

[[accounts]]
name = "owl"
token = "t2"
guild_id = "1"
channel_id = "3"
slots = 12
"""
ENVIRON = {"FOX_TOKEN": "hush"}


def mistake(text: str) -> ConfigMistake:
    with pytest.raises(ConfigMistake) as caught:
        read(text, ENVIRON)
    return caught.value


def test_a_good_file_is_read_with_its_environment() -> None:
    config = read(GOOD, ENVIRON)
    assert config.server.port == 9090
    assert config.accounts[0].token.reveal() == "hush"
    assert config.accounts[1].slots == 12
    assert config.plan("free").daily == 5
    assert config.plan("gone").daily == 5


def test_an_empty_file_is_the_defaults() -> None:
    assert read("", {}) == Config()


@pytest.mark.parametrize(
    ("old", "new", "key", "line"),
    [
        ("port = 9090", "prot = 9090", "server.prot", 2),
        ("port = 9090", 'port = "9090"', "server.port", 2),
        ("port = 9090", "port = 99999", "server.port", 2),
        ("slots = 12", "slots = 0", "accounts.2.slots", 19),
        ("slots = 12", "slotz = 1", "accounts.2.slotz", 19),
        ('name = "owl"', 'name = "fox"', "accounts.2.name", 15),
        ('token = "t2"\n', "", "accounts.2.token", 14),
        ("[plans.free]", "[plams.free]", "plams", 4),
        ("daily = 5", "daily = -5", "plans.free.daily", 5),
        ("daily = 5", "concurrent = 0", "plans.free.concurrent", 5),
        ("daily = 5", "queued = 0", "plans.free.queued", 5),
        *(
            (old, f"weight = {weight}", key, line)
            for old, key, line in (("daily = 5", "plans.free.weight", 5), ("slots = 12", "accounts.2.weight", 19))
            for weight in ("0.0", "-1.0", "1e-300", "1e300", "inf", "nan")
        ),
        ("daily = 5", "daly = 5", "plans.free.daly", 5),
        ("daily = 5", 'daily = "5"', "plans.free.daily", 5),
        ("Europe/Berlin", "Europe/Nowhere", "plans.free.timezone", 6),
        ("${FOX_TOKEN}", "${OWL_TOKEN}", "accounts.1.token", 10),
        ('token = "t2"', 'token = ""', "accounts.2.token", 16),
        ("slots = 12", 'kind = "user"', "accounts.2.kind", 19),
    ],
)
def test_a_mistake_names_its_key_and_line(old: str, new: str, key: str, line: int) -> None:
    found = mistake(GOOD.replace(old, new))
    assert found.key == key
    assert found.line == line
    assert str(found).startswith(f"line {line}: {key}: ")


@pytest.mark.parametrize(
    "wrong",
    [
        "[limits]\nauth_s = -3",
        "[limits]\ndrawing_s = nan",
        "[images]\nmax_bytes = -1",
        "[pacing]\ninterval_s = inf",
        '[server]\npublic_url = "draw.example"',
        '[server]\nallowed_origins = ["draw.example"]',
        '[server]\ntrusted_proxies = ["10.0.0.0/99"]',
        '[store]\nurl = "mysql://limner:hush@db/limner"',
        '[images]\nurl = "gopher://pictures"',
        '[discord]\napi = "nonsense"',
        '[discord]\ngateway = "https://gateway.discord.gg"',
    ],
)
def test_a_value_that_cannot_be_meant_is_named_with_its_line_and_not_shown_if_secret(wrong: str) -> None:
    table, key = wrong.partition("]")[0][1:], wrong.split("\n")[1].split()[0]
    found = mistake(wrong)
    assert (found.key, found.line) == (f"{table}.{key}", 2)
    assert "hush" not in str(found)


def test_a_file_that_is_not_toml_names_the_line() -> None:
    assert mistake("[server]\nport = = 3\n").line == 2


def test_a_personal_account_needs_loopback_or_the_risk_accepted() -> None:
    personal = GOOD.replace("slots = 12", 'kind = "user"')
    assert "accept_terms_risk" in mistake(personal).problem
    assert read(personal + "\n[discord]\naccept_terms_risk = true\n", ENVIRON).accounts[1].kind == "user"
    assert read(personal + '\n[discord]\napi = "http://127.0.0.1:5/api"\n', ENVIRON).accounts[1].kind == "user"


def test_a_secret_does_not_show_in_any_usual_way() -> None:
    config = read(GOOD, ENVIRON)
    shown = f"{config!r} {config} {config.accounts[0].token} {config.accounts[0].token!r} %s" % config.accounts[0].token
    assert "hush" not in shown
    assert "hush" not in str(mistake(GOOD.replace("slots = 12", "slots = 0")))


def test_a_secret_still_compares_as_what_it_is() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1


@given(text=st.text(max_size=200))
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    words = ""
    try:
        assert isinstance(read(text, {}), Config)
    except ConfigMistake as found:
        words = str(found)
    assert "\n" not in words


IMAGES = """
[[accounts]]
name = "easel"
driver = "openai-images"
url = "http://127.0.0.1:9000/v1"
model = "painter-1"
"""


def test_an_account_of_an_image_api_needs_an_address_and_a_model_and_no_guild() -> None:
    (easel,) = read(IMAGES, {}).accounts
    assert (easel.driver, easel.url, easel.model, easel.token.reveal()) == (
        "openai-images",
        "http://127.0.0.1:9000/v1",
        "painter-1",
        "",
    )
    with_all = read(IMAGES + 'token = "hush"\nsize = "1024x1024"\n', {}).accounts[0]
    assert (with_all.token.reveal(), with_all.size) == ("hush", "1024x1024")
    assert "hush" not in repr(with_all)


@pytest.mark.parametrize(
    ("old", "new", "key", "line"),
    [
        ('url = "http://127.0.0.1:9000/v1"\n', "", "accounts.1.url", 2),
        ('model = "painter-1"\n', "", "accounts.1.model", 2),
        ('"http://127.0.0.1:9000/v1"', '"painters.example"', "accounts.1.url", 5),
        ('model = "painter-1"', 'model = "painter-1"\nguild_id = "1"', "accounts.1.guild_id", 7),
        ('model = "painter-1"', 'model = "painter-1"\nkind = "user"', "accounts.1.kind", 7),
        ('driver = "openai-images"', 'driver = "dali"', "accounts.1.driver", 4),
        ('driver = "openai-images"\n', "", "accounts.1.token", 2),
    ],
)
def test_what_a_driver_needs_and_what_it_has_no_use_for_is_named(old: str, new: str, key: str, line: int) -> None:
    found = mistake(IMAGES.replace(old, new))
    assert (found.key, found.line) == (key, line)


def test_an_account_of_discord_does_not_start_without_its_guild_or_channel() -> None:
    for key in ("guild_id", "channel_id"):
        found = mistake("\n".join(line for line in GOOD.splitlines() if not line.startswith(key)))
        assert (found.key, found.problem) == (f"accounts.1.{key}", "is missing, or empty")


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_needs_and_may_have_only_keys_that_there_are(name: str) -> None:
    driver = DRIVERS[name]
    assert driver.needs | driver.may_have <= set(PARTICULAR) <= set(AccountConfig.__struct_fields__)
    assert not driver.needs & driver.may_have
    assert driver.draws("imagine", False)


@pytest.mark.parametrize("key", ["hush-hush", "A" * 42])
def test_a_key_for_tokens_that_is_none_is_refused_by_its_line_and_not_shown(key: str) -> None:
    found = mistake(f'[store]\ntoken_key = "{key}"\n')
    assert (found.key, found.line) == ("store.token_key", 2)
    assert key not in str(found)


def test_a_key_for_tokens_does_not_show() -> None:
    config = read(f'[store]\ntoken_key = "{"A" * 43}"\n', {})
    assert config.store.token_key is not None
    assert "AAA" not in f"{config} {config!r}"


def test_more_slots_than_any_account_has_are_refused() -> None:
    found = mistake(GOOD.replace("slots = 12", "slots = 10001"))
    assert found.key == "accounts.2.slots"
