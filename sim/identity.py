"""Identity: who lives in the simulated Discord: the guild, its channels, accounts, bots, and their tokens.

Made once from dice (a seed makes it repeatable), kept in the store, the same at each start with the same folder.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Iterable

import msgspec

from sim.store import Store

# The drawing bot's application, and its bot user, have this id on Discord (facts/midjourney.md).
DRAWING_BOT_ID = "936929561302675456"
DISCORD_EPOCH_MS = 1_420_070_400_000
ACCOUNT_NAMES = ("fox", "heron", "otter", "lynx", "raven", "hare", "wren", "badger", "crane", "marten", "owl", "seal")
BIRTH_MS = 1_700_000_000_000
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class Account(msgspec.Struct):
    """A user account, or an application's bot. `channel_id` is the private channel of a user account."""

    id: str
    name: str
    token: str
    channel_id: str
    bot: bool = False


class Identity(msgspec.Struct):
    """Everyone and every place. `secret` signs CDN links; `port` is the last one listened on (0: none yet);
    `starts` how often a simulator began with this folder."""

    guild_id: str
    channel_id: str
    secret: str
    accounts: list[Account]
    bots: list[Account]
    port: int = 0
    starts: int = 0


def direct_channel(account: Account, bot: int = 0) -> str:
    """The channel of a user and a bot alone: of the drawing bot (0), or of the bot of that number, from 1."""
    return str(int(account.id) + 1 + bot)


class Snowflakes:
    """Discord's ids: milliseconds since 2015 in the upper bits, always growing, also over a restart."""

    def __init__(self) -> None:
        self.last = 0

    def next(self) -> str:
        floor = (int(time.time() * 1000) - DISCORD_EPOCH_MS) << 22
        self.last = max(floor, self.last + 1)
        return str(self.last)


def old_snowflake(rng: random.Random) -> str:
    """An id of something that was there before the simulator began."""
    return str(((BIRTH_MS - DISCORD_EPOCH_MS + rng.randrange(30_000_000_000)) << 22) + rng.randrange(1 << 22))


def make_token(user_id: str, rng: random.Random) -> str:
    """Discord's shape: base64 of the id (hikari reads it), a stamp, a secret."""
    head = base64.urlsafe_b64encode(user_id.encode()).decode().rstrip("=")
    tail = "".join(rng.choices(ALPHABET, k=6)) + "." + "".join(rng.choices(ALPHABET, k=38))
    return f"{head}.{tail}"


def make_account(number: int, rng: random.Random, *, bot: bool) -> Account:
    user_id = old_snowflake(rng)
    name = f"bot-{number:02d}" if bot else f"{ACCOUNT_NAMES[(number - 1) % len(ACCOUNT_NAMES)]}-{number:02d}"
    return Account(user_id, name, make_token(user_id, rng), "" if bot else old_snowflake(rng), bot)


def settle_identity(store: Store, accounts: int, bots: int, rng: random.Random) -> Identity:
    """The stored identity, or a new one; grown to at least `accounts` and `bots`, never shrunk."""
    stored = dict(store.load("identity", Identity)).get("identity")
    identity = stored or Identity(old_snowflake(rng), old_snowflake(rng), rng.randbytes(32).hex(), [], [])
    for people, wanted, bot in ((identity.accounts, accounts, False), (identity.bots, bots, True)):
        while len(people) < wanted:
            people.append(make_account(len(people) + 1, rng, bot=bot))
    identity.starts += 1
    store.put("identity", "identity", identity)
    return identity


class People:
    """Looking people up: by token, id or name; and who sees a channel."""

    def __init__(self, identity: Identity) -> None:
        everyone = [*identity.accounts, *identity.bots]
        self.identity = identity
        self.by_token = {account.token: account for account in everyone}
        self.by_id = {account.id: account for account in everyone}
        self.shown = {person.id: user_object(person) for person in (*everyone, DRAWING_BOT)}
        self.by_name = {account.name: account for account in everyone}
        self.owner_of = {account.channel_id: account for account in identity.accounts}
        self.applications = {bot.id: bot for bot in identity.bots}
        self.direct = {
            direct_channel(account, number): [account, *([bot] if bot else [])]
            for account in identity.accounts
            for number, bot in enumerate((None, *identity.bots))
        }

    def of_header(self, authorization: str) -> Account | None:
        """Whose `Authorization` header this is: a user's raw token, or `Bot TOKEN`."""
        scheme, _, token = authorization.rpartition(" ")
        account = self.by_token.get(token)
        return account if account is not None and account.bot == (scheme == "Bot") else None

    def channel_exists(self, channel_id: str) -> bool:
        return channel_id == self.identity.channel_id or channel_id in self.owner_of or channel_id in self.direct

    def sees(self, account: Account, channel_id: str) -> bool:
        """Everyone sees the common channel, bots see all of the guild, a user sees their own and their direct one."""
        if channel_id in self.direct:
            return any(account is member for member in self.direct[channel_id])
        return account.bot or channel_id in (self.identity.channel_id, account.channel_id)

    def direct_with(self, bot: Account, user_id: str) -> str | None:
        """The direct channel of a bot and a user; None when there is no such user."""
        user = self.by_id.get(user_id)
        if user is None or user.bot:
            return None
        return direct_channel(user, 1 + self.identity.bots.index(bot))

    def viewers(self, channel_id: str) -> Iterable[Account]:
        if channel_id == self.identity.channel_id:
            return self.by_id.values()
        if channel_id in self.direct:
            return self.direct[channel_id]
        owner = self.owner_of.get(channel_id)
        return [*([owner] if owner else []), *self.identity.bots]


def user_object(account: Account) -> dict[str, object]:
    """A Discord user object."""
    return {
        "id": account.id,
        "username": account.name,
        "global_name": None if account.bot else account.name,
        "discriminator": "0",
        "avatar": None,
        "primary_guild": None,
        "bot": account.bot,
        "public_flags": 0,
        "flags": 0,
    }


DRAWING_BOT = Account(DRAWING_BOT_ID, "Midjourney Bot", "", "", True)
