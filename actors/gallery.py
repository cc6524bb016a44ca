"""Gallery: fetches finished pictures, checks and keeps them, makes thumbnails, and gives them to their owners.

Takes   Keep (queue);  PictureAt, Previewed (account);  AskImage (gate);  Committed, NotCommitted, LookedUp (store);
        ResendDue (itself)
Sends   Kept, NotKept -> queue;  FreshPicture -> account/NAME;  Say -> gate;  Lookup -> store
        PicturesTroubled, PicturesWell -> monitor
Crash   jobs in `keeping` are sent again by the Queue; a picture's name is made from its job: twice is harmless

Each picture is a task: it waits its turn, fetches, has the bytes checked in the process pool, and keeps them. Previews
are shown while a drawing runs: of each job the newest, fetched when somebody looks at it, and kept in memory only.

An image store that refuses is ours to mend, not the job's fault: the pictures wait until it takes the largest one there
may be, and are fetched again then.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import BrokenExecutor
from typing import Any

from msgspec.structs import replace

from actors.account.messages import KEPT, FreshPicture, PictureAt, Previewed
from actors.monitor.messages import PicturesTroubled, PicturesWell
from actors.previews import Preview, Previews
from actors.queue.messages import Keep, Kept, NotKept
from actors.room import Room
from actors.session.messages import Say
from actors.store_client import StoreAsker
from actors.thumbnails import EXTENSIONS, BadPicture, Checked, check, check_small, media_type_of, picture_path
from core.config import Images
from core.ids import time_of
from protocol.api import ImageShown, Refusal, ShowImage
from storage.operations import Found, ImageFound, ImageRecord, JobRecord, ReadImage
from storage.pictures import Missing, PictureTrouble
from system.links import LinkBroken, Reserve, TooLarge
from system.message import Message

#: Pictures on their way at once, and how much memory they may fill: this many times `images.max_bytes`.
FETCHES_MAX = 64
FETCH_ROOM = 12
FETCH_S_MAX = 60.0
FETCH_TRIES_MAX = 6
FETCH_AGAIN_S_MAX = 20.0
FRESH_S_MAX = 20.0
#: How often an image store that refuses is tried, and where.
PROBE_EACH_S = 5.0
PROBE_PATH = "probe"
#: What Discord's CDN answers for an address that has expired, or is no more.
EXPIRED = frozenset({401, 403, 404, 410})
PREVIEW_FETCHES_MAX = 4
PREVIEW_BYTES_MAX = 1 << 20
PREVIEW_S_MAX = 10.0
READS_MAX = 16
NOT_FOUND = Refusal("not_found", "There is no such picture.")
UNREAD = Refusal("draining", "The picture cannot be looked up just now; try again in a moment.")


def not_there(image: str, images: Images, now: float) -> Refusal:
    """What is said of a picture that is not there: its id tells when its job was accepted, be it anybody's."""
    accepted_at = time_of(image.removeprefix("i").rsplit("-", 2)[0])
    if 0.0 < accepted_at < now - images.keep_s:
        words = f"There is no such picture (any more): pictures are kept for {images.keep_days} days."
        return Refusal("not_found", words)
    return NOT_FOUND


class AskImage(Message, frozen=True):
    """A user wants to see a picture. Answered by Say(socket, ImageShown or Refusal) to the gate."""

    user: str
    socket: str
    show: ShowImage


class Gone(Exception):
    """The picture cannot be had, for good. Says why, for the user."""


class Expired(Exception):
    """The address is no longer good; the message has a fresh one."""


class Gallery(StoreAsker):
    """See the module's docstring."""

    ACCEPTS = (Keep, PictureAt, Previewed, AskImage)

    def on_start(self) -> None:
        super().on_start()
        self.previews = Previews()
        self.keeping: set[tuple[str, int]] = set()
        self.fresh: dict[str, asyncio.Future[PictureAt]] = {}
        self.fetch_turns = asyncio.Semaphore(FETCHES_MAX)
        self.fetch_room = Room(FETCH_ROOM * self.process.config.images.max_bytes)
        self.preview_turns = asyncio.Semaphore(PREVIEW_FETCHES_MAX)
        self.read_turns = asyncio.Semaphore(READS_MAX)
        self.takes_pictures = asyncio.Event()
        self.takes_pictures.set()
        self.tell("monitor", PicturesWell())

    def summary(self) -> dict[str, Any]:
        return {
            "keeping": len(self.keeping),
            "asked_for_anew": len(self.fresh),
            "takes_pictures": self.takes_pictures.is_set(),
        }

    # --- keeping ---------------------------------------------------------------------------------------------

    def receiveMsg_Keep(self, keep: Keep, sender: Any) -> None:
        job = keep.job
        if job.picture_url is None and job.text is not None:
            self._kept(job, ())
        elif (job.id, job.attempt) not in self.keeping:
            self.keeping.add((job.id, job.attempt))
            self.work(self._keep(job), "keep")

    async def _keep(self, job: JobRecord) -> None:
        try:
            self._kept(job, (await self._keep_at_last(job),))
        except Gone as gone:
            self.log.error("a picture cannot be had", job=job.id, user=job.user, attempt=job.attempt, why=str(gone))
            text = f"The picture was drawn but could not be fetched: {gone}."
            self.tell("queue", NotKept(job.id, job.attempt, "upstream_timeout", text))
        finally:
            self.keeping.discard((job.id, job.attempt))

    async def _keep_at_last(self, job: JobRecord) -> ImageRecord:
        """The picture, kept, however long the image store refuses. Raises Gone."""
        while True:
            await self.takes_pictures.wait()
            try:
                return await self._fetch(job)
            except PictureTrouble as trouble:
                self._suspect(trouble)

    def _suspect(self, trouble: PictureTrouble) -> None:
        """The image store has refused a picture: the others wait until it is well."""
        if self.takes_pictures.is_set():
            self.takes_pictures.clear()
            self.log.error("the image store takes no pictures", code=trouble.code, why=str(trouble))
            self.tell("monitor", PicturesTroubled(trouble.code))
            self.work(self._mend(), "probe")

    async def _mend(self) -> None:
        """Until there is room for the largest picture; a monitor that was restarted meanwhile hears of it, too."""
        while not self.takes_pictures.is_set():
            await asyncio.sleep(PROBE_EACH_S)
            try:
                await self.process.pictures.put(PROBE_PATH, bytes(self.process.config.images.max_bytes))
                await self.process.pictures.delete(PROBE_PATH)
            except PictureTrouble as trouble:
                self.tell("monitor", PicturesTroubled(trouble.code))
            else:
                self.takes_pictures.set()
        self.log.info("the image store takes pictures again")
        self.tell("monitor", PicturesWell())

    def _kept(self, job: JobRecord, images: tuple[ImageRecord, ...]) -> None:
        self.previews.drop(job.id)
        self.debug("a job's pictures are kept", job=job.id, user=job.user, pictures=len(images))
        self.tell("queue", Kept(job.id, job.attempt, images))

    async def _fetch(self, job: JobRecord) -> ImageRecord:
        """The picture, checked and kept; waits between tries without a turn. Raises Gone, PictureTrouble."""
        url, why = job.picture_url, "no address"
        for number in range(FETCH_TRIES_MAX):
            if number:
                await asyncio.sleep(self.dice.uniform(0.0, min(FETCH_AGAIN_S_MAX, 2.0**number)))
            if url is None:
                url, why = await self._fresh_url(job)
                if url is None:
                    continue
            async with self.fetch_turns, self.fetch_room.guest() as reserve:
                try:
                    return await self._try(job, url, reserve)
                except Expired as expired:
                    url, why = None, str(expired)
                except (LinkBroken, BadPicture) as trouble:
                    why = str(trouble)
                except BrokenExecutor:
                    why = "the process that checked it was killed"
                except TooLarge:
                    raise Gone("it is larger than images.max_bytes allows") from None
            self.log.warning("a picture could not be fetched yet", job=job.id, user=job.user, why=why)
        raise Gone(why)

    async def _try(self, job: JobRecord, url: str, reserve: Reserve) -> ImageRecord:
        data = await (self._kept_data(job, url) if url.startswith(KEPT) else self._fetched_data(url, reserve))
        checked = check_small(data)
        if checked is None:
            checked = await asyncio.get_running_loop().run_in_executor(self.process.pool, check, data)
        return await self._store(job, data, checked)

    async def _fetched_data(self, url: str, reserve: Reserve) -> bytes:
        limit_bytes = self.process.config.images.max_bytes
        fetched = await self.process.links.fetch(url, limit_bytes, FETCH_S_MAX, reserve=reserve)
        if fetched.status in EXPIRED:
            raise Expired(f"HTTP {fetched.status}")
        if fetched.status != 200:
            raise LinkBroken(f"HTTP {fetched.status}", True)
        return fetched.data

    async def _kept_data(self, job: JobRecord, url: str) -> bytes:
        """Of a picture that its account has put where we would, and nowhere else: an address may be anybody's words."""
        path = url.removeprefix(KEPT)
        if path not in (picture_path(job.id, job.attempt, media_type) for media_type in EXTENSIONS):
            raise Gone("it is not where this job's pictures are")
        try:
            data = await self.process.pictures.get(path)
        except Missing:
            raise Gone("it is not in the image store any more") from None
        if len(data) > self.process.config.images.max_bytes:
            raise TooLarge
        return data

    async def _fresh_url(self, job: JobRecord) -> tuple[str | None, str]:
        """The picture's address as its message shows it now; None and why when that is not to be had."""
        answer: asyncio.Future[PictureAt] = asyncio.get_running_loop().create_future()
        self.fresh[job.id] = answer
        self.tell(f"account/{job.account}", FreshPicture(job.account or "", job.id, job.message_id or ""))
        try:
            async with asyncio.timeout(FRESH_S_MAX):
                picture = await answer
        except TimeoutError:
            return None, "its account does not answer"
        finally:
            self.fresh.pop(job.id, None)
        return picture.url, picture.why or "the message has no picture any more"

    def receiveMsg_PictureAt(self, picture: PictureAt, sender: Any) -> None:
        waiting = self.fresh.get(picture.job)
        if waiting is not None and not waiting.done():
            waiting.set_result(picture)

    async def _store(self, job: JobRecord, data: bytes, checked: Checked) -> ImageRecord:
        """Both files on disk, under names that say whose they are. Raises PictureTrouble."""
        path = thumb_path = picture_path(job.id, job.attempt, checked.media_type)
        files = {path: data}
        if checked.thumb is not None:
            thumb_path = f"{path.rpartition('.')[0]}.thumb.webp"
            files[thumb_path] = checked.thumb
        # All on their way before one is waited for: they share a flush.
        await asyncio.gather(*(self.process.pictures.put(*file) for file in files.items()))
        return ImageRecord(
            id=f"i{job.id}-{job.attempt}-1",
            job=job.id,
            user=job.user,
            index=1,
            path=path,
            thumb_path=thumb_path,
            width=checked.width,
            height=checked.height,
            bytes=len(data),
            sha256=checked.sha256,
            media_type=checked.media_type,
        )

    # --- previews --------------------------------------------------------------------------------------------

    def receiveMsg_Previewed(self, preview: Previewed, sender: Any) -> None:
        self.previews.put(preview.job, Preview(preview.user, preview.url))

    async def _show_preview(self, ask: AskImage) -> None:
        async with self.preview_turns:
            preview = self.previews.of(ask.show.image, ask.user)
            if preview is not None and preview.data is None:
                preview = await self._fetch_preview(preview)
                newest = self.previews.of(ask.show.image, ask.user)
                if preview is not None and newest is not None and newest.url == preview.url:
                    self.previews.put(ask.show.image, preview)
        self._say_preview(ask, preview)

    async def _fetch_preview(self, preview: Preview) -> Preview | None:
        """With its bytes; None when they are not to be had (any more): the next one will do."""
        try:
            fetched = await self.process.links.fetch(preview.url, PREVIEW_BYTES_MAX, PREVIEW_S_MAX)
        except (LinkBroken, TooLarge):
            return None
        media_type = media_type_of(fetched.data)
        if fetched.status != 200 or media_type is None:
            return None
        return replace(preview, data=fetched.data, media_type=media_type)

    def _say_preview(self, ask: AskImage, preview: Preview | None) -> None:
        shown = NOT_FOUND if preview is None or preview.data is None else ImageShown(preview.data, preview.media_type)
        self.tell("gate", Say(ask.socket, shown))

    # --- showing ---------------------------------------------------------------------------------------------

    def receiveMsg_AskImage(self, ask: AskImage, sender: Any) -> None:
        if ask.show.preview:
            preview = self.previews.of(ask.show.image, ask.user)
            if preview is None or preview.data is not None:
                self._say_preview(ask, preview)
            else:
                self.work(self._show_preview(ask), "preview")
            return

        def found(answer: Found) -> None:
            if isinstance(answer, ImageFound):
                self.work(self._show(ask, answer.image), "show")
            else:
                refusal = not_there(ask.show.image, self.process.config.images, self.wall())
                self.tell("gate", Say(ask.socket, refusal))

        self.store.lookup(
            ReadImage(ask.show.image, ask.user), found, lambda why: self.tell("gate", Say(ask.socket, UNREAD))
        )

    async def _show(self, ask: AskImage, image: ImageRecord) -> None:
        path = image.thumb_path if ask.show.thumb else image.path
        media_type = image.media_type if path == image.path else "image/webp"
        try:
            async with self.read_turns:
                shown: ImageShown | Refusal = ImageShown(await self.process.pictures.get(path), media_type)
        except Missing:
            self.log.error("a kept picture is not there", image=image.id, job=image.job, user=image.user)
            shown = NOT_FOUND
        except PictureTrouble as trouble:
            self.log.error("a picture cannot be read", image=image.id, job=image.job, user=image.user, why=str(trouble))
            shown = Refusal("internal", "The picture cannot be read just now.")
        self.tell("gate", Say(ask.socket, shown))
