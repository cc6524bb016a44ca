"""Uploads: a user's own pictures to draw from, checked before they are kept where accounts look for them."""

from __future__ import annotations

import asyncio

from actors.account_uploads import upload_path
from actors.process import Process
from actors.thumbnails import BadPicture, check
from protocol.api import Answer, Refusal, UploadKept
from storage.pictures import PictureTrouble
from system.message import Message

#: Uploads of one user at a time; each holds its bytes in memory.
UPLOADS_MAX = 4


class Uploaded(Message, frozen=True):
    """An upload is kept or refused: the answer to who asked."""

    socket: str
    answer: Answer


async def keep(process: Process, user: str, upload: str, data: bytes) -> Answer:
    """Decodes the picture in the process pool, and keeps its bytes under the user's name."""
    try:
        await asyncio.get_running_loop().run_in_executor(process.pool, check, data)
        await process.pictures.put(upload_path(user, upload), data)
    except BadPicture as why:
        return Refusal("bad_prompt", f"This cannot be drawn from: {why}.")
    except PictureTrouble:
        return Refusal("draining", "Pictures cannot be kept now; try again.")
    return UploadKept(upload)
