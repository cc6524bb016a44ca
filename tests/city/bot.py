"""The drawing bot of the city: takes interactions, draws a few at a time an account, and tells of it as observed.

INTERACTION_CREATE, INTERACTION_SUCCESS, start message A with the nonce, its edits, result B under a new id, A deleted;
refusals as embeds, forms as modals, texts as edits. The words are sim.grammar's; the disorder is the weather's. Of the
three traces of an interaction (CREATE, SUCCESS, A) one is never lost: Discord may lose events, but a RESUME that holds
no trace at all of what it took would prove a lie.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sim import grammar
from sim.embeds import NOTICES
from sim.grammar import LOOKS

if TYPE_CHECKING:
    from tests.city.discord import Channel, Discord, Resident, Row

BOT_ID = "936929561302675456"
BOT = {"id": BOT_ID, "username": "Midjourney Bot", "bot": True}
WAITING, RUNNING, OVER = "waiting", "running", "over"
RUNNING_MAX = 3
WAITING_MAX = 10
EPHEMERAL, LOADING = 1 << 6, 1 << 7
LATE_S_MAX = 4.0
QUEUED_S = 2.0
DRAW_S = (3.0, 9.0)
#: (share of the time, percent) of what is shown of a drawing.
STAGES = ((0.25, 15), (0.5, 46), (0.75, 78))
TRACES = ("INTERACTION_CREATE", "INTERACTION_SUCCESS", "MESSAGE_CREATE")
#: Said at once instead of drawing. The first two say for certain that nothing was drawn: another attempt is allowed.
REFUSALS = ("queue_full", "credits_exhausted", "banned_prompt")


@dataclass(eq=False)
class Piece:
    """One accepted interaction that draws or tells. `trace` is the one that the weather may not lose."""

    resident: Resident
    channel: Channel
    row: Row
    interaction: dict[str, Any]
    kind: str
    prompt: str
    shown: str
    hash: str
    trace: str
    index: int = 1
    tone: str = ""
    mode: str = "fast"
    reply_to: str | None = None
    state: str = WAITING
    follow_up: bool = False
    stuck: bool = False
    ends_in: str | None = None
    start: dict[str, Any] | None = None
    paths: list[str] = field(default_factory=list)
    handles: list[asyncio.Handle] = field(default_factory=list)

    @property
    def draws(self) -> bool:
        return self.kind in LOOKS


class Bot:
    """`take` a piece; the rest happens by itself."""

    def __init__(self, discord: Discord) -> None:
        self.discord, self.loop = discord, discord.loop
        self.dice, self.weather = discord.dice, discord.weather
        self.draw_s, self.running_max = DRAW_S, RUNNING_MAX
        self.pieces: dict[str, Piece] = {}
        #: Of each account, what was taken and is not over, in order.
        self.busy: dict[str, list[Piece]] = {resident.name: [] for resident in discord.residents}
        #: How many pieces that are over are remembered, with their messages and pictures; None: all of them.
        self.remembered_max: int | None = None
        self.ended: deque[Piece] = deque()

    # --- taking ---

    def take(self, piece: Piece) -> None:
        """Refuse, postpone or begin."""
        self.pieces[piece.hash] = piece
        self.busy[piece.resident.name].append(piece)
        self._tell_interaction(piece, "INTERACTION_CREATE")
        refusal = next((notice for notice in REFUSALS if piece.draws and self.weather.strikes(notice)), None)
        full = piece.draws and self._running(piece.resident) >= self.running_max
        if refusal is None and full and self._waiting(piece.resident) >= WAITING_MAX:
            refusal = "queue_full"
        if refusal is not None:
            self._tell_interaction(piece, "INTERACTION_SUCCESS")
            self._notify(piece, refusal)
            piece.row.outcome = refusal
            self._end(piece)
        elif piece.draws and (full or self.weather.strikes("job_queued")):
            piece.follow_up = True
            self._tell_interaction(piece, "INTERACTION_SUCCESS")
            self._notify(piece, "job_queued")
            self.loop.call_later(QUEUED_S, self._fill, piece.resident)
        else:
            self._begin(piece)

    def _begin(self, piece: Piece) -> None:
        piece.state = RUNNING
        piece.stuck = piece.draws and self.weather.strikes("never_finishes")
        if piece.draws and self.weather.strikes("moderated"):
            piece.ends_in = "moderated"
        elif piece.draws and self.weather.strikes("broken_off"):
            piece.ends_in = "broken"
        seconds = self.dice.uniform(*self.draw_s) * (LOOKS[piece.kind].share if piece.draws else 0.3)
        self._in(0.1, self._tell_interaction, piece, "INTERACTION_SUCCESS")
        self._in(0.3, self._start, piece)
        if not piece.draws:
            self._in(0.4 + seconds, self._tell, piece)
            return
        for share, percent in STAGES:
            self._in(0.4 + share * seconds, self._progress, piece, percent)
        if not piece.stuck:
            self._in(0.4 + seconds, self._finish, piece)

    def _in(self, seconds: float, step: Callable[..., None], piece: Piece, *more: Any) -> None:
        piece.handles.append(self.loop.call_later(seconds, step, piece, *more))

    def _fill(self, resident: Resident) -> None:
        for piece in self.busy[resident.name]:
            if piece.state == WAITING and self._running(resident) < self.running_max:
                self._begin(piece)

    def _running(self, resident: Resident) -> int:
        return sum(piece.state == RUNNING and piece.draws for piece in self.busy[resident.name])

    def _waiting(self, resident: Resident) -> int:
        return sum(piece.state == WAITING for piece in self.busy[resident.name])

    # --- steps ---

    def _start(self, piece: Piece) -> None:
        content = self._content(piece, "Waiting to start") if piece.draws else ""
        piece.start = self._message(piece, content=content, flags=0 if piece.draws else LOADING)
        self._say(piece, "MESSAGE_CREATE", piece.start, None if piece.follow_up else piece.row.nonce)

    def _progress(self, piece: Piece, percent: int) -> None:
        if piece.ends_in is not None and percent >= 46:
            self._break_off(piece, piece.ends_in)
            return
        name = f"{piece.hash}_grid_0.webp"
        changes = {"content": self._content(piece, f"{percent}%", piece.mode)}
        changes |= {"components": grammar.Buttons("cancel", piece.hash).shown()}
        self._edit(piece, **changes, attachments=[self.discord.cdn.attach(piece.channel.id, name, piece)])

    def _finish(self, piece: Piece) -> None:
        name = grammar.result_filename(piece.resident.name, piece.shown, piece.hash)
        result = self._message(
            piece,
            content=grammar.final_content(
                piece.kind, piece.shown, piece.resident.user_id, piece.index, piece.tone, piece.mode
            ),
            components=grammar.result_buttons(piece.kind, piece.hash).shown(),
            attachments=[self.discord.cdn.attach(piece.channel.id, name, piece)],
        )
        piece.row.outcome, piece.row.message_id = "done", result["id"]
        self._say(
            piece, "MESSAGE_CREATE", result, piece.row.nonce if self.weather.strikes("final_with_nonce") else None
        )
        if not self.weather.strikes("start_not_deleted"):
            wait_s = LATE_S_MAX if self.weather.strikes("start_deleted_late") else 0.2
            self.loop.call_later(wait_s, self._delete, piece)
        self._over(piece)

    def _delete(self, piece: Piece) -> None:
        if piece.start is not None and piece.channel.messages.pop(piece.start["id"], None) is not None:
            gone = {"id": piece.start["id"], "channel_id": piece.channel.id}
            self._publish("MESSAGE_DELETE", gone, piece)

    def _tell(self, piece: Piece) -> None:
        embed = {
            "type": "rich",
            "title": "Shortened prompts" if piece.kind == "shorten" else "",
            "description": f"1️⃣ {piece.prompt[:40] or piece.row.inputs[0]}",
            "color": 3447003,
        }
        self._edit(piece, flags=0, embeds=[embed])
        piece.row.outcome = "done"
        self._over(piece)

    def tell_seed(self, resident: Resident, message_id: str) -> None:
        """In a direct message, which may be lost; of the account's own results only."""
        piece = next((each for each in self.pieces.values() if each.row.message_id == message_id), None)
        if piece is not None and piece.resident is resident and not self.weather.strikes("event_lost"):
            told = f"**{piece.shown}**\n**Job ID**: {piece.hash}\n**seed** {int(piece.hash[:8], 16)}"
            message = {"id": self.discord.snowflake(), "channel_id": f"dm-{resident.name}", "author": {"id": BOT_ID}}
            self.discord.gateway.publish(resident.name, "MESSAGE_CREATE", message | {"content": told})

    def _break_off(self, piece: Piece, notice: str) -> None:
        embed = NOTICES[notice].embed()
        if notice == "moderated" and piece.start is not None:
            reply = self._message(piece, embeds=[embed])
            reply["message_reference"] = {"message_id": piece.start["id"]}
            self._say(piece, "MESSAGE_CREATE", reply)
        else:
            content = grammar.title(piece.shown, "", piece.resident.user_id, piece.index, piece.tone)
            self._edit(piece, content=content, embeds=[embed], components=[], attachments=[])
        piece.row.outcome = notice
        self._over(piece)

    def cancel(self, hashed: str) -> None:
        """The button under a running drawing."""
        piece = self.pieces.get(hashed)
        if piece is not None and piece.state != OVER:
            self._edit(piece, content=self._content(piece, "Stopped"), components=[])
            piece.row.outcome = "cancelled"
            self._over(piece)

    def _over(self, piece: Piece) -> None:
        for handle in piece.handles:
            handle.cancel()
        piece.handles.clear()
        self._end(piece)
        self.loop.call_soon(self._fill, piece.resident)

    def _end(self, piece: Piece) -> None:
        piece.state = OVER
        self.busy[piece.resident.name].remove(piece)
        if self.remembered_max is not None:
            self.ended.append(piece)
            if len(self.ended) > self.remembered_max:
                self._forget(self.ended.popleft())

    def _forget(self, piece: Piece) -> None:
        """Nobody asks for it any more."""
        self.pieces.pop(piece.hash, None)
        for message in (piece.start["id"] if piece.start else None, piece.row.message_id):
            piece.channel.messages.pop(message or "", None)
        self.discord.cdn.forget(piece.paths)

    # --- speaking ---

    def _tell_interaction(self, piece: Piece, name: str) -> None:
        data = {"id": piece.row.interaction_id, "nonce": piece.row.nonce}
        self._publish(name, data, piece, private=True, precious=piece.trace == name)

    def _notify(self, piece: Piece, notice: str) -> None:
        message = self._message(piece, flags=EPHEMERAL, embeds=[NOTICES[notice].embed()])
        precious = piece.trace == "MESSAGE_CREATE"
        self._publish("MESSAGE_CREATE", message | {"nonce": piece.row.nonce}, piece, private=True, precious=precious)

    def _say(self, piece: Piece, name: str, message: dict[str, Any], nonce: str | None = None) -> None:
        piece.channel.messages[message["id"]] = message
        self._publish(name, dict(message), piece, nonce=nonce, precious=nonce is not None and piece.trace == name)

    def _edit(self, piece: Piece, **changes: Any) -> None:
        if piece.start is not None:
            piece.start.update(changes)
            self._say(piece, "MESSAGE_UPDATE", piece.start)

    def _publish(
        self,
        name: str,
        data: dict[str, Any],
        piece: Piece,
        nonce: str | None = None,
        private: bool = False,
        precious: bool = False,
    ) -> None:
        """To all who see the channel, or to the account alone; lost, late or twice."""
        if self.weather.strikes("event_lost") and not precious:
            self.discord.note(f"lost {name} {data.get('id')}")
            return
        viewers = [piece.resident] if private else piece.channel.residents
        times = 2 if self.weather.strikes("event_twice") else 1
        for _ in range(times):
            late_s = self.dice.uniform(0.0, LATE_S_MAX) if self.weather.strikes("event_late") else 0.0
            for viewer in viewers:
                shown = data | {"nonce": nonce} if nonce is not None and viewer is piece.resident else data
                if late_s:
                    self.loop.call_later(late_s, self.discord.gateway.publish, viewer.name, name, shown)
                else:
                    self.discord.gateway.publish(viewer.name, name, shown)

    def _content(self, piece: Piece, state: str, mode: str = "") -> str:
        return grammar.running_content(
            piece.kind, piece.shown, piece.resident.user_id, piece.index, piece.tone, state, mode
        )

    def _message(self, piece: Piece, **fields: Any) -> dict[str, Any]:
        message = {
            "id": self.discord.snowflake(),
            "channel_id": piece.channel.id,
            "author": BOT,
            "application_id": BOT_ID,
            "content": "",
            "attachments": [],
            "embeds": [],
            "components": [],
            "flags": 0,
        }
        if not self.discord.drops_metadata:
            message["interaction_metadata"] = piece.interaction
        if piece.reply_to is not None:
            message["message_reference"] = {"message_id": piece.reply_to}
        return message | fields


def hash_of(dice: Any) -> str:
    """A new job's uuid."""
    drawn = dice.randbytes(16).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-4{drawn[13:16]}-a{drawn[17:20]}-{drawn[20:]}"
