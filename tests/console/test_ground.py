"""Port, folder and lock are taken before anything is started, or not at all."""

from __future__ import annotations

import resource
import socket

import pytest

from console.endings import USAGE, Quit
from console.ground import hold_folder, listen, own_url, page_url, raise_open_files, take_ground, write_privately
from core.config import Config, Server


def test_the_port_given_is_listened_on_and_port_0_takes_any():
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), 5) as early:
            assert early.getpeername()[1] == port


def test_a_busy_port_is_told_by_its_number():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Quit, match=f"port {port} is busy") as quitting:
            listen("127.0.0.1", port)
    assert quitting.value.code == USAGE


def test_an_address_of_another_machine_is_told():
    with pytest.raises(Quit, match="choose another --host"):
        listen("192.0.2.1", 0)


def test_a_folder_is_for_one_process_and_free_again_afterwards(tmp_path):
    lock = hold_folder(tmp_path / "deep" / "data")
    with pytest.raises(Quit, match="another limner works in"):
        hold_folder(tmp_path / "deep" / "data")
    lock.close()
    hold_folder(tmp_path / "deep" / "data").close()


def test_a_folder_refused_gives_the_port_back(tmp_path):
    (tmp_path / "file").write_text("")
    with listen("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Quit, match="cannot write to"):
        take_ground(Config(server=Server(port=port)), tmp_path / "file")
    listen("127.0.0.1", port).close()


def test_the_address_told_is_one_that_can_be_opened():
    with listen("0.0.0.0", 0) as listener:
        port = listener.getsockname()[1]
        config = Config(server=Server(host="0.0.0.0"))
        assert own_url(config, listener) == f"http://127.0.0.1:{port}"
        assert page_url(config, listener) == f"http://127.0.0.1:{port}"
        public = Config(server=Server(public_url="https://draw.example/"))
        assert page_url(public, listener) == "https://draw.example"


def test_open_files_are_allowed_up_to_the_hard_limit():
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        raise_open_files()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_private_file_is_whole_and_its_owners_only(tmp_path):
    path = tmp_path / "demo.json"
    path.write_text("old")
    path.chmod(0o644)
    write_privately(path, "new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]
