"""The simulated bot and our reading of the bot agree, though neither knows the other: each follows the observations."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocol.drawing_events import Finished, Observer, Postponed, Progressed, Refusal, Stopped, Waiting
from sim import grammar
from sim.embeds import NOTICES

APP, ME, H = "936929561302675456", "77", "0a1b2c3d-1111-2222-3333-444455556666"
OBSERVER = Observer(frozenset({APP}), "c1", ME)
PROMPTS = ["a fox", "", "two ** stars - <@5> (fast)"]


def seen(content: str, **fields: Any) -> Any:
    message = {"id": "9", "channel_id": "c1", "author": {"id": APP}, "content": content} | fields
    return OBSERVER.observe("MESSAGE_UPDATE", msgspec.json.encode(message))


@pytest.mark.parametrize("kind", grammar.LOOKS)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_stage_of_every_kind_is_read(kind: str, prompt: str) -> None:
    def running(state: str, mode: str = "") -> str:
        return grammar.running_content(kind, prompt, ME, 2, "Strong", state, mode)

    assert isinstance(seen(running("Waiting to start")), Waiting)
    progressed = seen(running("31%", "relaxed"), components=grammar.cancel_components(H))
    assert isinstance(progressed, Progressed)
    assert (progressed.percent, progressed.links.hash) == (31, H)
    assert progressed.cancel_id is not None
    assert isinstance(seen(running("Stopped")), Stopped)


@pytest.mark.parametrize("kind", grammar.LOOKS)
@pytest.mark.parametrize("prompt", PROMPTS)
def test_every_result_is_read_with_its_hash_and_offers(kind: str, prompt: str) -> None:
    name = grammar.result_filename("artist", prompt, H)
    found = seen(
        grammar.final_content(kind, prompt, ME, 2, "Strong", "fast"),
        attachments=[{"url": f"http://127.0.0.1/{name}?ex=1", "filename": name, "width": 4, "height": 4, "size": 9}],
        components=grammar.result_components(kind, H),
    )
    assert isinstance(found, Finished)
    assert found.links.hash == H
    assert found.links.image_number == (2 if kind == "upscale" else None)
    offered = {grammar.read_custom_id(offer.custom_id) for offer in found.offers}
    assert None not in offered
    assert len(found.offers) >= 9


@pytest.mark.parametrize("name", NOTICES)
def test_every_notice_is_judged(name: str) -> None:
    found = seen(**({"content": "", "nonce": "5"} | NOTICES[name].said()))
    assert isinstance(found, Postponed if name == "job_queued" else Refusal)
