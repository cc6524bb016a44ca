"""A message with files as one `multipart/form-data` body: `payload_json`, then `files[n]`.

`attachments[].id` in the payload is n (discord-api-docs, developers/reference.mdx, "Uploading Files"). Discord takes
25 MiB a request and, by default, 10 MiB a file.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

FILE_BYTES_MAX = 10 << 20
REQUEST_BYTES_MAX = 25 << 20


class File(msgspec.Struct, frozen=True):
    """One file, as bytes."""

    filename: str
    media_type: str
    data: bytes

    def __repr__(self) -> str:
        return f"File({self.media_type}, {len(self.data)} bytes)"


def encode(payload: Any, files: tuple[File, ...]) -> tuple[str, bytes]:
    """(content type, body). The boundary is made from the content, so that no file can hold it but by design."""
    document = msgspec.json.encode(payload)
    digest = hashlib.sha256(document)
    for file in files:
        digest.update(file.data)
    boundary = f"limner-{digest.hexdigest()[:48]}"
    parts = [_part(boundary, 'name="payload_json"', "application/json", document)]
    for number, file in enumerate(files):
        name = f'name="files[{number}]"; filename="{_quoted(file.filename)}"'
        parts.append(_part(boundary, name, file.media_type, file.data))
    return f"multipart/form-data; boundary={boundary}", b"".join([*parts, f"--{boundary}--\r\n".encode()])


def _part(boundary: str, name: str, media_type: str, data: bytes) -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\nContent-Type: {media_type}\r\n\r\n"
    return head.encode() + data + b"\r\n"


def _quoted(filename: str) -> str:
    """What may stand in a header: the rest is replaced, as browsers do."""
    return filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
