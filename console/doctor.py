"""`limner doctor`: is everything here that the daemon needs? A line each, in the order in which it would need them."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from console.demo import read_demo
from console.endings import Quit
from console.ground import hold_folder, listen
from console.settings import database_url, load, pictures_url
from console.show import BOLD, RED, styled
from core.config import Config, is_loopback

NAME_CHARS = 16
REACH_S_MAX = 5.0
PROBE_PATH = "doctor/probe"


class Wrong(Exception):
    """The check fails; one line that says what to do."""


def examine(file: Path | None, data: Path, environ: Mapping[str, str]) -> bool:
    """Prints a line a check; whether all passed. Makes the data folder and the database as `serve` would."""
    try:
        config = load(file, None, None, environ)
    except Quit as mistake:
        _report("config", False, mistake.message)
        return False
    _report("config", True, str(file) if file else "the embedded default: a demo")
    runs = _holder_runs(data)
    checks: list[tuple[str, Callable[[], str]]] = [
        ("data folder", lambda: _check_folder(data, runs)),
        ("port", lambda: _check_port(config, runs)),
        ("database", lambda: _check_database(config, data)),
        ("image store", lambda: _check_pictures(config, data)),
    ]
    if file is None:
        checks.append(("discord", lambda: _check_simulator(data, runs)))
    else:
        for name, url, proxy in _others(config):
            checks.append((name, partial(_check_url, url, proxy)))
    passed = True
    for name, check in checks:
        try:
            words = check()
        except Wrong as wrong:
            passed = False
            _report(name, False, str(wrong))
        else:
            _report(name, True, words)
    return passed


def _others(config: Config) -> Iterator[tuple[str, str, str | None]]:
    """Whom the daemon speaks with: what to call them, the address, and the proxy to it. Discord unless nobody draws
    there."""
    if not config.accounts or any(account.driver == "midjourney" for account in config.accounts):
        for name in ("api", "gateway", "cdn"):
            yield f"discord {name}", getattr(config.discord, name), config.discord.proxy
    for url in sorted({account.url for account in config.accounts if account.url}):
        yield "image api", url, None


def _report(name: str, passed: bool, words: str) -> None:
    sign = "ok" if passed else styled("!!", BOLD + RED, sys.stdout)
    print(f"{sign}  {name.ljust(NAME_CHARS)}{' '.join(words.split())}", flush=True)


# --- the checks: each returns what it found, or raises Wrong ------------------------------------------------------


def _holder_runs(data: Path) -> bool:
    """Whether a daemon holds the folder."""
    if not (data / "lock").exists():
        return False
    try:
        hold_folder(data).close()
    except Quit as held:
        return "another limner" in held.message
    return False


def _check_folder(data: Path, runs: bool) -> str:
    if runs:
        return f"{data}, where a limner works"
    try:
        hold_folder(data).close()
    except Quit as why:
        raise Wrong(why.message) from None
    return str(data)


def _check_port(config: Config, runs: bool) -> str:
    try:
        listen(config.server.host, config.server.port).close()
    except Quit as why:
        if runs:
            return f"{config.server.port}, taken by the limner that runs"
        raise Wrong(why.message) from None
    return f"{config.server.port} is free"


def _check_database(config: Config, data: Path) -> str:
    from storage.database import StoreTrouble, open_database
    from storage.tables import REVISION

    try:
        database = open_database(database_url(config, data))
        dialect = database.engine.dialect
        words = f"{dialect.name}, schema {REVISION}"
        database.close()
    except StoreTrouble as trouble:
        raise Wrong(trouble.message) from None
    return words


def _check_pictures(config: Config, data: Path) -> str:
    from storage.pictures import PictureTrouble, open_pictures

    url = pictures_url(config, data)

    async def probe() -> None:
        pictures = open_pictures(url)
        await pictures.put(PROBE_PATH, b"limner")
        found = await pictures.get(PROBE_PATH)
        await pictures.delete(PROBE_PATH)
        if found != b"limner":
            raise Wrong("what was read is not what was written")

    try:
        asyncio.run(probe())
    except PictureTrouble as trouble:
        raise Wrong(str(trouble)) from None
    return f"{urlsplit(url).scheme}, written and read"


def _check_simulator(data: Path, runs: bool) -> str:
    demo = read_demo(data)
    if not runs or demo is None:
        return "simulated; it starts with the daemon"
    return f"simulated; {_check_url(demo.sim + '/_sim/stats', None)}"


def _check_url(url: str, proxy: str | None) -> str:
    """Any HTTP answer will do; of a gateway, a connection (behind a proxy that is the proxy's affair)."""
    parts = urlsplit(url)
    if parts.scheme in ("ws", "wss") and proxy is None:
        return _check_connection(url, parts.hostname or "", parts.port, parts.scheme == "wss")
    proxies = {"http": proxy, "https": proxy} if proxy else {}
    opener = build_opener(ProxyHandler(proxies)) if proxy or is_loopback(url) else build_opener()
    probe = url.replace("ws", "http", 1) if parts.scheme in ("ws", "wss") else url
    try:
        opener.open(Request(probe), timeout=REACH_S_MAX).close()  # noqa: S310 (a URL of the operator's config)
    except HTTPError as answer:
        if answer.code >= 500:
            raise Wrong(f"{url} answers HTTP {answer.code}; try later") from None
    except (URLError, OSError, ValueError, HTTPException) as error:
        raise Wrong(f"{url} cannot be reached: {getattr(error, 'reason', error)}") from None
    return f"{url} answers"


def _check_connection(url: str, host: str, port: int | None, secure: bool) -> str:
    try:
        with socket.create_connection((host, port or (443 if secure else 80)), REACH_S_MAX) as connection:
            if secure:
                ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except (OSError, ValueError) as error:
        raise Wrong(f"{url} cannot be reached: {error}") from None
    return f"{url} answers"
