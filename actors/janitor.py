"""Janitor: has pictures forgotten whose jobs ended `images.keep_days` ago, and uploads made as long ago; has jobs
forgotten that ended `store.keep_days` ago; deletes the files; and keeps the audit trail to its length.

Takes   Committed, NotCommitted, LookedUp (store);  Look, SliceDue, AuditDue, FilesDeleted, ResendDue (itself)
Sends   Commit, Lookup -> store
Crash   it begins anew: what is forgotten stays so, and of every file that is to be deleted the store has a note until
        it is; to delete one twice is harmless

It takes its time: a few jobs in each transaction, and a pause after each, so that nobody waits for it. It goes by the
earliest reading of the clock in the last hour, for one that is ahead for a while must not cost anybody a picture.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from actors.store_client import StoreAsker
from core.horizon import Horizon
from storage.forgetting import (
    Discards,
    DropDiscards,
    Forget,
    ForgetPictures,
    ForgetUploads,
    Forgotten,
    ReadDiscards,
)
from storage.operations import Applied, Found, Written
from storage.overseeing import PruneAudit
from storage.pictures import PictureTrouble
from system.message import Message

#: How often the clock is read.
LOOK_EACH_S = 60.0
#: A clock that is ahead for no longer than this does no harm. So nothing is forgotten in a process that is younger.
CLOCK_BELIEVED_S = 3_600.0
#: How often it is looked whether there is something to forget.
ROUND_EACH_S = 600.0
#: Jobs or uploads looked at in one transaction, and the pause after it: 200 a second at most, ten times what a peak
#: brings.
SLICE_COUNT = 50
SLICE_PAUSE_S = 0.25
#: Files deleted for one note.
FILES_AT_ONCE = 50
#: Of the audit trail the latest entries are kept: of changes, and of refusals. Of each so many are forgotten at once.
AUDIT_CHANGES_MAX, AUDIT_REFUSALS_MAX, AUDIT_SLICE_COUNT = 100_000, 20_000, 500
#: What a round goes through, in this order.
PICTURES, JOBS, UPLOADS = "pictures", "jobs", "uploads"
WRITES: dict[str, type[Forget | ForgetPictures | ForgetUploads]] = {
    PICTURES: ForgetPictures,
    JOBS: Forget,
    UPLOADS: ForgetUploads,
}


class Look(Message, frozen=True):
    """Time to read the clock, and maybe to begin a round."""


class SliceDue(Message, frozen=True):
    """Time for the next slice of the round: of PICTURES, JOBS or UPLOADS, after this one."""

    what: str
    after: str


class AuditDue(Message, frozen=True):
    """Time to look whether the audit trail is too long."""


class FilesDeleted(Message, frozen=True):
    """These are gone; not `whole`: the image store refused others."""

    paths: tuple[str, ...]
    whole: bool


class Janitor(StoreAsker):
    """See the module's docstring."""

    ACCEPTS = (Look, SliceDue, AuditDue, FilesDeleted)

    def __init__(self) -> None:
        super().__init__()
        #: Of what is yet to come in the round that is under way: what is older than this is forgotten. Empty: none is.
        self.before: dict[str, float] = {}
        self.round_due_at = 0.0
        self.forgotten = Counter[str]()
        self.deleting = False

    def on_start(self) -> None:
        super().on_start()
        self.horizon = Horizon(CLOCK_BELIEVED_S, self.now())
        self._delete_files()  # of an earlier life
        self.receiveMsg_Look(Look(), None)
        self.after(ROUND_EACH_S, AuditDue())

    def summary(self) -> dict[str, Any]:
        return {
            "forgetting": bool(self.before),
            "deleting_files": self.deleting,
            "forgotten": dict(self.forgotten),
        }

    # --- rows ------------------------------------------------------------------------------------------------

    def receiveMsg_Look(self, look: Look, sender: Any) -> None:
        self.after(LOOK_EACH_S, look)
        surely_past = self.horizon.before(self.now(), self.wall())
        if self.before or surely_past is None or self.now() < self.round_due_at:
            return
        config = self.process.config
        keep_s = {PICTURES: config.images.keep_s, JOBS: config.store.keep_s, UPLOADS: config.images.keep_s}
        self.before = {what: surely_past - kept_s for what, kept_s in keep_s.items() if kept_s < math.inf}
        self.forgotten = Counter()
        if self.before:
            self._forget(next(iter(self.before)), "")

    def receiveMsg_SliceDue(self, due: SliceDue, sender: Any) -> None:
        self._forget(due.what, due.after)

    def _forget(self, what: str, after: str) -> None:
        def done(outcome: Written) -> None:
            if not isinstance(outcome, Forgotten):
                self.log.error("old things cannot be forgotten", what=what, answer=type(outcome).__name__)
                self._end_round()
                return
            self.forgotten[what] += outcome.count
            if outcome.count:
                self._delete_files()
            if outcome.next is not None:
                self.after(SLICE_PAUSE_S, SliceDue(what, outcome.next))
                return
            del self.before[what]
            if self.before:
                self._forget(next(iter(self.before)), "")
            else:
                self._end_round()

        write = WRITES[what](self.before[what], after, SLICE_COUNT, self.wall())
        self.store.commit(write, done, lambda why: self._end_round())

    def _end_round(self) -> None:
        self.before, self.round_due_at = {}, self.now() + ROUND_EACH_S
        if any(self.forgotten.values()):
            self.log.info("what is old is forgotten", **self.forgotten)
        self._delete_files()

    # --- the audit trail -------------------------------------------------------------------------------------

    def receiveMsg_AuditDue(self, due: AuditDue, sender: Any) -> None:
        def pruned(outcome: Written) -> None:
            self.after(SLICE_PAUSE_S if isinstance(outcome, Applied) else ROUND_EACH_S, due)

        prune = PruneAudit(AUDIT_CHANGES_MAX, AUDIT_REFUSALS_MAX, AUDIT_SLICE_COUNT, self.wall())
        self.store.commit(prune, pruned, lambda why: self.after(ROUND_EACH_S, due))

    # --- files -----------------------------------------------------------------------------------------------

    def _delete_files(self) -> None:
        """Those that nobody's job names any more, a few at a time; one after the other, for the others come first."""
        if self.deleting:
            return
        self.deleting = True

        def found(discards: Found) -> None:
            if isinstance(discards, Discards) and discards.paths:
                self.work(self._delete(discards.paths), "delete files")
            else:
                self.deleting = False

        self.store.lookup(ReadDiscards(FILES_AT_ONCE), found, self._put_off)

    async def _delete(self, paths: tuple[str, ...]) -> FilesDeleted:
        for number, path in enumerate(paths):
            try:
                await self.process.pictures.delete(path)
            except PictureTrouble as trouble:
                self.log.warning("files of old pictures cannot be deleted now", why=str(trouble))
                return FilesDeleted(paths[:number], whole=False)
        return FilesDeleted(paths, whole=True)

    def receiveMsg_FilesDeleted(self, deleted: FilesDeleted, sender: Any) -> None:
        def dropped(outcome: Written) -> None:
            self.deleting = False
            if deleted.whole:
                self._delete_files()

        if deleted.paths:
            self.store.commit(DropDiscards(deleted.paths, self.wall()), dropped, self._put_off)
        else:
            self.deleting = False

    def _put_off(self, why: str) -> None:
        """Till the next round: the store has a note of each."""
        self.deleting = False
