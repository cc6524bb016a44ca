"""The page's region: painted over a picture, sent as a mask, and drawn anew."""

from __future__ import annotations

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.live.browser import DRAWING_MS_MAX

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

DESK = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def single_picture(visitor, daemon):
    """One picture alone, which has a region to vary: the upscale of a grid. Signed in, its card."""
    visitor.sign_in(daemon.key)
    grid = visitor.draw("a harbour with one red boat")
    visitor.see_drawn(grid)
    grid.hover()
    grid.get_by_role("button", name="Upscale 1").click()
    expect(visitor.cards().first.locator(".tag")).to_have_text("U1")
    upscaled = visitor.card(visitor.cards().first.get_attribute("data-card"))
    visitor.see_drawn(upscaled)
    return upscaled


def test_a_region_is_painted_by_hand_and_by_keyboard_and_drawn_anew(daemon, visit):
    ana = visit(daemon.url, **DESK)
    card = single_picture(ana, daemon)
    page, sheet = ana.page, ana.page.get_by_role("application")
    card.hover()
    card.get_by_role("button", name="Vary (Region)").click()
    expect(sheet).to_be_focused()
    expect(page.get_by_role("button", name="Draw anew")).to_be_disabled()

    page.keyboard.press("Escape")  # back to the picture, and not away from it
    expect(sheet).to_have_count(0)
    page.get_by_role("dialog").get_by_role("button", name="Vary (Region)").click()
    box = sheet.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.2, steps=5)
    page.mouse.up()
    sheet.press("ArrowDown")
    for _ in range(10):
        sheet.press("ArrowDown")
    sheet.press(" ")
    page.get_by_label("What to draw there").fill("a lighthouse")
    ana.shoot("region")
    with page.expect_response("**/api/v1/uploads") as kept:
        page.get_by_role("button", name="Draw anew").click()

    (file,) = daemon.data.rglob(f"*{kept.value.json()['id']}*")
    mask = Image.open(file).convert("L")
    assert mask.width == mask.height
    shown = [mask.getpixel((int(mask.width * x), int(mask.height * y))) for x, y in MASKED]
    assert shown == [255, 255, 255, 0, 0]
    expect(page.get_by_role("dialog")).to_be_hidden()
    varied = ana.cards().first
    expect(varied.locator(".caption")).to_contain_text("a lighthouse")
    expect(varied).to_have_attribute("data-status", "done", timeout=DRAWING_MS_MAX)


#: Places of the picture, as shares: along the stroke, under the dab, and where nothing was painted.
MASKED = ((0.2, 0.2), (0.35, 0.2), (0.4, 0.64), (0.8, 0.2), (0.8, 0.8))


def test_what_was_painted_can_be_cleared_and_a_phone_shows_all_of_it(daemon, visit):
    ana = visit(daemon.url, **PHONE)
    card = single_picture(ana, daemon)
    card.locator(".look").click()
    page = ana.page
    page.get_by_role("dialog").get_by_role("button", name="Vary (Region)").click()
    page.get_by_role("application").tap()
    draw = page.get_by_role("button", name="Draw anew")
    expect(draw).to_be_enabled()
    expect(draw).to_be_in_viewport()
    ana.shoot("phone-region")
    page.get_by_role("button", name="Clear").click()
    expect(draw).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("application")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_be_visible()
