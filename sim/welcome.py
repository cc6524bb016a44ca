"""Welcome: the addresses of this simulator, and the first events of a session: READY, then each GUILD_CREATE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from aiohttp import web

from sim.faults import Faults
from sim.identity import DRAWING_BOT, Account, People, user_object
from sim.messages import stamp

JOINED_AT = stamp(1_700_000_000.0)
LARGE_THRESHOLD = 50  # members; of a larger guild only some are told (GE, Guild Create)
HUGE_GUILD_BYTES = 3 << 20
DEAD_ADDRESS = "ws://127.0.0.1:9"  # the discard port: nothing listens
APPLICATION_FLAGS = (1 << 13) | (1 << 15) | (1 << 19)  # privileged intents are switched on, as small bots have them


class Bases(msgspec.Struct, frozen=True):
    """Where the parts are, without a slash at the end."""

    api: str
    gateway: str
    resume: str
    cdn: str
    origin: str


def bases_at(authority: str) -> Bases:
    """The bases at `host:port`."""
    return Bases(
        api=f"http://{authority}/api/v10",
        gateway=f"ws://{authority}/gateway",
        resume=f"ws://{authority}/resume",
        cdn=f"http://{authority}/cdn",
        origin=f"http://{authority}",
    )


class Greeter:
    """Makes what a newcomer is told."""

    def __init__(self, people: People, faults: Faults) -> None:
        self.people = people
        self.faults = faults

    def bases(self, request: web.Request) -> Bases:
        """The bases by the address the client itself used."""
        return bases_at(request.host)

    def welcome(
        self, account: Account, session_id: str, request: web.Request, version: str, identify: dict[str, Any]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """READY with the guild unavailable (bots) and GUILD_CREATE after it (rule 11)."""
        guild_id = self.people.identity.guild_id
        dead = self.faults.take("dead_resume_url", account)
        ready: dict[str, Any] = {
            "v": int(version),
            "user": user_object(account) | {"verified": True, "mfa_enabled": False, "email": None},
            "user_settings": {},
            "guilds": [{"id": guild_id, "unavailable": True}],
            "private_channels": [],
            "relationships": [],
            "session_id": session_id,
            "session_type": "normal",
            "resume_gateway_url": DEAD_ADDRESS if dead else self.bases(request).resume,
            "_trace": ['["sim"]'],
        }
        if account.bot:
            ready["application"] = {"id": account.id, "flags": APPLICATION_FLAGS}
        if isinstance(identify.get("shard"), list):
            ready["shard"] = identify["shard"]
        yield "READY", ready
        padding = "x" * HUGE_GUILD_BYTES if self.faults.take("huge_guild", account) else ""
        if not account.bot or identify.get("intents", 0) & 1:
            yield "GUILD_CREATE", self.guild_create(account) | ({"_padding": padding} if padding else {})

    def guild(self) -> dict[str, Any]:
        """A guild object with every field that strict parsers ask for."""
        identity = self.people.identity
        return {
            "id": identity.guild_id,
            "name": "The Limner's Studio",
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "banner": None,
            "description": None,
            "owner_id": identity.accounts[0].id if identity.accounts else DRAWING_BOT.id,
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 1,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "nsfw": False,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "premium_progress_bar_enabled": False,
            "preferred_locale": "en-US",
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "safety_alerts_channel_id": None,
            "vanity_url_code": None,
            "application_id": None,
            "max_members": 500_000,
            "max_presences": None,
            "max_video_channel_users": 25,
            "max_stage_video_channel_users": 50,
            "features": [],
            "emojis": [],
            "stickers": [],
            "roles": [everyone_role(identity.guild_id)],
            "home_header": None,
            "widget_enabled": False,
            "widget_channel_id": None,
            "incidents_data": None,
        }

    def guild_create(self, account: Account) -> dict[str, Any]:
        channels = [self.channel(channel_id) for channel_id in self.channel_ids(account)]
        member_count = len(self.people.by_id) + 1
        everyone = [*self.people.by_id.values(), DRAWING_BOT]
        present = everyone if member_count <= LARGE_THRESHOLD else [account, DRAWING_BOT]
        return self.guild() | {
            "joined_at": JOINED_AT,
            "large": len(present) < member_count,
            "unavailable": False,
            "member_count": member_count,
            "members": [member_object(one) for one in present],
            "channels": channels,
            "threads": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def channel_ids(self, account: Account) -> list[str]:
        identity = self.people.identity
        own = [*self.people.owner_of] if account.bot else [account.channel_id]
        return [identity.channel_id, *own]

    def channel(self, channel_id: str) -> dict[str, Any]:
        """A channel of the guild, or a direct one, whose recipients are everyone in it but bots of the simulator's."""
        owner = self.people.owner_of.get(channel_id)
        if channel_id in self.people.direct:
            users = [user_object(account) for account in self.people.direct[channel_id] if not account.bot]
            return {"id": channel_id, "type": 1, "flags": 0, "last_message_id": None, "recipients": users}
        return {
            "id": channel_id,
            "type": 0,
            "guild_id": self.people.identity.guild_id,
            "name": owner.name if owner else "studio",
            "position": 0,
            "permission_overwrites": [],
            "topic": None,
            "nsfw": False,
            "last_message_id": None,
            "last_pin_timestamp": None,
            "parent_id": None,
            "rate_limit_per_user": 0,
            "flags": 0,
        }

    def members_chunk(self, asked: dict[str, Any]) -> dict[str, Any]:
        """The answer to Request Guild Members: those with `user_ids`, or whose name begins with `query` ("": all)."""
        everyone = {one.id: one for one in (*self.people.by_id.values(), DRAWING_BOT)}
        wanted = asked.get("user_ids")
        if wanted is None:
            query, limit = str(asked.get("query") or ""), asked.get("limit")
            found = [one for one in everyone.values() if one.name.startswith(query)]
            found = found[: limit if isinstance(limit, int) and limit > 0 else None]
            missing: list[str] = []
        else:
            ids = [str(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
            found = [everyone[one] for one in ids if one in everyone]
            missing = [one for one in ids if one not in everyone]
        return {
            "guild_id": self.people.identity.guild_id,
            "members": [member_object(one) for one in found],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": missing,
            "presences": [],
            "nonce": asked.get("nonce"),
        }


def member_object(account: Account) -> dict[str, Any]:
    """A guild member object."""
    return {
        "user": user_object(account),
        "nick": None,
        "avatar": None,
        "banner": None,
        "roles": [],
        "joined_at": JOINED_AT,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
        "communication_disabled_until": None,
    }


def everyone_role(guild_id: str) -> dict[str, Any]:
    """The role that everyone has."""
    return {
        "id": guild_id,
        "name": "@everyone",
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": 0,
        "permissions": str((1 << 50) - 1),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }
