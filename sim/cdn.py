"""CDN: links that are signed and expire (RF in facts/discord.md: `?ex&is&hm`), and the files behind them."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from pathlib import Path

from sim.messages import Attachment
from sim.sessions import CDN_HERE
from sim.store import Store
from sim.studio import Studio

LINK_TTL_S = 86_400
ATTACHMENTS_MAX = 200_000
UPLOADS_BYTES_MAX = 256 << 20
UPLOAD_BYTES_MAX = 10 << 20  # per file, by default (rule 24)
HEX = re.compile(r"[0-9a-f]{1,16}")


class Signer:
    """Signs a path for LINK_TTL_S. The host is not part of it: a link outlives a change of port."""

    def __init__(self, secret: str) -> None:
        self.secret = bytes.fromhex(secret)

    def digest(self, path: str, expires: str, issued: str) -> str:
        text = f"{path}?ex={expires}&is={issued}"
        return hmac.digest(self.secret, text.encode(), "sha256").hex()

    def sign(self, path: str, now: float) -> str:
        """The whole link; its host is a placeholder until it is sent."""
        expires, issued = f"{int(now) + LINK_TTL_S:x}", f"{int(now):x}"
        return f"{CDN_HERE}{path}?ex={expires}&is={issued}&hm={self.digest(path, expires, issued)}&"

    def holds(self, path: str, query: Mapping[str, str], now: float) -> bool:
        """Whether the link is ours and not expired."""
        expires, issued, mark = (query.get(name, "") for name in ("ex", "is", "hm"))
        if not (HEX.fullmatch(expires) and HEX.fullmatch(issued)) or int(expires, 16) <= now:
            return False
        return hmac.compare_digest(mark.encode(), self.digest(path, expires, issued).encode())


class Shelf:
    """Every attachment that can be fetched, the oldest forgotten; and the bytes of uploaded ones."""

    def __init__(self, store: Store, studio: Studio) -> None:
        self.store = store
        self.studio = studio
        self.attachments = {attachment.id: attachment for _, attachment in store.load("attachments", Attachment)}
        self.folder: Path | None = None
        if store.folder is not None:
            self.folder = store.folder / "uploads"
            self.folder.mkdir(exist_ok=True)
        self.uploads: dict[str, bytes] = {}
        self.upload_bytes = 0

    def keep(self, attachment: Attachment) -> None:
        self.attachments[attachment.id] = attachment
        self.store.put("attachments", attachment.id.zfill(20), attachment)
        if len(self.attachments) > ATTACHMENTS_MAX:
            self.forget(next(iter(self.attachments)))

    def forget(self, attachment_id: str) -> None:
        self.attachments.pop(attachment_id, None)
        self.store.drop("attachments", attachment_id.zfill(20))

    def keep_upload(self, key: str, data: bytes) -> None:
        """An uploaded body under its key, a file when there is a folder; the oldest go when it is too much."""
        if self.folder is not None:
            (self.folder / key).write_bytes(data)
            return
        self.uploads[key] = data
        self.upload_bytes += len(data)
        while self.upload_bytes > UPLOADS_BYTES_MAX:
            self.upload_bytes -= len(self.uploads.pop(next(iter(self.uploads))))

    def upload(self, key: str) -> bytes | None:
        if not key.isdecimal():
            return None
        if self.folder is not None:
            path = self.folder / key
            return path.read_bytes() if path.exists() else None
        return self.uploads.get(key)

    async def body(self, attachment: Attachment) -> bytes | None:
        if attachment.recipe is None:
            return self.upload(attachment.id)
        if attachment.percent is not None:
            return (await self.studio.preview(attachment.recipe, attachment.percent)).data
        return (await self.studio.picture(attachment.recipe)).data
