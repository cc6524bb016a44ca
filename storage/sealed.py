"""Sealed tokens: what may stand in the database of a secret. AES-256-GCM under a key of the config's.

A sealed token is bound to its account's settings: who can write to the database and not read the key cannot have it
sent to another address. This imports `cryptography`, so it is imported only where there is something to seal or open.
"""

from __future__ import annotations

import secrets

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import structs

from core.account_config import AccountConfig
from core.secret import Secret
from storage.added import AddedAccount

NONCE_BYTES = 12


class WrongKey(ValueError):
    """It was sealed under another key, for other settings, or is damaged."""


class Seal:
    """Seals and opens. `key`: core.secret.key_bytes of the config's."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(HKDF(SHA256(), 32, salt=None, info=b"limner account tokens").derive(key))

    def close(self, account: AccountConfig) -> AddedAccount:
        """The account as it is stored."""
        known = structs.asdict(account)
        token = known.pop("token").reveal().encode()
        settings = msgspec.json.encode(known)
        nonce = secrets.token_bytes(NONCE_BYTES)
        return AddedAccount(account.name, settings.decode(), nonce + self._cipher.encrypt(nonce, token, settings))

    def open(self, added: AddedAccount) -> Secret:
        """Its token. Raises WrongKey."""
        nonce, sealed = added.token[:NONCE_BYTES], added.token[NONCE_BYTES:]
        try:
            return Secret(self._cipher.decrypt(nonce, sealed, added.settings.encode()).decode())
        except (InvalidTag, ValueError):
            raise WrongKey(f"the token of {added.name} was sealed under another key") from None


def without_token(added: AddedAccount) -> AccountConfig:
    """The account as its settings say."""
    return msgspec.json.decode(added.settings, type=AccountConfig)
