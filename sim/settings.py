"""Settings: how the drawing bot behaves, changed while it runs by `POST /_sim/config`."""

from __future__ import annotations

import msgspec

LATE_DELETE_S = 5.0
REORDER_CHANCE = 0.3


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """Where `bool | float` is said, true stands for a sensible figure and a number for itself.

    seconds           a drawing's time, float seconds
    jitter            each drawing's time varies by up to this share (0.2: ±20 %)
    rewrite_prompts   links, spaces and suffixes of the shown prompt are changed
    late_delete       A is deleted so many seconds after B (true: LATE_DELETE_S)
    no_delete         A is never deleted
    final_nonce       B carries the nonce too
    drop_metadata     no message carries interaction_metadata
    reorder           chance that an event comes after its successor (true: REORDER_CHANCE)
    duplicate_events  chance that an event comes twice (true: always)
    fail_rate         chance that a drawing fails half-way
    remix             the account remixes: a variation, reroll, pan or zoom opens a form first (not in the contract)
    notice            what the bot says instead of drawing, a name of sim.embeds (not in the contract)
    heartbeat_s       interval told in HELLO (not in the contract: lets a test see a zombie without waiting 41 s)
    """

    seconds: float = 6.0
    jitter: float = 0.0
    rewrite_prompts: bool = False
    late_delete: bool | float = False
    no_delete: bool = False
    final_nonce: bool = False
    drop_metadata: bool = False
    reorder: bool | float = False
    duplicate_events: bool | float = False
    fail_rate: float = 0.0
    remix: bool = False
    notice: str = ""
    heartbeat_s: float = 41.25

    @property
    def delete_after_s(self) -> float:
        return figure(self.late_delete, LATE_DELETE_S)

    @property
    def reorder_chance(self) -> float:
        return figure(self.reorder, REORDER_CHANCE)

    @property
    def duplicate_chance(self) -> float:
        return figure(self.duplicate_events, 1.0)

    def changed(self, changes: object) -> Settings:
        """These settings with `changes` (a map) applied; raises msgspec.ValidationError naming what is wrong."""
        if not isinstance(changes, dict):
            raise msgspec.ValidationError("expected a map of settings")
        return msgspec.convert({**msgspec.to_builtins(self), **changes}, Settings)


def figure(value: bool | float, when_true: float) -> float:
    return when_true if value is True else float(value)
