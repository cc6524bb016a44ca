"""The bytes of the frames between a user and Limner (protocol/frames.py, CONTRACT section 3), and back.

A frame is one map with `type`; it is msgpack in a binary WebSocket frame (`limner.v1.msgpack`) or JSON in a text
frame (`limner.v1.json`). The same types serve both, the HTTP API (`decode_order`) and the stored events (`to_map`,
`server_frame`). Unknown fields are ignored and null means absent; an unknown `type` is a `ClientMistake`.

Ids are strings, times RFC 3339 UTC with milliseconds, durations float seconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

import msgpack
import msgspec
from msgspec import Meta

from core.config import Limits
from core.job import Kind, Mode
from protocol.frames import (
    CLIENT_FRAMES,
    IMAGE_COUNT_MAX,
    TERMINAL_FRAMES,
    Accepted,
    Act,
    Action,
    Auth,
    Cancel,
    Cancelled,
    ClientFrame,
    Done,
    Draw,
    Error,
    Failed,
    HistoryEntry,
    Id,
    ImageRef,
    Index,
    Job,
    Jobs,
    JobsPage,
    Notice,
    Picture,
    Ping,
    Pong,
    Progress,
    Queued,
    Quota,
    Reset,
    Resume,
    Resumed,
    ServerFrame,
    Started,
    Welcome,
)
from protocol.mistakes import CODES, ClientMistake, Code, Problem, problem

__all__ = [
    "CLIENT_FRAMES",
    "CODES",
    "JSON",
    "MSGPACK",
    "SUBPROTOCOLS",
    "TERMINAL_FRAMES",
    "Accepted",
    "Act",
    "Action",
    "Auth",
    "Cancel",
    "Cancelled",
    "ClientFrame",
    "ClientMistake",
    "Code",
    "Done",
    "Draw",
    "Error",
    "Failed",
    "HistoryEntry",
    "Job",
    "Jobs",
    "JobsPage",
    "Notice",
    "Picture",
    "Ping",
    "Pong",
    "Problem",
    "Progress",
    "Queued",
    "Quota",
    "Reset",
    "Resume",
    "Resumed",
    "ServerFrame",
    "Started",
    "Welcome",
    "decode",
    "decode_order",
    "decode_server",
    "encode",
    "problem",
    "rfc3339",
    "server_frame",
    "to_map",
    "unix_time",
]

MSGPACK = "limner.v1.msgpack"
JSON = "limner.v1.json"
SUBPROTOCOLS = (MSGPACK, JSON)

#: What holds where nobody configured anything.
LIMITS = Limits()
# How many pictures each kind takes: an imagine prompt may be led by a few.
IMAGE_COUNTS = {"imagine": (0, IMAGE_COUNT_MAX), "blend": (2, IMAGE_COUNT_MAX), "describe": (1, 1), "shorten": (0, 0)}
#: What is read, for people, and what it must have besides being a map: only frames tell their type.
FRAME, BODY = "frame", "body"
SHAPES = {FRAME: " with a `type`", BODY: ""}
MASKED_ACTION = "vary_region"
_VALUE = re.compile(r"Invalid enum value .*(?= - at `)", re.S)


def decode(
    data: bytes | str,
    subprotocol: str,
    *,
    prompt_chars: int = LIMITS.prompt_chars,
    frame_bytes: int = LIMITS.frame_bytes,
) -> ClientFrame:
    """Reads one frame from a client; raises `ClientMistake` bad_frame or bad_prompt, with `ref` if it was legible."""
    found = _read_map(data, subprotocol, frame_bytes)
    kind = found.get("type")
    frame_type = CLIENT_FRAMES.get(kind) if isinstance(kind, str) else None
    if frame_type is None:
        names = ", ".join(CLIENT_FRAMES)
        raise ClientMistake("bad_frame", f"Unknown or missing type; send one of {names}.", _legible_ref(found))
    frame: ClientFrame = _convert(found, frame_type)
    if isinstance(frame, Draw | Act):
        _check_order(frame, prompt_chars)
    return frame


class _Order(msgspec.Struct, frozen=True):
    """The body of `POST /api/v1/jobs`, before it is known whether it draws or acts."""

    prompt: str | None = None
    mode: Mode = "fast"
    kind: Kind = "imagine"
    images: Annotated[tuple[ImageRef, ...], Meta(max_length=IMAGE_COUNT_MAX)] = ()
    action: Id | None = None
    index: Index | None = None
    parent: Id | None = None
    webhook: ImageRef | None = None


def decode_order(
    body: bytes, ref: str, *, prompt_chars: int = LIMITS.prompt_chars, frame_bytes: int = LIMITS.frame_bytes
) -> tuple[Draw | Act, str | None]:
    """Reads the JSON body of `POST /api/v1/jobs` as (the frame that asks for the same, the webhook URL or None).

    `ref` is the `Idempotency-Key` or one the caller made up. Raises `ClientMistake` bad_frame or bad_prompt.
    """
    order = _convert(_read_map(body, JSON, frame_bytes, BODY), _Order)
    draft: dict[str, Any] = {"ref": ref}
    if order.action is None and order.parent is None:
        draft |= {"prompt": order.prompt or "", "mode": order.mode, "kind": order.kind, "images": order.images}
        frame: Draw | Act = _convert(draft, Draw)
    elif order.action is None or order.parent is None:
        raise ClientMistake("bad_frame", "An action needs both `action` and `parent` (the job to act on).", ref)
    else:
        draft |= {"job": order.parent, "action": order.action, "index": order.index, "prompt": order.prompt}
        draft["images"] = order.images
        frame = _convert(draft, Act)
    _check_order(frame, prompt_chars)
    return frame, order.webhook


def encode(frame: ClientFrame | ServerFrame, subprotocol: str) -> bytes | str:
    """The frame as sent: bytes for msgpack (a binary frame), str for JSON (a text frame)."""
    if subprotocol == MSGPACK:
        packed: bytes = msgpack.packb(msgspec.to_builtins(frame), use_bin_type=True)
        return packed
    return msgspec.json.encode(frame).decode()


def decode_server(data: bytes | str, subprotocol: str) -> ServerFrame:
    """Reads one frame from a server (for `limner draw` and tests); raises ValueError on what is not one."""
    found = msgpack.unpackb(data, raw=False) if subprotocol == MSGPACK else msgspec.json.decode(data)
    return server_frame(found)


def to_map(frame: ClientFrame | ServerFrame) -> dict[str, Any]:
    """The frame as a map of plain values, `type` included: what is stored of an event."""
    found: dict[str, Any] = msgspec.to_builtins(frame)
    return found


def server_frame(found: dict[str, Any]) -> ServerFrame:
    """The frame of a map as `to_map` made it; raises `msgspec.ValidationError` (a ValueError) otherwise."""
    frame: ServerFrame = msgspec.convert(found, ServerFrame)
    return frame


def rfc3339(unix: float) -> str:
    """A unix time in seconds as RFC 3339, UTC, milliseconds: `2026-08-06T12:00:00.000Z`."""
    return datetime.fromtimestamp(round(unix, 3), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix_time(text: str) -> float:
    """The unix seconds of an RFC 3339 time; raises ValueError if it is not one."""
    return datetime.fromisoformat(text).timestamp()


def _read_map(data: bytes | str, subprotocol: str, frame_bytes: int, noun: str = FRAME) -> dict[str, Any]:
    """The map in a frame or (`noun`) a body, its nulls left out; raises `ClientMistake` bad_frame."""
    if len(data) > frame_bytes:
        raise ClientMistake("bad_frame", f"The {noun} is larger than {frame_bytes} bytes; send less.")
    wanted = ("one msgpack map" if subprotocol == MSGPACK else "one JSON object") + SHAPES[noun]
    try:
        if subprotocol == MSGPACK:
            if isinstance(data, str):
                raise ClientMistake("bad_frame", f"{MSGPACK} wants binary frames, this one was text.")
            found = msgpack.unpackb(data, raw=False, strict_map_key=True, max_ext_len=0)
        else:
            found = msgspec.json.decode(data)
    except (ValueError, msgpack.UnpackException, RecursionError) as fault:
        raise ClientMistake("bad_frame", f"The {noun} could not be read; send {wanted}.") from fault
    if not isinstance(found, dict):
        raise ClientMistake("bad_frame", f"A {noun} is {wanted}; this was something else.")
    return {key: value for key, value in found.items() if isinstance(key, str) and value is not None}


def _convert(found: dict[str, Any], frame_type: type[Any]) -> Any:
    try:
        return msgspec.convert(found, frame_type)
    except (msgspec.ValidationError, RecursionError) as fault:
        # msgspec says what was expected and where; only for an unknown word does it repeat the value, which might be
        # a prompt or key in the wrong place.
        what = _VALUE.sub("Unknown value", str(fault))
        raise ClientMistake("bad_frame", f"{what}; correct it and send again.", _legible_ref(found)) from None


def _legible_ref(found: dict[str, Any]) -> str | None:
    ref = found.get("ref")
    return ref if isinstance(ref, str) and 1 <= len(ref) <= 64 and ref.isprintable() else None


def _check_order(frame: Draw | Act, prompt_chars: int) -> None:
    """Raises `ClientMistake` bad_prompt for a prompt or pictures that cannot be drawn as they stand."""
    prompt = frame.prompt or ""
    fault = None
    if len(prompt) > prompt_chars:
        fault = f"The prompt has {len(prompt)} characters; {prompt_chars} are allowed."
    elif "\x00" in prompt or any("\ud800" <= char <= "\udfff" for char in prompt):
        fault = "The prompt holds characters that are no text; remove them."
    else:
        fault = _draw_fault(frame) if isinstance(frame, Draw) else _act_fault(frame)
    if fault is not None:
        raise ClientMistake("bad_prompt", fault, frame.ref)


def _draw_fault(draw: Draw) -> str | None:
    least, most = IMAGE_COUNTS[draw.kind]
    if draw.kind in ("imagine", "shorten") and not draw.prompt.strip():
        return "The prompt is empty; say what to draw."
    if not least <= len(draw.images) <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        return f"{draw.kind} takes {wanted} images; {len(draw.images)} were given."
    return _images_fault(draw.images)


def _act_fault(act: Act) -> str | None:
    if act.action == MASKED_ACTION and len(act.images) != 1:
        return f"{MASKED_ACTION} takes one image: the mask, white where to draw anew."
    if act.action != MASKED_ACTION and act.images:
        return f"{act.action} takes no images."
    return _images_fault(act.images)


def _images_fault(images: tuple[str, ...]) -> str | None:
    if any("://" in image and not image.startswith("https://") for image in images):
        return "Images are upload ids or https:// addresses."
    return None
