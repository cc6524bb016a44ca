"""Uploads: from the pictures a user gives to what the drawing bot takes: upload slots, or addresses in the prompt.

A picture is an upload of the user's own (kept under `upload_path`) or a public https address. What was put into
Discord once for a job is remembered, so that another attempt of the job begins at once.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

from actors.account.rest import Rest
from actors.shell import Shell
from actors.thumbnails import EXTENSIONS, media_type_of
from core.config import AccountConfig
from core.ids import new_nonce
from protocol import rest
from protocol.answers import picture_urls_in
from protocol.drawing import Upload
from protocol.multipart import File
from storage.operations import JobRecord
from storage.pictures import Missing, PictureTrouble
from system.links import NOT_PUBLIC, LinkBroken, TooLarge

INPUT_S_MAX = 20.0
JOBS_REMEMBERED_MAX = 1_000
#: Too large (40005), or not a body that Discord takes: it would not take it the next time either.
REFUSED_STATUSES = frozenset({400, 413})
#: What an upload may be called; anything else is no name of ours, and could lead out of its folder.
UPLOAD_ID = re.compile(r"[0-9A-Za-z]{1,64}")


class BadInput(Exception):
    """A picture of the user's cannot be used; says why, for the user."""


def upload_path(user: str, upload: str) -> str:
    """Where in the image store an upload is kept; it is found by its owner's jobs only.

    Raises Missing for what is no id of an upload, which could lead elsewhere.
    """
    if not UPLOAD_ID.fullmatch(upload):
        raise Missing(upload)
    return f"uploads/{user}/{upload}"


def is_address(image: str) -> bool:
    """Whether a picture that a user names is out in the world; else it is an upload."""
    return image.startswith("https://")


class Uploads:
    """One an account."""

    def __init__(self, owner: Shell, account: AccountConfig, calls: Rest) -> None:
        self._owner = owner
        self._account = account
        self._rest = calls
        self._slots: OrderedDict[str, tuple[Upload, ...]] = OrderedDict()
        self._addresses: OrderedDict[str, tuple[str, ...]] = OrderedDict()

    async def slots(self, job: JobRecord) -> tuple[Upload, ...]:
        """The job's pictures in upload slots. Raises BadInput, LinkBroken."""
        if job.id not in self._slots:
            found = [await self._put(await self._bytes(job.user, image)) for image in job.images_in]
            _remember(self._slots, job.id, tuple(found))
        return self._slots[job.id]

    async def mask(self, job: JobRecord) -> bytes:
        """The one picture of an act: where to draw anew. Raises BadInput."""
        return await self._bytes(job.user, job.images_in[0])

    async def addresses(self, job: JobRecord) -> tuple[str, ...]:
        """The job's pictures as addresses that the bot can fetch. Raises BadInput, LinkBroken."""
        if job.id not in self._addresses:
            found = [
                image if is_address(image) else await self._publish(await self._bytes(job.user, image))
                for image in job.images_in
            ]
            _remember(self._addresses, job.id, tuple(found))
        return self._addresses[job.id]

    async def _bytes(self, user: str, image: str) -> bytes:
        limit_bytes = self._owner.process.config.limits.upload_bytes
        try:
            if not is_address(image):
                return await self._owner.process.pictures.get(upload_path(user, image))
            fetched = await self._owner.process.links.fetch(image, limit_bytes, INPUT_S_MAX, public_only=True)
        except Missing:
            raise BadInput(f"there is no upload {image}") from None
        except TooLarge:
            raise BadInput(f"a picture is larger than {limit_bytes} bytes") from None
        except LinkBroken as broken:  # its words are for the log
            why = broken.why if broken.why == NOT_PUBLIC else "nothing answers at its address"
            raise BadInput(f"a picture could not be fetched: {why}") from None
        except PictureTrouble:
            raise BadInput("a picture could not be read just now; upload it again") from None
        if fetched.status != 200:
            raise BadInput(f"a picture could not be fetched: HTTP {fetched.status}")
        return fetched.data

    async def _put(self, data: bytes) -> Upload:
        """Puts one picture into a slot of Discord's."""
        media_type = _media_type(data)
        filename = _filename(media_type)
        answer = await self._rest.read(rest.post_attachments(self._account.channel_id, filename, len(data)))
        slot = rest.upload_slot(answer.body)
        if answer.status in REFUSED_STATUSES:
            raise BadInput(f"Discord does not take a picture (HTTP {answer.status})")
        if slot is None:
            raise LinkBroken(f"no upload slot (HTTP {answer.status})", False)
        status = await self._owner.process.links.put(slot.upload_url, data, media_type)
        if not 200 <= status < 300:
            raise LinkBroken(f"the upload was not taken (HTTP {status})", False)
        return Upload(filename, slot.upload_filename)

    async def _publish(self, data: bytes) -> str:
        """Posts one picture in the channel; its address there. No answer: it is posted again, and there is one."""
        nonce = new_nonce(self._owner.wall(), self._owner.dice)
        files: tuple[File, ...] = ()
        if self._account.kind == "bot":  # upload slots are for users
            media_type = _media_type(data)
            files = (File(_filename(media_type), media_type, data),)
            attachment = {"id": "0", "filename": files[0].filename}
        else:
            upload = await self._put(data)
            attachment = {"id": "0", "filename": upload.filename, "uploaded_filename": upload.uploaded_filename}
        body = {"content": "", "attachments": [attachment]}
        answer = await self._rest.read(rest.post_message(self._account.channel_id, body, nonce, files))
        if answer.status in REFUSED_STATUSES:
            raise BadInput(f"Discord does not take a picture (HTTP {answer.status})")
        urls = picture_urls_in(answer.body)
        if not urls:
            raise LinkBroken(f"the picture was not posted (HTTP {answer.status})", False)
        return urls[0]


def _media_type(data: bytes) -> str:
    media_type = media_type_of(data)
    if media_type is None:
        raise BadInput("a picture is no PNG, JPEG or WebP")
    return media_type


def _filename(media_type: str) -> str:
    return f"picture.{EXTENSIONS[media_type]}"


def _remember(memory: OrderedDict[str, Any], job: str, found: Any) -> None:
    memory[job] = found
    if len(memory) > JOBS_REMEMBERED_MAX:
        memory.popitem(last=False)
