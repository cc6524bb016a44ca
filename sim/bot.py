"""Bot: the drawing bot. It takes interactions, keeps to three at a time an account, and lives each by its script.

Each step's effects (messages, events, ledger, the job's stage) are one transaction, so a simulator that was killed
goes on with the next step at the next start.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from typing import Any

from sim import grammar, telling
from sim.embeds import NOTICES
from sim.grammar import Buttons
from sim.identity import DRAWING_BOT_ID, Account, direct_channel
from sim.job import DRAWN, OVER, RUNNING, WAITING, Job, Step, script_of
from sim.ledger import CANCELLED, DONE, FAILED
from sim.messages import EPHEMERAL, LOADING, Attachment, Message
from sim.parts import Parts
from sim.studio import Picture
from sim.voice import Voice

RUNNING_MAX = 3
WAITING_MAX = 10
JOBS_MAX = 50_000  # the oldest are forgotten: their buttons answer no more
JOB_QUEUED_S = 2.0  # how long the fault job_queued holds a drawing back

log = logging.getLogger("sim.bot")


class Bot:
    """`take` a job; the rest happens by itself."""

    def __init__(self, parts: Parts, voice: Voice) -> None:
        self.parts = parts
        self.voice = voice
        self.jobs: dict[str, Job] = {}
        self.lives: dict[str, asyncio.Task[None]] = {}
        self.queues: dict[str, list[Job]] = {}

    def wake_up(self) -> None:
        """Take up what was under way when the simulator last ended."""
        for _, job in self.parts.store.load("jobs", Job):
            self.jobs[job.hash] = job
            if job.state == WAITING:
                self.queues.setdefault(job.account_id, []).append(job)
            elif job.state in (RUNNING, DRAWN):
                self.live(job)
        for account_id in list(self.queues):
            self.fill(account_id)

    def close(self) -> None:
        for life in self.lives.values():
            life.cancel()

    # -- taking ----------------------------------------------------------------------------------------------------

    def take(self, job: Job) -> None:
        """Begin, or queue, or refuse: what the bot does with an interaction that Discord has passed on."""
        waiting = self.queues.setdefault(job.account_id, [])
        account = self.parts.people.by_id[job.account_id]
        held = job.is_drawing and self.parts.faults.take("job_queued", account)
        full = job.is_drawing and self.running(job.account_id) >= RUNNING_MAX
        if full and len(waiting) >= WAITING_MAX:
            self.decline(job, "queue_full")
        elif held or full:
            job.follow_up = True
            self.acknowledge(job)
            self.notify(job, "job_queued")
            job.stage = 1
            waiting.append(job)
            self.keep(job)
            if held:
                asyncio.get_running_loop().call_later(JOB_QUEUED_S, self.fill, job.account_id)
        else:
            self.begin(job)

    def decline(self, job: Job, notice: str, text: str | None = None) -> None:
        """Answer with an ephemeral embed instead of a drawing."""
        self.acknowledge(job)
        self.notify(job, notice, text)
        self.parts.ledger.settle(job.row, NOTICES[notice].outcome)

    def notify(self, job: Job, notice: str, text: str | None = None) -> None:
        message = self.message(job, flags=EPHEMERAL, **NOTICES[notice].said(text))
        self.voice.create(job, message, nonce=job.nonce)

    def begin(self, job: Job) -> None:
        job.state, job.begun_at = RUNNING, time.time()
        self.keep(job)
        self.live(job)

    def fill(self, account_id: str) -> None:
        """Begin waiting jobs while there is room."""
        waiting = self.queues.get(account_id, [])
        while waiting and self.running(account_id) < RUNNING_MAX:
            with self.parts.store:
                self.begin(waiting.pop(0))

    def running(self, account_id: str) -> int:
        return self.parts.counts.running.get(self.parts.people.by_id[account_id].name, 0)

    def count(self, job: Job, change: int) -> None:
        if job.is_drawing:
            counts, name = self.parts.counts, self.parts.people.by_id[job.account_id].name
            counts.running[name] = counts.running.get(name, 0) + change
            counts.running_peak[name] = max(counts.running_peak.get(name, 0), counts.running[name])

    def keep(self, job: Job) -> None:
        self.jobs[job.hash] = job
        self.parts.store.put("jobs", job.hash, job)
        if len(self.jobs) > JOBS_MAX:
            oldest = next(iter(self.jobs))
            self.parts.store.drop("jobs", self.jobs.pop(oldest).hash)

    # -- living ----------------------------------------------------------------------------------------------------

    def live(self, job: Job) -> None:
        if job.state == RUNNING:
            self.count(job, +1)
        task = self.lives[job.hash] = asyncio.get_running_loop().create_task(self.follow_script(job))
        task.add_done_callback(lambda done: self.after_life(job, done))

    def after_life(self, job: Job, done: asyncio.Task[None]) -> None:
        self.lives.pop(job.hash, None)
        if not done.cancelled() and done.exception() is not None:
            log.error("job %s broke", job.hash, exc_info=done.exception())

    async def follow_script(self, job: Job) -> None:
        for step in script_of(job.kind, job.seconds)[job.stage :]:
            await self.wait_for(job, step)
            picture = await self.prepare(job, step)
            with self.parts.store:
                STEPS[step.do](self, job, step, picture)
                job.stage += 1
                self.keep(job)
            if job.state == OVER:
                return

    async def wait_for(self, job: Job, step: Step) -> None:
        now = time.time()
        due = (job.begun_at or now) + step.at * job.seconds
        if step.do == "clear":
            due = now + self.parts.settings.delete_after_s
        if step.do in ("finish", "tell") and job.stuck:
            await asyncio.Event().wait()  # for ever, unless the job is cancelled
        if due > now:
            await asyncio.sleep(due - now)

    async def prepare(self, job: Job, step: Step) -> Picture | None:
        """Paint what the step will show, before its transaction."""
        if step.do == "finish":
            return await self.parts.studio.picture(job.recipe)
        if step.do == "progress" and step.percent:
            return await self.parts.studio.preview(job.recipe, step.percent)
        return None

    # -- steps -----------------------------------------------------------------------------------------------------

    def acknowledge(self, job: Job, step: Step | None = None, picture: Picture | None = None) -> None:
        self.voice.privately("INTERACTION_SUCCESS", job.account_id, {"id": job.origin.id, "nonce": job.nonce}, job)

    def start(self, job: Job, step: Step, picture: Picture | None) -> None:
        message = self.message(job, flags=0 if job.is_drawing else LOADING)
        if job.is_drawing:
            message.content = self.running_content(job, "Waiting to start")
        job.start_id = message.id
        self.voice.create(job, message, nonce=None if job.follow_up else job.nonce)

    def progress(self, job: Job, step: Step, picture: Picture | None) -> None:
        message = self.parts.channels.get(job.channel_id, job.start_id)
        if message is None:
            return
        if job.ends_in is not None and step.percent >= 46:
            self.break_off(job, message, job.ends_in)
            return
        message.content = self.running_content(job, f"{step.percent}%", job.mode)
        message.buttons = Buttons("cancel", job.hash)
        if picture is not None:
            name = f"{job.hash}_grid_0.webp"
            message.attachments = [self.attach(job, name, "image/webp", picture, step.percent)]
        self.voice.update(job, message)

    def finish(self, job: Job, step: Step, picture: Picture | None) -> None:
        assert picture is not None
        message = self.message(job, **self.result(job, picture))
        job.final_id, job.state = message.id, DRAWN
        self.voice.create(job, message, nonce=job.nonce if self.parts.settings.final_nonce else None)
        self.parts.ledger.settle(job.row, DONE, message.id, hashlib.sha256(picture.data).hexdigest())
        self.leave(job)

    def result(self, job: Job, picture: Picture) -> dict[str, Any]:
        """What a message shows of a finished drawing."""
        name = grammar.result_filename(self.parts.people.by_id[job.account_id].name, job.shown, job.hash)
        return {
            "content": grammar.final_content(job.kind, job.shown, job.account_id, job.index, job.tone, job.mode),
            "attachments": [self.attach(job, name, "image/png", picture)],
            "buttons": grammar.result_buttons(job.kind, job.hash),
        }

    def show(self, job: Job, shown: Job) -> None:
        """Answer `job` with the result of another once more; whether its message is still there or not."""

        async def follow() -> None:
            picture = await self.parts.studio.picture(shown.recipe)
            with self.parts.store:
                self.voice.create(job, self.message(job, **self.result(shown, picture)), nonce=job.nonce)
                self.voice.flush(job)

        task = self.lives[job.hash] = asyncio.get_running_loop().create_task(follow())
        task.add_done_callback(lambda done: self.after_life(job, done))

    def clear(self, job: Job, step: Step, picture: Picture | None) -> None:
        message = self.parts.channels.get(job.channel_id, job.start_id)
        if message is not None and not self.parts.settings.no_delete:
            self.voice.delete(job, message)
        self.voice.flush(job)
        job.state = OVER

    def tell(self, job: Job, step: Step, picture: Picture | None) -> None:
        message = self.parts.channels.get(job.channel_id, job.start_id)
        if message is not None:
            if job.kind == "prefer remix":
                self.parts.preferences.toggle_remix(job.account_id)
            told = telling.answer(job, self.running(job.account_id), self.parts.preferences.of(job.account_id))
            message.flags = 0
            message.content, message.embeds, message.buttons = told.content, told.embeds, told.buttons
            self.voice.update(job, message)
        self.voice.flush(job)
        self.parts.ledger.settle(job.row, DONE, job.start_id)
        job.state = OVER

    def tell_seed(self, message: Message, account: Account) -> None:
        """A direct message with the seed of the account's own job whose result `message` is."""
        job = next((job for job in self.jobs.values() if job.final_id == message.id), None)
        if job is None or job.account_id != account.id:
            return
        seed = int.from_bytes(hashlib.sha256(job.recipe.seed.encode()).digest()[:4], "big")
        text = f"**{job.shown}**\n**Job ID**: {job.hash}\n**seed** {seed}"
        answer = self.message(job, channel_id=direct_channel(account), content=text, origin=None, reply_to=None)
        answer.attachments = message.attachments
        with self.parts.store:
            self.voice.create(job, answer)
            self.voice.flush(job)

    # -- ends before the end ---------------------------------------------------------------------------------------

    def break_off(self, job: Job, message: Message, notice: str) -> None:
        """A drawing fails half-way, told without a nonce: as an edit of A, or as a reply to it (moderation)."""
        embed = NOTICES[notice].embed()
        if notice == "moderated":
            self.voice.create(job, self.message(job, reply_to=message.id, embeds=[embed]))
        else:
            message.embeds, message.buttons, message.attachments = [embed], None, []
            message.content = grammar.title(job.shown, "", job.account_id, job.index, job.tone)
            self.voice.update(job, message)
        self.end(job, FAILED)

    def cancel(self, hashed: str) -> bool:
        """Stop a job that waits or runs; False when there is none."""
        job = self.jobs.get(hashed)
        if job is None or job.state not in (WAITING, RUNNING):
            return False
        waiting = self.queues.get(job.account_id, [])
        if job in waiting:
            waiting.remove(job)
        life = self.lives.pop(job.hash, None)
        if life is not None:
            life.cancel()
        message = self.parts.channels.get(job.channel_id, job.start_id)
        if message is not None:
            message.content = self.running_content(job, "Stopped")
            message.buttons = None
            self.voice.update(job, message)
        self.end(job, CANCELLED)
        self.keep(job)
        return True

    def end(self, job: Job, outcome: str) -> None:
        self.voice.flush(job)
        self.parts.ledger.settle(job.row, outcome, job.start_id)
        was_running = job.state == RUNNING
        job.state = OVER
        if was_running:
            self.leave(job)

    def leave(self, job: Job) -> None:
        """Its place is free; the next one begins when this transaction is over."""
        self.count(job, -1)
        asyncio.get_running_loop().call_soon(self.fill, job.account_id)

    # -- making ----------------------------------------------------------------------------------------------------

    def running_content(self, job: Job, state: str, mode: str = "") -> str:
        return grammar.running_content(job.kind, job.shown, job.account_id, job.index, job.tone, state, mode)

    def message(self, job: Job, **fields: Any) -> Message:
        base: dict[str, Any] = {"origin": job.origin, "reply_to": job.reply_to, "channel_id": job.channel_id}
        base |= {"id": self.parts.snowflakes.next(), "author_id": DRAWING_BOT_ID, "at": time.time()}
        return Message(**(base | fields))

    def attach(self, job: Job, name: str, kind: str, picture: Picture, percent: int | None = None) -> Attachment:
        attachment = Attachment(
            self.parts.snowflakes.next(), job.channel_id, name, kind, len(picture.data), picture.width, picture.height
        )
        attachment.recipe, attachment.percent = job.recipe, percent
        self.parts.shelf.keep(attachment)
        return attachment


STEPS = {
    "acknowledge": Bot.acknowledge,
    "start": Bot.start,
    "progress": Bot.progress,
    "finish": Bot.finish,
    "clear": Bot.clear,
    "tell": Bot.tell,
}
