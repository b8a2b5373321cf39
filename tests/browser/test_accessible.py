"""axe finds nothing serious on any view, in light and dark, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import ambiguous, rested

pytestmark = pytest.mark.browser
SERIOUS = ("serious", "critical")


def findings(page: Page) -> list[str]:
    """Serious ones, each with where it is."""
    page.evaluate("document.getAnimations().forEach(one => one.finish())")
    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1300, 900), (390, 844)])
def test_every_view(open_page: Callable[..., Page], scheme: str, width: int, height: int) -> None:
    page = open_page(width, height, scheme)
    assert findings(page) == []
    rested(page, "love")
    page.locator(".hit .name").nth(1).click()
    page.locator(".hit [aria-expanded]").first.click()
    page.wait_for_selector(".why")
    page.fill("#item", "dancing queen")
    page.press("#item", "Enter")
    page.wait_for_selector(".reach")
    assert findings(page) == []
    if width < 1000:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("[data-go=learning]")
    page.click("#learn")
    expect(page.locator("#status")).to_contain_text("Learnt")
    assert findings(page) == []
    page.click("[data-go=search]")
    expect(page.locator("#compare")).to_be_visible()
    assert findings(page) == []
    page.click("[data-go=chat]")
    page.fill("#turn", "abba")
    page.press("#turn", "Enter")
    page.wait_for_selector(".theirs .hit")
    page.fill("#turn", f"play {ambiguous()}")
    page.press("#turn", "Enter")
    page.wait_for_selector(".choices button")
    assert findings(page) == []
    page.locator("#theme").click()
    assert findings(page) == []
