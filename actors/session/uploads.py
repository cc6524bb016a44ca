"""Uploads: a user's own pictures to draw from. Checked before they are kept, looked for before an order names them.

One part of the Session actor (see session.py); accounts look for the pictures where they are kept here.
"""

from __future__ import annotations

import asyncio
from typing import Any

from actors.account.uploads import is_address, upload_path
from actors.process import Process
from actors.session.messages import Say
from actors.session.user import SessionUser
from actors.thumbnails import BadPicture, check
from core.ids import new_id
from protocol.api import Answer, Refusal, UploadKept
from protocol.client import Act, Draw, ServerFrame
from storage.forgetting import AddUpload
from storage.operations import Applied, Written
from storage.pictures import Missing, PictureTrouble
from system.message import Message

#: Uploads of one user at a time; each holds its bytes in memory.
UPLOADS_MAX = 4
NOT_KEPT = Refusal("draining", "Pictures cannot be kept now; try again.")


class Uploaded(Message, frozen=True):
    """An upload is kept or refused: the answer to who asked."""

    socket: str
    answer: Answer


class LookedFor(Message, frozen=True):
    """The uploads of an order were looked for; `refusal` None: they are there."""

    socket: str
    by_http: bool
    order: Draw | Act
    refusal: Refusal | None


class SessionUploads(SessionUser):
    """Base of SessionWords."""

    def __init__(self) -> None:
        super().__init__()
        #: Uploads that are being kept, and orders whose pictures are being looked for.
        self.uploading = self.looking = 0

    def say(self, socket: str, words: ServerFrame | Answer) -> None:
        """To one socket or request."""
        self.tell("gate", Say(socket, words))

    def keep_upload(self, socket: str, data: bytes) -> None:
        """Check and keep a picture; the answer goes to `socket`."""
        if self.uploading >= UPLOADS_MAX:
            self.say(socket, Refusal("rate_limited", "Other uploads are under way; wait for them."))
            return
        upload = new_id("p", self.wall(), self.dice)
        self.uploading += 1

        async def kept() -> Uploaded:
            return Uploaded(socket, await keep(self.process, self.subject, upload, data))

        def noted(outcome: Written) -> None:
            if isinstance(outcome, Applied):
                self.work(kept(), "upload")
            else:
                self._uploaded(socket, NOT_KEPT)

        note = AddUpload(upload, self.subject, upload_path(self.subject, upload), self.wall())
        self.store.commit(note, noted, lambda why: self._uploaded(socket, NOT_KEPT))

    def receiveMsg_Uploaded(self, uploaded: Uploaded, sender: Any) -> None:
        self._uploaded(uploaded.socket, uploaded.answer)

    def _uploaded(self, socket: str, answer: Answer) -> None:
        self.uploading -= 1
        self.say(socket, answer)

    def look_for_uploads(self, order: Draw | Act, socket: str, by_http: bool) -> bool:
        """Whether the order names uploads: then LookedFor tells whether they are there."""
        uploads = [image for image in order.images if not is_address(image)]
        if not uploads:
            return False
        self.looking += 1

        async def looked() -> LookedFor:
            return LookedFor(socket, by_http, order, await missing(self.process, self.subject, order.images))

        self.work(looked(), "look for uploads")
        return True


async def keep(process: Process, user: str, upload: str, data: bytes) -> Answer:
    """Decodes the picture in the process pool, and keeps its bytes under the user's name."""
    try:
        await asyncio.get_running_loop().run_in_executor(process.pool, check, data)
        await process.pictures.put(upload_path(user, upload), data)
    except BadPicture as why:
        return Refusal("bad_prompt", f"This cannot be drawn from: {why}.")
    except PictureTrouble:
        return NOT_KEPT
    return UploadKept(upload)


async def missing(process: Process, user: str, images: tuple[str, ...]) -> Refusal | None:
    """Why these pictures cannot be drawn from: one is no upload of this user's. Addresses are not looked at."""
    for number, image in enumerate(images, 1):
        try:
            if not is_address(image) and not await process.pictures.has(upload_path(user, image)):
                raise Missing(image)
        except Missing:
            return Refusal("not_found", f"Image {number} names no upload of yours; upload the picture (again).")
        except PictureTrouble:
            return Refusal("draining", "Your uploads cannot be looked up now; try again in a moment.")
    return None
