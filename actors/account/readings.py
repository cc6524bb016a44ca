"""How an account reads: from the bot's grammar and stored jobs to what core.correlate takes. Pure."""

from __future__ import annotations

from core.ids import DISCORD_EPOCH_MS
from core.job import FREE_KINDS, State
from core.signs import Drawing, Kind, Sign, Stage
from protocol import drawing_events as seen
from storage.operations import JobRecord

#: What is painted on the page that its button opens is the drawing; and what is told aside, and is none.
REGION, SEED = "vary_region", "seed"
#: Actions whose button opens a form, and only the form, filled in, is a drawing.
FORM_ACTIONS = frozenset({"custom_zoom", "draw_description", "draw_shortened", REGION})

#: A snowflake has 64 bits.
SNOWFLAKE_DIGITS_MAX = 20

#: Ends that the bot or Discord itself told: no result can come after them. Any other was our own impatience.
TOLD_ENDS = frozenset({"banned_prompt", "bad_prompt", "upstream_rejected", "upstream_blocked", "cancelled"})

STAGES: dict[type, Stage] = {
    seen.Traced: Stage.TRACED,
    # Job queued: the bot has it. Its ephemeral message is not the start message, so only the nonce is taken from it.
    seen.Postponed: Stage.TRACED,
    seen.Waiting: Stage.WAITING,
    seen.Progressed: Stage.PROGRESS,
    seen.Finished: Stage.FINISHED,
    seen.Stopped: Stage.STOPPED,
    seen.Refusal: Stage.REFUSED,
    seen.Deleted: Stage.DELETED,
}


def sign_of(observation: seen.Observation) -> Sign | None:
    """The observation as evidence; None for what is no evidence of any drawing."""
    stage = STAGES.get(type(observation))
    if stage is None:
        return None
    match observation:
        case seen.Traced(nonce=nonce, interaction_id=interaction_id):
            at = None if interaction_id is None else posted_at(interaction_id)
            return Sign(stage, nonce=nonce, interaction_id=interaction_id, posted_at=at)
        case seen.Postponed(links=links):
            return Sign(stage, nonce=links.nonce, interaction_id=links.interaction_id)
        case seen.Deleted(message_id=message_id):
            return Sign(stage, message_id=message_id)
    links = getattr(observation, "links", seen.Links())
    return Sign(
        stage,
        message_id=links.message_id,
        nonce=links.nonce,
        interaction_id=links.interaction_id,
        hash=links.hash,
        reference_id=links.reference_id,
        image_number=links.image_number,
        percent=getattr(observation, "percent", None),
        is_text=getattr(observation, "text", None) is not None,
        posted_at=None if links.message_id is None else posted_at(links.message_id),
        parcel=observation,
    )


def drawing_of(job: JobRecord) -> Drawing:
    """The attempt of a stored job as the correlator knows it."""
    kind = Kind.TEXT if job.kind in FREE_KINDS else Kind.NUMBERED if job.action == "upscale" else Kind.PICTURE
    return Drawing(
        job_id=job.id,
        attempt=job.attempt,
        nonce=drawing_nonce(job),
        form_nonce=form_nonce(job) if job.action is not None and job.action not in FORM_ACTIONS else None,
        kind=kind,
        parent_message_id=job.press_message_id,
        parent_index=job.index,
        message_id=job.start_message_id,
        interaction_id=job.interaction_id,
        hash=job.job_hash,
        submitted_at=began_at(job),
        taken=job.state == State.DRAWING,
    )


def began_at(job: JobRecord) -> float | None:
    """When its attempt was submitted (Unix s): by Discord's clock when an id of its tells, else by the store's word."""
    told = (posted_at(given) for given in (job.interaction_id, job.start_message_id) if given is not None)
    return next((at for at in told if at is not None), job.submitted_at)


def drawing_nonce(job: JobRecord) -> str:
    """The nonce under which the drawing itself is submitted."""
    return form_nonce(job) if job.action in FORM_ACTIONS else nonce_of(job)


def form_nonce(job: JobRecord) -> str:
    """A form is a second interaction after the press, so it has a nonce of its own.

    Made from the stored one, so that a restarted account knows it too. What is painted on a page is no interaction:
    there this nonce is never seen.
    """
    return str(int(nonce_of(job)) + 1)


def nonce_of(job: JobRecord) -> str:
    """The stored nonce of an attempt that may be submitted. Raises ValueError for one that may not: it has none."""
    if job.nonce is None:
        raise ValueError(f"attempt {job.attempt} of {job.id} has no nonce")
    return job.nonce


def posted_at(message_id: str) -> float | None:
    """Unix seconds of a message or an interaction, which its id (a snowflake) tells; None for an id that is none."""
    if not message_id.isdecimal() or len(message_id) > SNOWFLAKE_DIGITS_MAX:
        return None
    return ((int(message_id) >> 22) + DISCORD_EPOCH_MS) / 1000
