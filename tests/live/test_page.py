"""The page as a person has it: signing in, drawing, watching, and losing nothing."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.live.browser import DRAWING_MS_MAX

pytestmark = [pytest.mark.live, pytest.mark.timeout(240)]

DESK = {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def test_a_newcomer_signs_in_draws_upscales_and_has_it_all_after_a_reload(daemon, visit):
    ana = visit(daemon.url, **DESK)
    ana.sign_in(daemon.key)
    grid = ana.draw("a red fox in snow")
    expect(grid).to_have_attribute("data-status", "drawing", timeout=DRAWING_MS_MAX)
    ana.shoot("drawing")
    ana.see_drawn(grid)

    seen = ana.page.evaluate("window.seen")
    percents = [int(percent) for percent in seen["percents"]]
    assert "place 1" in " ".join(seen["places"]) or "queued" in seen["statuses"]
    assert len(set(percents)) >= 3
    assert percents == sorted(percents)

    grid.hover()
    grid.get_by_role("button", name="Upscale 2").click()
    expect(ana.cards().first.locator(".tag")).to_have_text("U2")
    upscaled = ana.card(ana.cards().first.get_attribute("data-card"))
    ana.see_drawn(upscaled)
    ana.shoot("gallery-dark")
    pictures = {upscaled.locator("img.final").get_attribute("src"), grid.locator("img.final").get_attribute("src")}
    assert len(pictures) == 2

    ana.page.reload()
    ana.see_loaded()
    assert pictures <= set(ana.page.locator("img.final").evaluate_all("all => all.map(i => i.getAttribute('src'))"))
    expect(ana.page.locator(".quota")).to_have_text(re.compile(r"^\d+ of [\d,]+ today$"))


@pytest.mark.parametrize("window", [DESK, PHONE], ids=["desk", "phone"])
def test_a_card_stays_in_its_place_from_the_queue_to_the_picture(daemon, visit, window):
    ana = visit(daemon.url, **window)
    ana.sign_in(daemon.key)
    card = ana.draw("a paper boat on a black lake")
    before = card.bounding_box()
    ana.see_drawn(card)
    assert card.bounding_box() == before


def test_a_wrong_key_is_told_in_words_and_the_next_one_comes_in(daemon, visit):
    stranger = visit(daemon.url, **DESK)
    stranger.page.goto("/")
    stranger.page.get_by_label("Your key").fill("not-a-key")
    stranger.page.get_by_role("button", name="Sign in").click()
    expect(stranger.page.get_by_role("alert")).to_contain_text("not known")
    stranger.sign_in(daemon.key)
    stranger.page.locator(".menu summary").click()
    stranger.page.get_by_role("button", name="Sign out").click()
    expect(stranger.page.get_by_label("Your key")).to_be_visible()
    stranger.page.reload()
    expect(stranger.page.get_by_label("Your key")).to_be_visible()


def test_who_signs_out_leaves_nothing_behind_for_the_next_to_read_or_hear(daemon, visit):
    ana = visit(daemon.url, **DESK)
    ana.sign_in(daemon.key)
    ana.draw("a private fox")
    expect(ana.page.locator("#spoken")).to_contain_text("a private fox")
    ana.page.locator(".menu summary").click()
    ana.page.get_by_role("button", name="Sign out").click()
    expect(ana.page.get_by_label("Your key")).to_be_visible()
    expect(ana.page.locator("body")).not_to_contain_text("a private fox")
    ana.sign_in(daemon.add_user("mia"))
    expect(ana.prompt).to_be_visible()
    expect(ana.page.locator("body")).not_to_contain_text("a private fox")


def test_an_empty_prompt_cannot_be_drawn_and_one_too_long_says_by_how_much(daemon, visit):
    ana = visit(daemon.url, **DESK)
    ana.sign_in(daemon.key)
    button = ana.page.get_by_role("button", name="Draw", exact=True)
    ana.prompt.fill("   ")
    expect(button).to_be_disabled()
    ana.prompt.fill("ä" * 4003)
    expect(ana.page.locator("#count")).to_have_text("3 too many")
    expect(button).to_be_disabled()
    ana.prompt.fill("ä" * 3990)
    expect(ana.page.locator("#count")).to_have_text("10 left")
    expect(button).to_be_enabled()


def test_a_prompt_is_text_and_never_markup(daemon, visit):
    ana = visit(daemon.url, **DESK)
    ana.sign_in(daemon.key)
    card = ana.draw("<img src=x onerror=alert(1)><b>bold</b>")
    expect(card.locator(".caption")).to_contain_text("<b>bold</b>")
    assert card.locator("b").count() == 0


def test_the_keyboard_is_enough(daemon, visit):
    ana = visit(daemon.url, **DESK)
    ana.sign_in(daemon.key)
    for card in [ana.draw(prompt) for prompt in ("a moth on a window at night", "two herons, woodblock print")]:
        ana.see_drawn(card)
    page, first, second = ana.page, ana.cards("done").nth(0), ana.cards("done").nth(1)

    page.keyboard.press("ArrowUp")
    expect(ana.prompt).to_have_value("two herons, woodblock print")
    ana.prompt.fill("")
    ana.prompt.blur()
    page.keyboard.press("/")
    expect(ana.prompt).to_be_focused()
    expect(ana.prompt).to_have_value("")
    ana.prompt.blur()

    page.keyboard.press("ArrowRight")
    expect(first).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(second).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(first).to_be_focused()

    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="Picture")
    expect(viewer).to_be_focused()
    expect(viewer.locator(".caption")).to_have_text("two herons, woodblock print")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".caption")).to_have_text("a moth on a window at night")
    expect(viewer.locator("img.final.in")).to_be_visible()
    ana.shoot("viewer")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    expect(second).to_be_focused()

    page.keyboard.press("?")
    expect(page.get_by_role("complementary", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("complementary", name="Keyboard")).to_be_hidden()


def test_a_lost_connection_is_said_and_what_was_asked_meanwhile_is_drawn_once(daemon, visit):
    ana = visit(daemon.url, **DESK)
    ana.sign_in(daemon.key)
    ana.expected += ("ERR_INTERNET_DISCONNECTED",)
    running = ana.draw("the harbour of Rotterdam in fog")
    expect(running).to_have_attribute("data-status", re.compile("queued|drawing"))
    ana.context.set_offline(True)
    ana.page.evaluate("window.sockets.at(-1).close()")
    expect(ana.page.locator(".line")).to_contain_text("reconnecting")
    waiting = ana.draw("drawn while the line was down")
    expect(waiting).to_have_attribute("data-status", "waiting")

    ana.context.set_offline(False)
    ana.see_drawn(waiting)
    ana.see_drawn(running)
    expect(ana.page.locator(".line")).to_have_count(0)
    ana.page.reload()
    ana.see_loaded()
    expect(ana.page.locator('[data-card]:has-text("drawn while the line was down")')).to_have_count(1)


def test_a_cancelled_drawing_says_what_it_cost_and_leaves_the_wall(daemon, visit):
    ana = visit(daemon.url, **DESK)
    ana.sign_in(daemon.key)
    card = ana.draw("a cathedral of ice")
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_have_attribute("data-status", re.compile("cancelled|done"), timeout=DRAWING_MS_MAX)
    if card.get_attribute("data-status") == "cancelled":
        expect(card.locator(".small")).to_have_text(re.compile("charged"))
        card.get_by_role("button", name="Edit prompt").click()
        expect(ana.prompt).to_have_value("a cathedral of ice")
        card.get_by_role("button", name="Put away").click()
        expect(card).to_have_count(0)
        expect(ana.page.locator(".not-drawn").first).to_contain_text("not drawn")


def test_two_windows_of_one_person_show_the_same(daemon, visit):
    desk, phone = visit(daemon.url, **DESK), visit(daemon.url, **PHONE)
    desk.sign_in(daemon.key)
    phone.sign_in(daemon.key)
    card = desk.draw("three pears on a blue cloth")
    job = re.compile(".+")
    expect(card).to_have_attribute("data-job", job)
    same = phone.page.locator(f'[data-job="{card.get_attribute("data-job")}"]')
    phone.see_drawn(same)
    desk.see_drawn(card)


def test_at_360_pixels_nothing_scrolls_sideways(daemon, visit):
    ana = visit(daemon.url, **PHONE)
    ana.sign_in(daemon.key)
    card = ana.draw("portrait of an old cartographer by candlelight, " + "unbreakable" * 12)
    ana.see_drawn(card)
    width = "document.documentElement.scrollWidth"
    assert ana.page.evaluate(width) == 360
    ana.shoot("phone")
    card.locator(".look").click()
    expect(ana.page.get_by_role("dialog", name="Picture").locator("img.final.in")).to_be_visible()
    assert ana.page.evaluate(width) == 360
    ana.shoot("phone-viewer")


def test_a_light_desk_is_shown_a_light_page(daemon, visit):
    ana = visit(daemon.url, **{**DESK, "color_scheme": "light", "reduced_motion": "reduce"})
    ana.sign_in(daemon.key)
    ana.see_drawn(ana.draw("a library that is also a forest"))
    red, green, blue = map(
        int, re.findall(r"\d+", ana.page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3]
    )
    assert min(red, green, blue) > 240
    ana.shoot("gallery-light")
