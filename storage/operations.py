"""What can be asked of the store: writes (each one transaction, applied once) and reads, as frozen values.

A write is carried by its `op_id`: sent again after a crash it answers as it did the first time (of the job: in the
attempt and state of then) and changes nothing.
Moves of a job are compare-and-set on (job, attempt, state): who comes late gets `Stale` with the job as it is.
All times are Unix seconds (float); all ids are strings.
"""

from __future__ import annotations

from msgspec import Struct

# Importable from here too: who speaks to the store needs all of them.
from storage.added import AddedFound, AddedRead, AddedWrite
from storage.backlog import Backlog as Backlog
from storage.backlog import QueuedJob as QueuedJob
from storage.backlog import ReadBacklog as ReadBacklog
from storage.forgetting import Discards, ForgettingWrite, Forgotten, ReadDiscards
from storage.keys import AddKey as AddKey
from storage.keys import DropKey as DropKey
from storage.keys import FindKey as FindKey
from storage.keys import FindKeys as FindKeys
from storage.keys import KeyFound, KeyRead, KeyWrite
from storage.keys import KeyHolder as KeyHolder
from storage.keys import KeyHolders as KeyHolders
from storage.overseeing import OverseeFound, OverseeRead, OverseeWrite, OverseeWritten
from storage.records import ImageRecord as ImageRecord
from storage.records import JobRecord as JobRecord
from storage.records import Moment as Moment
from storage.records import Offer as Offer
from storage.resuming import ClaimIdentify as ClaimIdentify
from storage.resuming import GatewayRecord as GatewayRecord
from storage.resuming import IdentifyClaim as IdentifyClaim
from storage.resuming import Past as Past
from storage.resuming import ReadGateway as ReadGateway
from storage.resuming import ReadPast as ReadPast
from storage.resuming import ReadSuspension as ReadSuspension
from storage.resuming import SaveGateway as SaveGateway
from storage.resuming import SaveSuspension as SaveSuspension
from storage.resuming import SuspensionRecord as SuspensionRecord

# --- Writes -----------------------------------------------------------------------------------------------------


class AcceptJob(Struct, frozen=True, tag=True):
    """Store a new job, charge it, and give the user's next seq to its `accepted` event: or refuse it, changing nothing.

    `day` is the user's quota day (core.quota), `daily`, `queued` are the plan's limits, `charge` what the kind costs.
    `digest` is of the whole body: the same `ref` with another digest is `ref_conflict`. `parent`, `action` (and
    `index`) name an earlier job of the same user and one of its offers (else `not_found` / `bad_prompt`); from them the
    job gets `affinity`, `press_message_id` and `press_custom_id`.
    Answers Applied, Replayed (the same ref and body) or Refused.
    """

    job: str
    user: str
    plan: str
    ref: str | None
    digest: str
    kind: str
    prompt: str
    mode: str
    images_in: tuple[str, ...]
    action: str | None
    index: int | None
    parent: str | None
    charge: int
    day: str
    resets_at: float
    daily: int
    queued: int
    position: int
    eta_s: float | None
    at: float


class Grant(Struct, frozen=True, tag=True):
    """queued → granted. `attempt` is the new one: until now the job's is `attempt - 1`."""

    job: str
    attempt: int
    lease: str
    account: str
    at: float


class Ungrant(Struct, frozen=True, tag=True):
    """granted → queued: the lease did not begin."""

    job: str
    attempt: int
    at: float


class Submit(Struct, frozen=True, tag=True):
    """granted → submitting: the write before the POST. Needs the lease of the grant."""

    job: str
    attempt: int
    lease: str
    nonce: str
    gateway_session: str | None
    at: float


class GiveBack(Struct, frozen=True, tag=True):
    """submitting | undecided → queued: proven not to have reached the bot. `outcome` goes on the attempt's record."""

    job: str
    attempt: int
    outcome: str
    at: float


class Doubt(Struct, frozen=True, tag=True):
    """submitting → undecided: the POST may have arrived. `cut_off` as in JobRecord."""

    job: str
    attempt: int
    at: float
    cut_off: str | None = None


class Track(Struct, frozen=True, tag=True):
    """What the bot told of a drawing; None leaves a field as it is.

    submitting | undecided → drawing (with the `started` event and its seq) at the first word of it; later ones only add
    fields.
    """

    job: str
    attempt: int
    interaction_id: str | None
    start_message_id: str | None
    job_hash: str | None
    at: float


class Gather(Struct, frozen=True, tag=True):
    """submitting | undecided | drawing → keeping: the drawing is finished and its picture must be fetched.

    On a job that has ended already the attempt is marked `late` and nothing else changes (CONTRACT §5); answers Stale.
    """

    job: str
    attempt: int
    message_id: str
    picture_url: str | None
    job_hash: str | None
    offers: tuple[Offer, ...]
    text: str | None
    at: float


class Settle(Struct, frozen=True, tag=True):
    """Any of `states` → `state` (done, failed, cancelled), with the terminal event, its seq, and any refund.

    `attempt` None settles whatever attempt is current (a cancel of a waiting job). `images` become rows. Not
    `charged`: what the job took of the quota is given back to the day it was taken from.
    """

    job: str
    attempt: int | None
    states: tuple[str, ...]
    state: str
    code: str | None
    message: str | None
    charged: bool
    images: tuple[ImageRecord, ...]
    at: float


class AskCancel(Struct, frozen=True, tag=True):
    """The user no longer wants a job that is with the bot (submitting | undecided | drawing): kept until it has ended.

    It moves nothing: what becomes of the job is told by the bot. Asked again it changes nothing and answers Applied.
    """

    job: str
    at: float


class AddUser(Struct, frozen=True, tag=True):
    """A new user; an existing name is Refused `ref_conflict` unless `or_keep`, which answers with the user as is."""

    user: str
    name: str
    plan: str
    or_keep: bool
    at: float


class Fence(Struct, frozen=True, tag=True):
    """Change nothing. Applied means: every write that was sent before it, by whomever, is on disk or never will be."""

    at: float


Write = (
    AcceptJob
    | Grant
    | Ungrant
    | Submit
    | GiveBack
    | Doubt
    | Track
    | Gather
    | Settle
    | AskCancel
    | SaveGateway
    | SaveSuspension
    | ClaimIdentify
    | AddedWrite
    | AddUser
    | KeyWrite
    | ForgettingWrite
    | OverseeWrite
    | Fence
)


class Applied(Struct, frozen=True, tag=True):
    """The write changed something. `job` is the job after it; `seq` the stored event's, when it made one."""

    job: JobRecord | None = None
    seq: int | None = None
    user: UserRecord | None = None


class Replayed(Struct, frozen=True, tag=True):
    """The same ref and body were accepted before: this is that job, and the seq of its `accepted`."""

    job: JobRecord
    seq: int


class Stale(Struct, frozen=True, tag=True):
    """The job was not where the write expected it; nothing changed. `job` is the job as it is, None if unknown."""

    job: JobRecord | None = None


class Refused(Struct, frozen=True, tag=True):
    """A limit or a conflict; nothing changed. `code` is one of CONTRACT §3."""

    code: str
    message: str
    retry_after_s: float | None = None


Written = Applied | Replayed | Stale | Refused | IdentifyClaim | Forgotten | OverseeWritten


# --- Reads ------------------------------------------------------------------------------------------------------


class ReadUser(Struct, frozen=True, tag=True):
    """A user by id or name, with what was used on `day`. Answers UserRecord or Nothing."""

    user: str
    day: str


class ReadJob(Struct, frozen=True, tag=True):
    """One job, with history and images; `user` None sees everyone's. Answers JobFound or Nothing."""

    job: str
    user: str | None


class ListJobs(Struct, frozen=True, tag=True):
    """A user's jobs, newest first, older than job `before`; `state` filters. Answers JobRecords."""

    user: str | None
    before: str | None
    limit: int
    state: str | None


class Unfinished(Struct, frozen=True, tag=True):
    """Jobs that have not ended, oldest first (by acceptance), after job `after`. Answers JobRecords without history."""

    user: str | None
    after: str | None
    limit: int


class ReadEvents(Struct, frozen=True, tag=True):
    """A user's stored events after `after`, in order. Answers EventRecords."""

    user: str
    after: int
    limit: int


class ReadImage(Struct, frozen=True, tag=True):
    """A picture of a user. Answers ImageFound or Nothing."""

    image: str
    user: str


class CountJobs(Struct, frozen=True, tag=True):
    """Answers Counts."""


JobRead = ReadJob | ListJobs | Unfinished | ReadBacklog
AccountRead = ReadGateway | ReadPast | ReadSuspension | AddedRead
Read = JobRead | AccountRead | KeyRead | ReadUser | ReadEvents | ReadImage | CountJobs | ReadDiscards | OverseeRead


class Nothing(Struct, frozen=True, tag=True):
    """There is no such row."""


class UserRecord(Struct, frozen=True, tag=True):
    """A user; `used` is of the day asked for, `seq` the newest stored event's (0: none yet), `newest` the latest of all
    users' jobs (empty: none), before which no day is charged any more (core.quota)."""

    id: str
    name: str
    plan: str
    banned: bool
    seq: int
    used: int
    newest: str = ""


class JobRecords(Struct, frozen=True, tag=True):
    """Some jobs; `next` is the `before` (or `after`) of the next page, None at the end."""

    jobs: tuple[JobRecord, ...]
    next: str | None


class JobFound(Struct, frozen=True, tag=True):
    """One job."""

    job: JobRecord


class ImageFound(Struct, frozen=True, tag=True):
    """One picture."""

    image: ImageRecord


class EventRecord(Struct, frozen=True):
    """A stored event: the server frame of CONTRACT §3 as msgpack bytes."""

    seq: int
    job: str
    frame: bytes


class EventRecords(Struct, frozen=True, tag=True):
    """Stored events after the seq asked for; `oldest` is the oldest seq still kept, `newest` the user's seq now."""

    events: tuple[EventRecord, ...]
    oldest: int
    newest: int


class Counts(Struct, frozen=True, tag=True):
    """Jobs by state, users, pictures kept."""

    jobs: dict[str, int]
    users: int
    images: int


JobsFound = JobFound | JobRecords | Backlog | Past
AccountFound = GatewayRecord | SuspensionRecord | AddedFound
OtherFound = UserRecord | KeyFound | ImageFound | EventRecords | Counts | Discards | OverseeFound
Found = JobsFound | AccountFound | OtherFound | Nothing
