"""The configuration: one TOML file (CONTRACT §2), read strictly into frozen values.

An unknown key, a wrong type or a missing secret is a `ConfigMistake` that names the key and its line. `${NAME}` in a
string takes an environment variable. Secrets are `Secret`s: they compare and hash like strings and never show.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct, structs

from core.account_config import WEIGHT_MAX, WEIGHT_MIN, mistakes
from core.account_config import AccountConfig as AccountConfig
from core.secret import Secret as Secret
from core.secret import key_bytes

ENVIRONMENT = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
#: The plan of users who were given no other; in a file that does not name it, it has Plan's own values.
DEFAULT_PLAN = "free"
DAY_S = 86_400.0
AGAINST_TERMS = "Discord forbids automating personal accounts; use a bot, or set discord.accept_terms_risk = true"


class ConfigMistake(ValueError):
    """What is wrong in the file, in one line that says what to do. `key` is a dotted path, `line` counts from 1."""

    def __init__(self, key: str, line: int | None, problem: str) -> None:
        where = f"line {line}: " if line else ""
        super().__init__(f"{where}{key}: {problem}" if key else f"{where}{problem}")
        self.key, self.line, self.problem = key, line, problem


class Server(Struct, frozen=True, forbid_unknown_fields=True):
    """Where we listen and who may come."""

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    allowed_origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """The database; None: `sqlite:///DATA/limner.db`. A URL may carry a password, so it is a secret.

    `token_key`: what tokens of accounts that are added at run time are sealed with; None: none can be added.
    """

    url: Secret | None = None
    token_key: Secret | None = None
    keep_days: int = 400

    @property
    def keep_s(self) -> float:
        """How long a job is kept after its end (`keep_days` 0: for ever)."""
        return self.keep_days * DAY_S if self.keep_days else math.inf


class Images(Struct, frozen=True, forbid_unknown_fields=True):
    """Where pictures are kept; None: `file:///DATA/images`."""

    url: str | None = None
    keep_days: int = 30
    max_bytes: int = 26_214_400

    @property
    def keep_s(self) -> float:
        """How long the pictures of a job are kept after its end, and uploads (`keep_days` 0: for ever)."""
        return self.keep_days * DAY_S if self.keep_days else math.inf


class Discord(Struct, frozen=True, forbid_unknown_fields=True):
    """Discord's base URLs; the simulator's are put here by `--demo`."""

    api: str = "https://discord.com/api/v10"
    gateway: str = "wss://gateway.discord.gg"
    cdn: str = "https://cdn.discordapp.com"
    #: Where applications serve pages of their own: the drawing bot's is for painting a region.
    apps: str = "https://{application_id}.discordsays.com"
    proxy: str | None = None
    accept_terms_risk: bool = False


class Plan(Struct, frozen=True, forbid_unknown_fields=True):
    """What a user may do: share of the queue, pictures a day, at once, and waiting."""

    weight: float = 1.0
    daily: int = 100
    concurrent: int = 3
    queued: int = 20
    timezone: str = "UTC"


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds that keep one user, or all of them, from drowning the rest."""

    queue_max: int = 400_000
    prompt_chars: int = 4000
    frame_bytes: int = 65_536
    upload_bytes: int = 10_485_760
    sockets_per_user: int = 10
    sockets_per_ip: int = 50
    frames_per_min: int = 120
    auth_s: float = 5.0
    drawing_s: float = 900.0
    undecided_s: float = 600.0
    in_flight_s: float = 100.0


class Prompts(Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in a prompt."""

    banned_words_file: str | None = None
    allowed_flags: tuple[str, ...] | None = None


class Pacing(Struct, frozen=True, forbid_unknown_fields=True):
    """When to slow down."""

    interval_s: float = 5.0
    loop_lag_ms: float = 100.0
    commit_ms: float = 200.0
    disk_free_mb: int = 1024
    memory_mb: int = 0


class Admin(Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's key."""

    key: Secret | None = None


class Cluster(Struct, frozen=True, forbid_unknown_fields=True):
    """Section 7."""

    name: str
    key: Secret
    leader: str | tuple[str, ...]
    listen: str
    roles: tuple[Literal["core", "edge", "accounts"], ...] = ("core", "edge", "accounts")
    processes: int = 1


class FrontDiscord(Struct, frozen=True, forbid_unknown_fields=True):
    """Limner's own bot."""

    token: Secret
    application_id: str
    guild_id: str | None = None


class Front(Struct, frozen=True, forbid_unknown_fields=True):
    """Other ways in."""

    discord: FrontDiscord | None = None


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    server: Server = Server()
    store: Store = Store()
    images: Images = Images()
    discord: Discord = Discord()
    accounts: tuple[AccountConfig, ...] = ()
    plans: dict[str, Plan] = {}
    limits: Limits = Limits()
    prompts: Prompts = Prompts()
    pacing: Pacing = Pacing()
    admin: Admin = Admin()
    cluster: Cluster | None = None
    front: Front = Front()

    def plan(self, name: str) -> Plan:
        """The plan of that name; a plan that was removed from the file counts as DEFAULT_PLAN."""
        return self.plans.get(name) or self.plans.get(DEFAULT_PLAN) or Plan()


def read(text: str, environ: Mapping[str, str]) -> Config:
    """Parses and checks a config file's text. Raises ConfigMistake."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise ConfigMistake("", int(line[1]) if line else None, f"not TOML: {error}") from None
    filled = _fill(found, (), text, environ)
    try:
        config = msgspec.convert(filled, Config, strict=True, dec_hook=_secret)
    except msgspec.ValidationError as error:
        path, problem = explain(error)
        path = _named(path, filled)
        raise ConfigMistake(dotted(path), line_of(text, path), problem) from None
    _check(config, text)
    return config


def _secret(kind: type, value: object) -> object:
    if kind is Secret and isinstance(value, str):
        return Secret(value)
    raise TypeError(f"expected a string, got {type(value).__name__}")


def _fill(value: Any, path: tuple[str | int, ...], text: str, environ: Mapping[str, str]) -> Any:
    """Puts environment variables into strings, everywhere below `value`."""
    if isinstance(value, dict):
        return {key: _fill(inner, (*path, key), text, environ) for key, inner in value.items()}
    if isinstance(value, list):
        return [_fill(inner, (*path, index), text, environ) for index, inner in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        if match[1] not in environ:
            raise ConfigMistake(dotted(path), line_of(text, path), f"set the environment variable {match[1]}")
        return environ[match[1]]

    return ENVIRONMENT.sub(variable, value)


def explain(error: msgspec.ValidationError) -> tuple[tuple[str | int, ...], str]:
    """msgspec's message ("Object contains unknown field `x` - at `$.server`") as where, a path, and what is wrong."""
    words, _, where = str(error).partition(" - at `")
    path: list[str | int] = []
    for name, index in re.findall(r"\.([^.\[\]`]+)|\[(\d+|\.\.\.)\]", where):
        path.append(name or (int(index) if index.isdigit() else index))
    if unknown := re.search(r"unknown field `([^`]+)`", words):
        return (*path, unknown[1]), "unknown key; see docs/CONFIG.md for the ones there are"
    if missing := re.search(r"missing required field `([^`]+)`", words):
        return (*path, missing[1]), "is missing"
    return tuple(path), words[0].lower() + words[1:]


def _named(path: tuple[str | int, ...], filled: Mapping[str, Any]) -> tuple[str | int, ...]:
    """msgspec says "[...]" for a table that is named in the file, as `[plans.NAME]`: it is the first that is wrong."""
    if path[:2] != ("plans", "..."):
        return path
    for name, plan in filled["plans"].items():
        try:
            msgspec.convert(plan, Plan, strict=True)
        except msgspec.ValidationError:
            return ("plans", name, *path[2:])
    return path[:1]


def dotted(path: tuple[str | int, ...]) -> str:
    """As people name it: ("accounts", 0, "token") is accounts.1.token."""
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def line_of(text: str, path: tuple[str | int, ...]) -> int | None:
    """The line (from 1) where the key at `path` stands, or of the nearest table around it; None when nowhere.

    `path` is as in the parsed file: ("accounts", 1, "token") is `token` in the second `[[accounts]]`.
    """
    table: tuple[str | int, ...] = ()
    seen: dict[tuple[str, ...], int] = {}
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[(\[)?\s*([^\]]+?)\s*\]", line):
            names = tuple(part.strip().strip("\"'") for part in header[2].split("."))
            table = names
            if header[1]:
                seen[names] = seen.get(names, -1) + 1
                table = (*names, seen[names])
            here = table
        elif key := re.match(r"\s*([A-Za-z0-9_\"'.-]+)\s*=", line):
            here = (*table, *(part.strip("\"'") for part in key[1].split(".")))
        else:
            continue
        shared = min(len(here), len(path))
        if shared and path[:shared] == here[:shared] and (best is None or shared > best[0]):
            best = (shared, number)
    return best[1] if best else None


def _check(config: Config, text: str) -> None:
    """What types alone cannot say."""

    def refuse(problem: str, *path: str | int) -> None:
        raise ConfigMistake(dotted(path), line_of(text, path), problem)

    if not 0 <= config.server.port <= 65_535:
        refuse("a port is 0 to 65535", "server", "port")
    if (config.server.tls_cert is None) != (config.server.tls_key is None):
        refuse("tls_cert and tls_key go together", "server", "tls_cert" if config.server.tls_cert else "tls_key")
    if config.store.token_key is not None:
        try:
            key_bytes(config.store.token_key)
        except ValueError as mistake:
            refuse(str(mistake), "store", "token_key")
    for table in ("limits", "images", "pacing"):
        for field, value in structs.asdict(getattr(config, table)).items():
            if isinstance(value, int | float) and not 0 <= value < math.inf:
                refuse("is a number from 0", table, field)
    for path, urls, schemes in _addresses(config):
        for url in urls:
            if not _is_url(url, schemes):
                refuse(f"write one like {' or '.join(f'{scheme}://…' for scheme in schemes)}", *path)
    for proxy in config.server.trusted_proxies:
        try:
            ip_network(proxy, strict=False)
        except ValueError:
            refuse(f"{proxy!r} is neither an address nor a network", "server", "trusted_proxies")
    names: set[str] = set()
    for index, account in enumerate(config.accounts):
        for key, problem in mistakes(account):
            refuse(problem, "accounts", index, key)
        if account.name in names:
            refuse(f"there are two accounts named {account.name}", "accounts", index, "name")
        names.add(account.name)
        if is_against_terms(account, config.discord):
            refuse(AGAINST_TERMS, "accounts", index, "kind")
    for name, plan in config.plans.items():
        for field, least in (("daily", 0), ("concurrent", 1), ("queued", 1)):
            if getattr(plan, field) < least:
                refuse(f"is a number from {least}", "plans", name, field)
        if not WEIGHT_MIN <= plan.weight <= WEIGHT_MAX:
            refuse(f"a weight is {WEIGHT_MIN:g} to {WEIGHT_MAX:g}", "plans", name, "weight")
        try:
            ZoneInfo(plan.timezone)
        except (KeyError, ValueError, OSError):
            refuse(f"there is no time zone {plan.timezone!r}; write one like Europe/Berlin", "plans", name, "timezone")


def _addresses(config: Config) -> Iterator[tuple[tuple[str | int, ...], tuple[str, ...], tuple[str, ...]]]:
    """Every address in the file: where it stands, its value or values, and the schemes that it may have."""
    web = ("http", "https")
    yield ("server", "public_url"), _given(config.server.public_url), web
    yield ("server", "allowed_origins"), config.server.allowed_origins, web
    yield ("store", "url"), _given(config.store.url and config.store.url.reveal()), ("sqlite", "postgresql+psycopg")
    yield ("images", "url"), _given(config.images.url), ("file", "s3")
    yield ("discord", "api"), (config.discord.api,), web
    yield ("discord", "gateway"), (config.discord.gateway,), ("ws", "wss")
    yield ("discord", "cdn"), (config.discord.cdn,), web
    yield ("discord", "proxy"), _given(config.discord.proxy), web
    for index, account in enumerate(config.accounts):
        yield ("accounts", index, "url"), _given(account.url or None), web


def _given(url: str | None) -> tuple[str, ...]:
    return () if url is None else (url,)


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    scheme, slashes, rest = text.partition("://")
    return scheme.lower() in schemes and bool(slashes) and bool(rest) and text.isprintable() and " " not in text


def is_against_terms(account: AccountConfig, discord: Discord) -> bool:
    """Whether this is an account of a person, at the real Discord, without the operator having taken that on."""
    return account.kind == "user" and not is_loopback(discord.api) and not discord.accept_terms_risk


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine by a loopback name or address."""
    return (urlsplit(url).hostname or "") in LOOPBACK
