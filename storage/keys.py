"""Keys, as they are asked of the store. It keeps digests: no key can be read from it."""

from __future__ import annotations

from msgspec import Struct


class AddKey(Struct, frozen=True, tag=True):
    """A key (or a page's login) of a user, stored as a SHA-256 digest only. `user` is an id or a name."""

    id: str
    user: str
    digest: str
    role: str
    login: bool
    expires_at: float | None
    at: float


class DropKey(Struct, frozen=True, tag=True):
    """Revoke the key or login with this digest."""

    digest: str
    at: float


class FindKey(Struct, frozen=True, tag=True):
    """Whose key (or login) is this? Answers KeyHolder or Nothing (unknown, revoked, expired)."""

    digest: str
    at: float


class FindKeys(Struct, frozen=True, tag=True):
    """FindKey for many at once. Answers KeyHolders, in their order."""

    digests: tuple[str, ...]
    at: float


class KeyHolder(Struct, frozen=True, tag=True):
    """Who a key speaks for. `role`: user, viewer or admin; one who is `banned` may do nothing with it."""

    key_id: str
    user: str
    name: str
    plan: str
    role: str
    login: bool
    banned: bool = False


class KeyHolders(Struct, frozen=True, tag=True):
    """None: unknown, revoked or expired."""

    holders: tuple[KeyHolder | None, ...]


KeyWrite = AddKey | DropKey
KeyRead = FindKey | FindKeys
KeyFound = KeyHolder | KeyHolders
