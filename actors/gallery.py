"""Gallery: fetches finished pictures, checks and keeps them, makes thumbnails, and gives them to their owners.

Takes   Keep (queue), PictureAt, Previewed (account), ShowImage (gate), LookedUp (store), (its own: fetched pictures, timers)
Sends   Kept, NotKept -> queue;  FreshPicture -> account/NAME;  Progressed -> lobby;  Say -> gate;  Lookup -> store
Crash   jobs in `keeping` are sent again by the Queue; a picture is stored under a name made from its job, so twice is harmless
"""

from __future__ import annotations

from protocol.api import ShowImage
from system.message import Message


class AskImage(Message, frozen=True):
    """A user wants to see a picture. Answered by Say(socket, ImageShown or Refusal) to the gate."""

    user: str
    socket: str
    show: ShowImage
