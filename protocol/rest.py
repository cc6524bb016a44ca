"""Discord's REST calls as values, and what became of an interaction.

A `Request` is relative to the API base URL (`https://discord.com/api/v9`) and holds no credential: the shell adds
`authorization(token, kind)` when it sends. `outcome` reads the answer to `POST /interactions` under the rule "never
twice": only an explicit refusal allows another attempt, anything unclear is `Doubtful`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

import msgspec

from protocol.buckets import Buckets, InvalidBudget, read_429
from protocol.multipart import File

__all__ = ["Buckets", "Doubtful", "InvalidBudget", "Outcome", "Refused", "Request", "Taken", "outcome"]

# Discord asks for "DiscordBot ($url, $version)"; an installation has no public address of its own.
USER_AGENT = "DiscordBot (https://limner.invalid, 0.1)"
MESSAGE_CHARS_MAX = 300
#: Answers of an intermediary that did not wait for those behind it, who may yet take the request.
GIVEN_UP_STATUSES = frozenset({408, 504, 520, 522, 524})
STALE_VERSION = "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION"
MESSAGES_PAGE_LENGTH_MAX = 100


class Request(msgspec.Struct, frozen=True):
    """One call. `route` names it for limits and metrics, `major` is its channel, guild or webhook id; `json` its body,
    sent with `files` as a form (protocol.multipart) where there are any.

    An upload slot is not Discord's, and the token must not go there: it is filled by other means (system/links.py).
    """

    method: str
    path: str
    route: str
    major: str = ""
    json: Any = None
    files: tuple[File, ...] = ()
    interaction_callback: bool = False

    def __repr__(self) -> str:
        # Paths hold interaction tokens and bodies hold prompts.
        return f"Request({self.route})"


def authorization(token: str, kind: str) -> dict[str, str]:
    """The headers that identify an account: `Bot TOKEN` for a bot, the bare token for a user."""
    return {"Authorization": f"Bot {token}" if kind == "bot" else token, "User-Agent": USER_AGENT}


def get_me() -> Request:
    return Request("GET", "/users/@me", "GET /users/@me")


def get_gateway(kind: str) -> Request:
    """`{url}`, for a bot also `shards` and `session_start_limit`."""
    path = "/gateway/bot" if kind == "bot" else "/gateway"
    return Request("GET", path, f"GET {path}")


def get_command_index(guild_id: str) -> Request:
    """`application_commands` of a guild with their current ids and versions."""
    route = "GET /guilds/{guild}/application-command-index"
    return Request("GET", f"/guilds/{guild_id}/application-command-index", route, guild_id)


def post_interaction(body: dict[str, Any]) -> Request:
    """A command, button or modal as `protocol.drawing` built it; its answer is read by `outcome`."""
    return Request("POST", "/interactions", "POST /interactions", str(body.get("channel_id", "")), json=body)


def get_messages(channel_id: str, *, before: str | None = None, after: str | None = None, limit: int = 50) -> Request:
    """A page of a channel's history, newest first."""
    query: dict[str, str | int] = {"limit": max(1, min(limit, MESSAGES_PAGE_LENGTH_MAX))}
    if before is not None:
        query["before"] = before
    if after is not None:
        query["after"] = after
    path = f"/channels/{channel_id}/messages?{urlencode(query)}"
    return Request("GET", path, "GET /channels/{channel}/messages", channel_id)


def get_message(channel_id: str, message_id: str) -> Request:
    """One message, with fresh CDN addresses."""
    path = f"/channels/{channel_id}/messages/{message_id}"
    return Request("GET", path, "GET /channels/{channel}/messages/{message}", channel_id)


def post_message(channel_id: str, body: dict[str, Any], nonce: str, files: tuple[File, ...] = ()) -> Request:
    """A message, which may be sent again after no answer: with its nonce enforced, one message is made.

    A file's `attachments[].id` in the body is its place in `files`. Nobody is pinged by what users write.
    """
    whole = body | {"nonce": nonce, "enforce_nonce": True, "allowed_mentions": {"parse": []}}
    path, route = f"/channels/{channel_id}/messages", "POST /channels/{channel}/messages"
    return Request("POST", path, route, channel_id, json=whole, files=files)


def post_attachments(channel_id: str, filename: str, size_bytes: int) -> Request:
    """Asks for an upload slot; `upload_slot` reads the answer."""
    body = {"files": [{"filename": filename, "file_size": size_bytes, "id": "0"}]}
    path = f"/channels/{channel_id}/attachments"
    return Request("POST", path, "POST /channels/{channel}/attachments", channel_id, json=body)


def post_callback(interaction_id: str, token: str, body: dict[str, Any]) -> Request:
    """Answers an interaction with Limner's own bot, within 3 s of it."""
    route = "POST /interactions/{interaction}/{token}/callback"
    path = f"/interactions/{interaction_id}/{token}/callback"
    return Request("POST", path, route, interaction_id, json=body, interaction_callback=True)


def patch_original(application_id: str, token: str, body: dict[str, Any]) -> Request:
    """Edits the answer to an interaction, within 15 min of it."""
    route = "PATCH /webhooks/{application}/{token}/messages/@original"
    path = f"/webhooks/{application_id}/{token}/messages/@original"
    return Request("PATCH", path, route, application_id, json=body, interaction_callback=True)


class UploadSlot(msgspec.Struct, frozen=True):
    upload_url: str
    upload_filename: str


def upload_slot(body: bytes) -> UploadSlot | None:
    """The slot that `post_attachments` was answered with; None if the answer holds none."""
    found = _json_map(body)
    try:
        return msgspec.convert(found["attachments"][0], UploadSlot)
    except (KeyError, IndexError, TypeError, msgspec.ValidationError):
        return None


# --- what became of an interaction ---


class Taken(msgspec.Struct, frozen=True):
    """Discord took the interaction (204). The bot may still refuse it by message."""


class Refused(msgspec.Struct, frozen=True):
    """Discord did not take it: a new attempt with a new nonce is allowed if `retry`, after `after_s` seconds.

    `kind` says what to do first: `rate_limited` wait; `stale_version` learn the commands again; `token` (it is not
    valid), `account` (its rights) and `captcha` are this account's trouble, so another account; `not_sent` connect
    again; `request` nothing helps.
    """

    code: int | None
    message: str
    retry: bool
    after_s: float = 0.0
    kind: Literal["rate_limited", "stale_version", "token", "account", "captcha", "not_sent", "request"] = "request"


class Doubtful(msgspec.Struct, frozen=True):
    """It may have been taken: never send it again, decide by evidence.

    `answered`: with trouble, but by those who had it: the request is under way nowhere any more.
    """

    why: str
    answered: bool = False


Outcome: TypeAlias = Taken | Refused | Doubtful


def outcome(
    status: int | None,
    headers: Mapping[str, str],
    body: bytes,
    fault: str = "no answer",
    never_sent: bool = False,
) -> Outcome:
    """What became of `POST /interactions`.

    `status` is None where no whole answer came; `fault` then says why (timeout, cut). `never_sent` is true only where
    the connection itself was never made, so that no byte of the request can have left.
    """
    if status is None:
        return Refused(None, fault, retry=True, kind="not_sent") if never_sent else Doubtful(fault)
    if status == 204:
        return Taken()
    if status == 429:
        after_s, _ = read_429({name.lower(): value for name, value in headers.items()}, body)
        return Refused(None, "rate limited", retry=True, after_s=after_s, kind="rate_limited")
    found = _json_map(body)
    # 408 is an intermediary's time-out: the request may have gone on.
    if not 400 <= status < 500 or status == 408 or not found:
        return Doubtful(f"HTTP {status}", answered=status not in GIVEN_UP_STATUSES)
    code = found.get("code")
    code = code if isinstance(code, int) and not isinstance(code, bool) else None
    message = str(found.get("message", ""))[:MESSAGE_CHARS_MAX]
    if STALE_VERSION in json.dumps(found.get("errors", "")):
        return Refused(code, message, retry=True, kind="stale_version")
    if "captcha_key" in found:  # a person must solve it, and we are none
        return Refused(code, message or "a captcha is asked for", retry=True, kind="captcha")
    if status in (401, 403):
        return Refused(code, message, retry=True, kind="token" if status == 401 else "account")
    return Refused(code, message, retry=False)


def _json_map(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`, or an empty one."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
