"""Embeds: what the drawing bot says when it does not draw (facts/midjourney.md, "Failures"), as a table."""

from __future__ import annotations

from typing import Any

import msgspec

RED, YELLOW, ORANGE = 16711680, 16776960, 16239475


class Notice(msgspec.Struct, frozen=True):
    """An embed with its colour. `outcome` is what the ledger says of the interaction."""

    title: str
    text: str
    color: int = RED
    outcome: str = "failed"

    def embed(self, text: str | None = None) -> dict[str, Any]:
        return {"type": "rich", "title": self.title, "description": text or self.text, "color": self.color}

    def said(self, text: str | None = None) -> dict[str, Any]:
        """The fields of the message that says it; one without a title is said in plain words."""
        return {"embeds": [self.embed(text)]} if self.title else {"content": text or self.text}


NOTICES = {
    "invalid_prompt": Notice("Invalid prompt", "A prompt is needed to draw from."),
    "invalid_parameter": Notice("Invalid parameter", "Unrecognized parameter(s)"),
    "invalid_link": Notice("Invalid link", "The link could not be fetched."),
    "duplicate_images": Notice("Duplicate images detected", "Each picture may be given once.", YELLOW),
    "banned_prompt": Notice("Banned prompt detected", "A word of this prompt is not allowed.", YELLOW),
    "queue_full": Notice("Queue full", "Your job queue is full. Please wait for a job to finish.", ORANGE),
    "job_queued": Notice("Job queued", "Your job will start when another one completes.", ORANGE, "accepted"),
    "moderated": Notice("Request cancelled due to output filters", "The picture was stopped by a filter.", YELLOW),
    "credits_exhausted": Notice("Credits exhausted", "You have used up your hours for this month."),
    "subscription_required": Notice("Subscription required", "Please subscribe to draw."),
    "subscription_paused": Notice("Subscription paused", "Your subscription is paused.", YELLOW),
    "plan_cancelled": Notice("Plan Cancelled", "Your plan has ended."),
    "blocked": Notice("Blocked", "Your access to the bot is blocked."),
    "pending_mod_message": Notice("Pending mod message", "A moderator has written to you; answer first.", YELLOW),
    "tos_not_accepted": Notice("Tos not accepted", "Please accept the terms of service first.", YELLOW),
    "action_needed": Notice("Action needed to continue", "Please follow the link and answer.", YELLOW),
    "broken": Notice("Sorry! Could not complete the job!", "Something went wrong. Please try again."),
    "failed": Notice("", "Failed to process your command"),
}
# Said at once, in answer to the interaction; the others come while a drawing runs.
AT_ONCE = ("banned_prompt", "invalid_parameter", "queue_full", "credits_exhausted", "blocked")
CHALLENGE_TITLE = "Action required to continue"
