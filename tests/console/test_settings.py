"""Config file and command line become one config, or a line that says what to do."""

from __future__ import annotations

import pytest

from console.endings import USAGE, Quit
from console.settings import database_url, load, pictures_url


def test_without_a_file_the_embedded_default_holds(tmp_path):
    config = load(None, None, None, {})
    assert (config.server.host, config.server.port) == ("127.0.0.1", 8080)
    assert database_url(config, tmp_path) == f"sqlite:///{tmp_path}/limner.db"
    assert pictures_url(config, tmp_path) == f"file://{tmp_path}/images"


def test_the_command_line_wins_over_the_file(tmp_path):
    file = tmp_path / "limner.toml"
    file.write_text('[server]\nhost = "0.0.0.0"\nport = 9000\n[store]\nurl = "${DB}"\n')
    config = load(file, None, 9001, {"DB": "sqlite:////elsewhere/x.db"})
    assert (config.server.host, config.server.port) == ("0.0.0.0", 9001)
    assert database_url(config, tmp_path) == "sqlite:////elsewhere/x.db"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[server]\nprot = 1\n", "line 2: server.prot"),
        ('[server]\ntls_cert = "a.pem"\ntls_key = "b.pem"\n', "line 2: server.tls_cert: there is no file a.pem"),
        ('[prompts]\nbanned_words_file = "none.txt"\n', "line 2: prompts.banned_words_file: there is no file"),
        ('[admin]\nkey = "${NOWHERE}"\n', "set the environment variable NOWHERE"),
    ],
)
def test_a_mistake_in_the_file_is_told_with_file_line_and_key(tmp_path, text, told):
    file = tmp_path / "limner.toml"
    file.write_text(text)
    with pytest.raises(Quit) as quitting:
        load(file, None, None, {})
    assert quitting.value.code == USAGE
    assert str(file) in quitting.value.message
    assert told in quitting.value.message


def test_a_file_that_is_no_text_is_told(tmp_path):
    file = tmp_path / "limner.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Quit, match="not UTF-8"):
        load(file, None, None, {})
