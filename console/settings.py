"""Settings: the config file and the command line, as one `Config`; what is wrong with them ends with exit code 2."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from console.endings import USAGE, Quit
from core.config import Config, ConfigMistake, line_of, read


def load(file: Path | None, host: str | None, port: int | None, environ: Mapping[str, str]) -> Config:
    """The file's config (None: the embedded default) with what the command line says over it. Raises Quit."""
    config = _read(file, environ) if file is not None else Config()
    if port is not None and not 0 <= port <= 65_535:
        raise Quit(USAGE, f"--port {port}: choose 0 to 65535; 0 takes any free one")
    server = config.server
    server = replace(server, host=server.host if host is None else host, port=server.port if port is None else port)
    return replace(config, server=server)


def load_again(file: Path, host: str | None, port: int | None, environ: Mapping[str, str]) -> Config:
    """`load`, for a daemon that lives on whatever is wrong with its file. Raises ConfigMistake."""
    try:
        return load(file, host, port, environ)
    except Quit as quit:
        raise ConfigMistake("", None, quit.message) from None


def _read(file: Path, environ: Mapping[str, str]) -> Config:
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Quit(USAGE, f"{file}: the config is not UTF-8 text") from None
    except OSError as error:
        raise Quit(USAGE, f"{file}: the config cannot be read: {error.strerror}") from None
    try:
        config = read(text, environ)
        _check_files(config, text)
    except ConfigMistake as mistake:
        raise Quit(USAGE, f"{file}: {mistake}") from None
    return config


def _check_files(config: Config, text: str) -> None:
    """Files that the config names must be there. Raises ConfigMistake."""
    for table, key in (("server", "tls_cert"), ("server", "tls_key"), ("prompts", "banned_words_file")):
        named = getattr(getattr(config, table), key)
        if named is not None and not Path(named).is_file():
            raise ConfigMistake(f"{table}.{key}", line_of(text, (table, key)), f"there is no file {named}")


def database_url(config: Config, data: Path) -> str:
    """Where the database is: `store.url`, else SQLite in the data folder."""
    return config.store.url.reveal() if config.store.url else f"sqlite:///{data.absolute() / 'limner.db'}"


def pictures_url(config: Config, data: Path) -> str:
    """Where pictures are kept: `images.url`, else a folder in the data folder."""
    return config.images.url or (data.absolute() / "images").as_uri()
