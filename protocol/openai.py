"""An image API of OpenAI's kind, from the asking side: the one request that draws, and what became of it.

`POST BASE/images/generations` {model, prompt, n, size?} is answered with {data: [{b64_json | url}]}; what is refused
with {error: {message, type, code, param}}, whose `code` and `type` differ from server to server more than the statuses
do. `GET BASE/models` costs nothing and tells whether the server is there and takes the token. A drawing is not
idempotent here either, and there is no second way to learn of it: an answer that is lost stays lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from protocol.tolerant import UNREADABLE, Reader

MESSAGE_CHARS_MAX = 300
#: A server that is busy and does not say for how long.
BUSY_S = 10.0
BUSY_S_MAX = 600.0
#: Nor is one that says "at once" asked again without a pause.
BUSY_S_MIN = 1.0
#: Redirects that mean: ask there instead.
MOVED = frozenset({301, 302, 307, 308})
#: `--ar 3:2` and the like, which end a prompt, are the drawing bot's grammar: for other painters they are noise.
_FIRST_FLAG = re.compile(r"(?:^|\s)(?:--|—)(?=[A-Za-z])")


class Call(msgspec.Struct, frozen=True):
    """One HTTP request. `headers` hold the token and `body` the prompt: neither shows."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None

    def __repr__(self) -> str:
        return f"Call({self.method} {self.url})"


def get_models(base: str, token: str) -> Call:
    """Asks whether it is there and takes the token."""
    return Call("GET", f"{base.rstrip('/')}/models", _headers(token), None)


def post_generation(base: str, token: str, model: str, prompt: str, size: str, nonce: str) -> Call:
    """Asks for one picture. `size` empty: the server's own. The nonce is for servers that know a request again."""
    body = {"model": model, "prompt": prompt_for(prompt), "n": 1} | ({"size": size} if size else {})
    headers = _headers(token) | {"Content-Type": "application/json", "Idempotency-Key": nonce}
    return Call("POST", f"{base.rstrip('/')}/images/generations", headers, json.dumps(body).encode())


def prompt_for(prompt: str) -> str:
    """The prompt without the drawing bot's flags."""
    return _FIRST_FLAG.split(prompt, maxsplit=1)[0].strip() or prompt


def _headers(token: str) -> dict[str, str]:
    return {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})


# --- what became of it ---


class Painted(msgspec.Struct, frozen=True):
    """A picture: its bytes, or (`data` None) the address at which it is to be had for a while."""

    data: bytes | None
    url: str | None


class Refused(msgspec.Struct, frozen=True):
    """The server did not draw it, and says so.

    `kind`: `prompt` it does not draw such things; `input` the prompt cannot be read; `busy` another try after `after_s`
    may go better; `credits` nothing is left to pay with; `token` and `rights` the account is not let in; `setup` the
    server knows no such address or model; `other` nothing helps.
    """

    kind: Literal["prompt", "input", "busy", "credits", "token", "rights", "setup", "other"]
    message: str
    after_s: float = 0.0


class Doubtful(msgspec.Struct, frozen=True):
    """It may have been drawn: never ask again."""

    why: str


Outcome: TypeAlias = Painted | Refused | Doubtful


class _Picture(msgspec.Struct):
    b64_json: bytes | None = None
    url: str | None = None


class _Answer(msgspec.Struct):
    data: list[_Picture]


_ANSWER = msgspec.json.Decoder(_Answer)

#: Words in `code` or `type` of an error, the first that fits counts.
_BANNED = ("content_policy", "moderation", "safety", "content_filter", "image_generation_user_error", "nsfw")
_UNPAID = ("insufficient_quota", "billing", "credit", "payment")
_UNKNOWN = ("model_not_found", "invalid_model", "unknown_url")


def outcome(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """What became of `post_generation`, by the whole answer. Header names in lower case."""
    if status == 200:
        return _painted(body)
    if status == 429 or status == 402:
        words, message = _error(body)
        if status == 402 or _has(words, _UNPAID):
            return Refused("credits", message or "nothing is left to pay with")
        return Refused("busy", message or "too many requests", _after_s(headers))
    if status in MOVED:
        return Refused("setup", f"HTTP {status}: its address is another one")
    # 408 is an intermediary's time-out: the request may have gone on.
    if not 400 <= status < 500 or status == 408:
        return Doubtful(f"HTTP {status}")
    words, message = _error(body)
    message = message or f"HTTP {status}"
    if status == 401:
        return Refused("token", message)
    if _has(words, _BANNED):
        return Refused("prompt", message)
    if _has(words, _UNPAID):
        return Refused("credits", message)
    if status == 403:
        return Refused("rights", message)
    if status in (404, 405) or _has(words, _UNKNOWN):
        return Refused("setup", message)
    return Refused("input" if "param:prompt" in words else "other", message)


def _painted(body: bytes) -> Outcome:
    try:
        answer = _ANSWER.decode(body)
    except UNREADABLE:
        return Refused("other", "the image API answered with something that is no picture")
    for picture in answer.data:
        if picture.b64_json:
            return Painted(picture.b64_json, None)
        if picture.url is not None and picture.url.startswith(("http://", "https://")):
            return Painted(None, picture.url)
    return Refused("other", "the image API answered without a picture")


class _Error(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None


class _Refusal(msgspec.Struct):
    error: _Error | None = None


_REFUSAL = Reader(_Refusal)


def _error(body: bytes) -> tuple[str, str]:
    """What an error's body says: its code, type and parameter in one lower-case string, and its message, in a line."""
    refusal = _REFUSAL.read(body)
    error = (refusal.error if refusal is not None else None) or _Error()
    words = f"{error.code or ''} {error.type or ''} param:{error.param or ''}".lower()
    return words, " ".join((error.message or "").split())[:MESSAGE_CHARS_MAX]


def _has(words: str, any_of: tuple[str, ...]) -> bool:
    return any(word in words for word in any_of)


def _after_s(headers: Mapping[str, str]) -> float:
    """How long a 429 wants us to wait; a date or nonsense is BUSY_S."""
    told: Any = headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        return BUSY_S
    return min(max(seconds, BUSY_S_MIN), BUSY_S_MAX) if seconds == seconds else BUSY_S
