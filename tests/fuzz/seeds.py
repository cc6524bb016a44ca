"""Where the search begins: what Discord, the bot and clients really say, and the words that make it up."""

from __future__ import annotations

import json
from typing import Any

import msgpack
from websockets.frames import Frame, Opcode

from protocol.drawing import MIDJOURNEY_APPLICATION_ID
from protocol.drawing_text import BUTTONS, POSTPONED_TITLES, TITLES
from protocol.frames import CLIENT_FRAMES

HASH = "ce48f69f-b3d4-42cd-95a3-01b130cbbc16"
NONCE = "1173000000000000001"
SEED = f"**a fox**\n**Job ID**: {HASH}\n**seed** 1234567890"
CONTENTS = (
    "**a fox --ar 3:2** - <@7> (Waiting to start)",
    "**a fox** - <@7> (31%) (fast)",
    "**a fox** - <@7> (fast, stealth)",
    "**a fox** - Image #2 <@7>",
    "**a fox** - Variations (Strong) by <@7> (relaxed)",
    "**a fox** - <@7> (Stopped)\n-# [Web](<https://bot.example/jobs>)",
    "<@7> (turbo)",
    "Failed to process your command :c",
)
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: limner.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Protocol: limner.v1.json\r\nAuthorization: Bearer key\r\n\r\n"
)
CLIENT_SAYS: tuple[dict[str, Any], ...] = (
    {"type": "auth", "key": "k"},
    {"type": "draw", "ref": "r", "prompt": "a fox", "mode": "fast", "kind": "imagine", "images": ["https://x/y.png"]},
    {"type": "act", "ref": "r", "job": "j", "action": "upscale", "index": 1, "prompt": None},
    {"type": "cancel", "job": "j"},
    {"type": "jobs", "before": "j", "limit": 50},
    {"type": "resume", "after": 3},
    {"type": "ping"},
)


def message(content: str, **more: Any) -> dict[str, Any]:
    """A message of the bot's in the account's channel."""
    picture = {
        "url": f"https://cdn.example/{HASH}_0.png?ex=1",
        "filename": "a.png",
        "width": 64,
        "height": 64,
        "size": 9,
    }
    buttons = [
        {"type": 2, "custom_id": f"MJ::JOB::upsample::1::{HASH}"},
        {"custom_id": f"MJ::CancelJob::ByJobid::{HASH}"},
    ]
    found: dict[str, Any] = {
        "id": "1174000000000000001",
        "channel_id": "5",
        "author": {"id": MIDJOURNEY_APPLICATION_ID},
        "content": content,
        "nonce": NONCE,
        "flags": 64,
        "interaction_metadata": {"id": "1173000000000000009", "user": {"id": "7"}},
        "message_reference": {"message_id": "1"},
        "attachments": [picture],
        "embeds": [],
        "components": [{"type": 1, "components": buttons}],
    }
    return found | more


def ready() -> bytes:
    """How a session begins."""
    data = {"v": 10, "session_id": "s", "resume_gateway_url": "wss://resume.example", "user": {"id": "7"}, "guilds": []}
    return json.dumps({"op": 0, "s": 1, "t": "READY", "d": data}).encode()


def documents() -> list[bytes]:
    """What a gateway says of a drawing, and of itself."""
    embed = {
        "type": "rich",
        "title": "Banned prompt",
        "description": "no",
        "color": 16711680,
        "fields": [{"value": "v"}],
    }
    form = {
        "id": "8",
        "nonce": NONCE,
        "custom_id": "m",
        "components": [{"components": [{"custom_id": "f", "value": "v"}]}],
    }
    events: list[tuple[str, dict[str, Any]]] = [
        ("INTERACTION_CREATE", {"id": "1173000000000000009", "nonce": NONCE}),
        ("INTERACTION_SUCCESS", {"id": "1173000000000000009", "nonce": NONCE}),
        ("INTERACTION_MODAL_CREATE", form),
        *(("MESSAGE_UPDATE", message(content)) for content in CONTENTS),
        ("MESSAGE_CREATE", message("", embeds=[embed])),
        ("MESSAGE_DELETE", {"id": "1174000000000000001", "channel_id": "5"}),
        ("INTERACTION_IFRAME_MODAL_CREATE", {"id": "8", "nonce": NONCE, "title": "Vary", "custom_id": "MJ::iframe::1"}),
        ("INTERACTION_FAILURE", {"id": "1173000000000000009", "nonce": NONCE}),
        (
            "MESSAGE_CREATE",
            {"id": "1", "channel_id": "8", "author": {"id": MIDJOURNEY_APPLICATION_ID}, "content": SEED},
        ),
        ("RESUMED", {}),
        ("SOMETHING_NEW", {}),
    ]
    said: list[dict[str, Any]] = [{"op": 0, "s": 2 + n, "t": kind, "d": data} for n, (kind, data) in enumerate(events)]
    said += [{"op": op, "d": d} for op, d in ((1, None), (7, None), (9, True), (9, False), (11, None), (99, {}))]
    said += [{"op": 10, "d": {"heartbeat_interval": 41250}}]
    return [json.dumps(each).encode() for each in said]


def seeds_of(target: str) -> list[bytes]:
    """Whole conversations, and each of their parts alone."""
    said = [ready(), *documents()]
    match target:
        case "gateway":
            return [b"\n".join(said), b"\n\n".join(said), *(said[0] + b"\n" + each for each in said)]
        case "stream":
            heads = (b"\x01\xff\xff\x00", b"\x01\x00\x20\x01", b"\x03\xff\xff\x00", b"\x03\x00\x20\x01")
            return [*(head + b"\n".join(said) for head in heads), b"\x00" + said[0], b"\x02" + said[0]]
        case "answer":
            return _answers()
        case "grammar":
            return [*(content.encode() for content in (*CONTENTS, SEED)), *(title.encode() for title, _ in TITLES)]
        case "frame":
            packed = [b"\x00" + msgpack.packb(each) for each in CLIENT_SAYS]
            return [*packed, *(b"\x01" + json.dumps(each).encode() for each in CLIENT_SAYS)]
        case "opening":
            frames = [Frame(Opcode.TEXT, json.dumps(each).encode()) for each in CLIENT_SAYS]
            frames += [Frame(Opcode.PING, b"p"), Frame(Opcode.CONT, b"c"), Frame(Opcode.CLOSE, b"\x03\xe8")]
            spoken = b"".join(each.serialize(mask=True) for each in frames)
            return [b"\xff" + HANDSHAKE + spoken, b"\x07" + HANDSHAKE, b"\xff" + HANDSHAKE + spoken[:40]]
    raise LookupError(target)


def _answers() -> list[bytes]:
    limits = (
        b"X-RateLimit-Bucket: b\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset-After: 1.5\nX-RateLimit-Scope: shared\n"
    )
    command = {"id": "1", "application_id": MIDJOURNEY_APPLICATION_ID, "version": "2", "name": "imagine", "type": 1}
    slot = {"attachments": [{"upload_url": "https://up/1", "upload_filename": "a", "url": "https://cdn/a"}]}
    bodies: list[tuple[int, Any]] = [
        (200, {"id": "7"}),
        (200, [message(CONTENTS[0])]),
        (200, {"application_commands": [command]}),
        (200, slot),
        (400, {"code": 50035, "message": "x", "errors": {"data": {"_errors": [{"code": "x"}]}}, "captcha_key": []}),
        (429, {"message": "slow", "retry_after": 1.3, "global": True, "code": 1}),
        (401, {"message": "401: Unauthorized", "code": 0}),
        (200, {"url": "wss://x", "session_start_limit": {"remaining": 3, "reset_after": 14400000, "total": 1000}}),
        (200, {"created": 1, "data": [{"b64_json": "aGk=", "url": "https://x/y.png"}]}),
        (
            400,
            {
                "error": {
                    "message": "no",
                    "type": "image_generation_user_error",
                    "code": "moderation",
                    "param": "prompt",
                }
            },
        ),
    ]
    plain = [str(status).encode() + b"\n" + limits + b"\n" + json.dumps(body).encode() for status, body in bodies]
    nested = [b"200\n\n" + head + b"[" * 100_000 for head in (b"", b'{"id":', b'{"data":[{"x":', b'{"attachments":[')]
    return [*plain, *nested, b"204\n\n", b"429\nRetry-After: 7\n\n<html>", b"none\n\n"]


def words() -> list[str]:
    """A dictionary for the search: texts it would hardly find by chance."""
    names = ["op", "d", "s", "t", *message(""), "title", "description", "fields", "value", "custom_id", "url"]
    kinds = ["READY", "RESUMED", "MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "INTERACTION_SUCCESS"]
    texts = [
        "** - ",
        "<@7>",
        "(31%)",
        "Image #1",
        "\n-# ",
        "](",
        *POSTPONED_TITLES,
        *(button.prefix for button in BUTTONS),
    ]
    numbers = ["wss://", "[", "]", "://", "9" * 30, "-1", "1e999", "null", "true", "\\ud800", "\\u0000"]
    return [
        *(f'"{name}":' for name in names),
        *kinds,
        *texts,
        *numbers,
        *CLIENT_FRAMES,
        "\r\n\r\n",
        "Sec-WebSocket-Key: ",
    ]
