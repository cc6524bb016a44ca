"""A line each, and the exit code of what was found."""

from __future__ import annotations

import socket

from console.doctor import examine


def test_an_empty_folder_is_all_a_demo_needs(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = tmp_path / "limner.toml"
    url = f"http://127.0.0.1:{port}"
    config.write_text(
        f'[server]\nport = 0\n[discord]\napi = "{url}"\ngateway = "{url.replace("http", "ws")}"\ncdn = "{url}"\n'
    )
    examine(None, tmp_path / "data", {})  # whether all is well depends on who has port 8080 here
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["config", "data", "port", "database", "image", "discord"]
    assert not examine(config, tmp_path / "data", {})
    lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines] == ["ok", "ok", "ok", "ok", "ok", "!!", "!!", "!!"]
    assert "cannot be reached" in lines[-1]


def test_a_mistake_in_the_config_is_the_only_line(tmp_path, capsys):
    config = tmp_path / "limner.toml"
    config.write_text("[server]\nprot = 1\n")
    assert not examine(config, tmp_path / "data", {})
    assert capsys.readouterr().out.startswith("!!  config        ")
    assert not (tmp_path / "data").exists()


def test_a_database_that_is_none_and_a_missing_image_store_are_told(tmp_path, capsys):
    data = tmp_path / "data"
    data.mkdir()
    (data / "limner.db").write_text("a diary" * 500)
    (data / "images").write_text("a file")
    assert not examine(None, data, {})
    told = {line.split()[1]: line for line in capsys.readouterr().out.splitlines()}
    assert told["database"].startswith("!!")
    assert told["image"].startswith("!!")


def test_an_image_api_is_looked_for_and_discord_only_when_somebody_draws_there(tmp_path, capsys):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = tmp_path / "limner.toml"
    account = (
        f'[[accounts]]\nname = "easel"\ndriver = "openai-images"\nmodel = "m"\nurl = "http://127.0.0.1:{port}/v1"\n'
    )
    config.write_text(f"[server]\nport = 0\n{account}")
    assert not examine(config, tmp_path / "data", {})
    lines = capsys.readouterr().out.splitlines()
    assert [line[:2] for line in lines] == ["ok"] * 5 + ["!!"]
    assert lines[-1].startswith("!!  image api")
    assert "cannot be reached" in lines[-1]
