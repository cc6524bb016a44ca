"""The bot's grammar, where it can be tested without a simulator."""

from __future__ import annotations

import random
import uuid

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.grammar import (
    LAYOUTS,
    LOOKS,
    Buttons,
    cancel_components,
    numbered,
    read_custom_id,
    result_components,
    result_filename,
    shown_prompt,
    unknown_flag,
)


@given(st.uuids(), st.sampled_from(sorted(LOOKS)))
def test_every_button_that_is_offered_is_understood(job: uuid.UUID, kind: str) -> None:
    rows = [*result_components(kind, str(job)), *cancel_components(str(job))]
    custom_ids = [part["custom_id"] for row in rows for part in row["components"] if "custom_id" in part]
    presses = [read_custom_id(custom_id) for custom_id in custom_ids]
    assert all(press is not None and press.hash == str(job) for press in presses)
    assert len(set(custom_ids)) == len(custom_ids)
    assert all(len(row["components"]) <= 5 for row in rows)
    assert all(len(custom_id) <= 100 for custom_id in custom_ids)


@pytest.mark.parametrize("layout", LAYOUTS)
@given(st.uuids())
def test_buttons_are_shown_as_their_components_numbered(layout: str, job: uuid.UUID) -> None:
    buttons = Buttons(layout, str(job))
    assert msgspec.json.decode(buttons.shown()) == numbered(buttons.components())


@given(st.text(max_size=60))
def test_anything_else_is_no_button(text: str) -> None:
    assert read_custom_id(text) is None


@given(st.text(max_size=400), st.uuids())
def test_the_hash_stands_after_the_last_underscore_of_a_file_name(prompt: str, job: uuid.UUID) -> None:
    name = result_filename("fox-01", prompt, str(job))
    assert name.rpartition("_")[2] == f"{job}.png"
    assert "/" not in name
    assert len(name) < 150


def test_mode_flags_go_and_other_flags_stay() -> None:
    assert shown_prompt("a fox --relax --ar 3:2", False, random.Random(1)) == "a fox --ar 3:2"
    assert unknown_flag("a fox --ar 3:2 --v 7") is None
    assert unknown_flag("a fox --shiny") == "shiny"


def test_a_rewritten_prompt_hides_links() -> None:
    shown = shown_prompt("https://example.com/x.png a fox", True, random.Random(1))
    assert "example.com" not in shown
    assert shown.startswith("<https://s.mj.run/")
    assert shown.endswith("--v 7.0")
