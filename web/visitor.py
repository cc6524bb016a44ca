"""Visitor: who is at the door, as far as a request's headers can be believed. Pure functions over them.

Addresses are taken from `X-Forwarded-For` only as far as trusted proxies wrote it; origins are compared exactly; a key
comes from `Authorization: Bearer` or, second, from the page's cookie.
"""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from msgspec import Struct

from core.config import LOOPBACK, Server

#: Who draws at the page, and who operates at the admin page: two logins, so that neither has the other's powers.
COOKIE, OPERATOR_COOKIE = "limner", "limner-operator"
KEY_CHARS_MAX = 512
#: Who has one address of IPv6 has all of its network of this prefix (RFC 6177: what a site is given, at the least).
HOUSEHOLD_PREFIX_BITS = 64

Networks = tuple[IPv4Network | IPv6Network, ...]


class Credential(Struct, frozen=True):
    """A key as shown; `by_cookie`: the browser sent it unasked, so a change needs proof of our own page (CSRF)."""

    key: str | None
    by_cookie: bool

    def __repr__(self) -> str:
        return f"Credential({'…' if self.key else None}, by_cookie={self.by_cookie})"


def networks(texts: tuple[str, ...]) -> Networks:
    """The trusted proxies of the config as networks. Raises ValueError on what is neither an address nor a network."""
    return tuple(ip_network(text, strict=False) for text in texts)


def remote_of(peer: str, forwarded_for: str | None, trusted: Networks) -> str:
    """The client's address: the nearest one, walking back from `peer`, that is no trusted proxy.

    Everything a stranger wrote in `X-Forwarded-For` stands left of the address our own proxy added, and is not reached.
    """
    remote = peer
    hops = [hop.strip() for hop in (forwarded_for or "").split(",") if hop.strip()]
    while hops and _is_in(remote, trusted):
        remote = hops.pop()
    return remote if _is_address(remote) else peer


def household_of(remote: str) -> str:
    """What is counted as one address: an IPv4 address, also one mapped into IPv6; of IPv6 its /64 network."""
    if not _is_address(remote):
        return remote
    address = ip_address(remote)
    if isinstance(address, IPv4Address):
        return remote
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), HOUSEHOLD_PREFIX_BITS), strict=False))


def credential_of(headers: Mapping[str, str], cookie: str = COOKIE) -> Credential:
    """The key shown in `Authorization: Bearer`, else in this cookie, else none."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and 0 < len(key.strip()) <= KEY_CHARS_MAX:
        return Credential(key.strip(), by_cookie=False)
    if "cookie" in headers:
        try:
            morsel = SimpleCookie(headers["cookie"]).get(cookie)
        except CookieError:
            morsel = None
        if morsel is not None and 0 < len(morsel.value) <= KEY_CHARS_MAX:
            return Credential(morsel.value, by_cookie=True)
    return Credential(None, by_cookie=False)


def allowed_origins(host: str | None, server: Server) -> frozenset[str]:
    """The origins of our own pages, lower case: those configured and that of `public_url`, else those of the Host.

    By the Host a page may be http or https: a proxy before us may speak TLS, which we do not see.
    """
    allowed = {origin.rstrip("/").lower() for origin in server.allowed_origins}
    if not allowed and host:
        allowed = {f"http://{host.lower()}", f"https://{host.lower()}"}
    if server.public_url is not None:
        parts = urlsplit(server.public_url.lower())
        allowed.add(f"{parts.scheme}://{parts.netloc}")
    return frozenset(allowed)


def may_change(headers: Mapping[str, str], credential: Credential, server: Server) -> bool:
    """Whether a request that changes something comes from our own page, or from a program that showed a key itself.

    A foreign Origin never may. With the cookie, which a browser sends unasked, `Origin` or `Sec-Fetch-Site` must
    prove it.
    """
    origin = headers.get("origin")
    if origin is not None:
        return origin.lower() in allowed_origins(headers.get("host"), server)
    return not credential.by_cookie or headers.get("sec-fetch-site") == "same-origin"


def is_at_this_machine(peer: str, headers: Mapping[str, str]) -> bool:
    """Whether a person at this very machine asks: no proxy between, and not by a name that leads here from outside.

    The Host must be a loopback name: a foreign page whose name was made to resolve to 127.0.0.1 (DNS rebinding) is not.
    """
    if "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    fetched_from = headers.get("sec-fetch-site", "same-origin")
    return _is_loopback(peer) and host in LOOPBACK and fetched_from in ("same-origin", "none")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _is_loopback(text: str) -> bool:
    return _is_address(text) and ip_address(text).is_loopback


def _is_in(text: str, trusted: Networks) -> bool:
    return _is_address(text) and any(ip_address(text) in network for network in trusted)
