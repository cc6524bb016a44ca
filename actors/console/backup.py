"""What operators ask of the database as a whole: a copy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from protocol.client import ClientMistake
from storage.backup import BackupRefused, back_up, check_target
from storage.database import StoreTrouble

PATH_CHARS_MAX = 1024
#: After this the operator is told that it goes on: the web waits no longer than web/exchange.py's ANSWER_S_MAX.
ANSWER_S_MAX = 15.0
#: Under which the desk keeps that one is under way.
UNDER_WAY = "backup"


def make(desk: Desk, asked: AskConsole) -> None:
    """A copy of the database in a new file on this host, while all goes on. One at a time."""
    file = asked.instruct.arguments.get("file")
    if not isinstance(file, str) or not 1 <= len(file) <= PATH_CHARS_MAX or not file.isprintable():
        raise ClientMistake("bad_frame", f"Give file, the path of a new file, 1 to {PATH_CHARS_MAX} characters.")
    try:
        check_target(desk.process.database, Path(file))
    except BackupRefused as refused:
        raise ClientMistake(refused.code, str(refused)) from None
    if desk.kept.get(UNDER_WAY):
        raise ClientMistake("rate_limited", f"A backup to {desk.kept[UNDER_WAY]} is under way; wait for its end.")
    desk.kept[UNDER_WAY] = file
    answered = False

    def overdue() -> None:
        nonlocal answered
        answered = True
        desk.answer(asked, _told(file, None), 202)

    def ended(size_bytes: int | None, refusal: tuple[str, str] | None) -> None:
        desk.settled(ask)
        desk.kept.pop(UNDER_WAY, None)
        if answered:
            desk.log.info("the backup has ended", file=file, bytes=size_bytes, why=refusal and refusal[1])
        elif refusal is not None:
            desk.refuse(asked, *refusal)
        else:
            desk.changed(asked, _told(file, size_bytes))

    async def copy() -> None:
        try:
            loop = asyncio.get_running_loop()
            size_bytes = await loop.run_in_executor(None, back_up, desk.process.database, Path(file))
        except BackupRefused as refused:
            ended(None, (refused.code, str(refused)))
        except StoreTrouble as trouble:
            ended(None, ("draining", f"The backup failed: {trouble.message}."))
        else:
            ended(size_bytes, None)

    ask = desk.expect(ANSWER_S_MAX, lambda words: None, overdue)
    desk.work(copy(), "backup")


def _told(file: str, size_bytes: int | None) -> dict[str, Any]:
    """`bytes` null: it is being written, and is there under its name when it is whole."""
    return {"ok": True, "changed": True, "file": file, "bytes": size_bytes}


INSTRUCTIONS = {("backup", "add"): make}
