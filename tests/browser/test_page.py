"""What people do on the page: search, click, learn, see the order change, talk, ask what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from demo.catalogue import catalogue
from tests.browser.conftest import DOCUMENTS, PATIENCE_MS, ambiguous, rested

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
QUERY = "that song for the road"


def ids(page: Page) -> list[str]:
    """Results by rank."""
    hits = page.locator("#results .hit")
    ranked = [
        (int(hits.nth(i).locator(".rank").inner_text()), hits.nth(i).get_attribute("data-id") or "")
        for i in range(hits.count())
    ]
    return [id for _, id in sorted(ranked)]


def body_of(request: Request) -> dict[str, Any]:
    """What was sent."""
    sent: dict[str, Any] = json.loads(request.post_data or "")
    return sent


def test_click_learn_and_see_the_order_change(open_page: Callable[..., Page]) -> None:
    page = open_page()
    rested(page, QUERY)
    before = ids(page)
    wanted = before[-1]
    page.locator(f'.hit[data-id="{wanted}"] .name').click()
    expect(page.locator("#toast")).to_contain_text("Clicked")
    page.click("#learn")
    expect(page.locator("#status")).to_contain_text("Learnt from")
    expect(page.locator("#compare")).to_be_visible()
    expect(page.locator(".slopes .rose, .slopes .came").first).to_be_visible()
    assert ids(page).index(wanted) < before.index(wanted)
    assert "memory" in page.locator(f'.hit[data-id="{wanted}"] .chips').inner_text()


def test_a_preview_is_logged_when_it_is_clicked(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.locator("#results .hit .name").first.click()
    expect(page.locator("#toast")).to_contain_text("Clicked")
    expect(page.locator("#counts")).to_contain_text("1 event")


def test_why_is_drawn_as_a_tree(open_page: Callable[..., Page]) -> None:
    page = open_page()
    rested(page, "love")
    page.locator(".hit [aria-expanded]").first.click()
    tree = page.locator(".why .tree")
    expect(tree).to_contain_text("the bandit asked")
    # One for each generator, and the ranker.
    assert tree.locator("li li").count() == page.locator("#plan .legend li").count() + 1
    assert tree.locator("li.brought").count() >= 1


def test_by_keyboard_alone(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.keyboard.press("/")
    page.keyboard.type("love")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answered[data-logged=yes]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("p")
    expect(page.locator("#toast")).to_contain_text("Played")
    page.keyboard.press("w")
    expect(page.locator(".why")).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator("#turn")).to_be_focused()


def test_a_conversation(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.click("[data-go=chat]")
    for turn in ("something by abba", "and older ones"):
        page.fill("#turn", turn)
        with page.expect_request("**/v1/chat") as asked:
            page.press("#turn", "Enter")
        expect(page.locator(".mine").last).to_contain_text(turn)
    expect(page.locator(".theirs")).to_have_count(2)
    sent = body_of(asked.value)
    assert [one["speaker"] for one in sent["context"]["turns"]] == ["user", "system"]
    assert sent["context"]["turns"][1]["entities"]
    page.locator(".theirs").last.locator(".hit .name").first.click()
    expect(page.locator("#toast")).to_contain_text("Clicked")


def test_which_one_is_asked_and_answered(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.click("[data-go=chat]")
    title = ambiguous()
    page.fill("#turn", f"play {title}")
    page.press("#turn", "Enter")
    choices = page.get_by_role("list", name="Which one?").get_by_role("button")
    expect(choices.first).to_contain_text(title)
    expect(page.locator(".theirs .reply")).to_contain_text("Do you mean")
    chosen = choices.nth(1).inner_text()
    choices.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".theirs .reply").last).to_have_text(f"ltrr: Playing {chosen}.")
    expect(page.locator("#counts")).to_contain_text("1 event")
    expect(page.locator("#turn")).to_be_focused()
    expect(choices.first).to_be_disabled()
    with page.expect_request("**/v1/chat") as asked:
        page.keyboard.type("play their latest album")
        page.keyboard.press("Enter")
    turns = body_of(asked.value)["context"]["turns"]
    assert [one["speaker"] for one in turns] == ["user", "system", "system"]
    assert turns[0]["wants"]["name"] == "play"
    expect(page.locator(".understood").last).to_contain_text("album")
    page.fill("#turn", "stop")
    page.press("#turn", "Enter")
    expect(page.locator(".theirs .reply").last).to_have_text("ltrr: Bye.")


def test_why_an_item_is_missing(open_page: Callable[..., Page]) -> None:
    page = open_page()
    rested(page, "love")
    track = next(d for d in catalogue()[:DOCUMENTS] if d.type == "track" and len(d.title) > 15)
    page.fill("#item", track.title)
    page.press("#item", "Enter")
    expect(page.locator("#missing-says strong")).to_contain_text(track.title)
    assert page.locator(".reach > div").count() == page.locator("#plan .legend li").count()


def test_a_kind_and_somebody(open_page: Callable[..., Page]) -> None:
    page = open_page()
    rested(page, "a")
    page.get_by_role("button", name="Artists").click()
    expect(page.locator(".group")).to_have_count(1)
    expect(page.locator(".group h2")).to_have_text("Artists")
    with page.expect_request("**/v1/search") as asked:
        page.fill("#user", "ann")
    assert body_of(asked.value)["context"]["user"] == "ann"


@pytest.mark.slow
def test_listeners_are_simulated(open_page: Callable[..., Page]) -> None:
    page = open_page()
    rested(page, "love")
    page.click("#simulate")
    expect(page.locator("#progress")).to_be_visible()
    expect(page.locator("#compare")).to_be_visible()
    expect(page.locator("#regret svg")).to_be_visible()
    assert page.locator("#quality svg").count() == 2
    assert page.locator("#beliefs tbody tr").count() > 2
