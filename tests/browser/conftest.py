"""A page in Debian's Chromium, served from a small part of the demo's catalogue."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from cli.serving import listeners
from demo.catalogue import catalogue
from demo.conversation import shipped_model
from engine import EngineConfig, SearchEngine
from service import Settings, create_app
from tests.conftest import WordHashes

CHROMIUM = os.environ.get("LTRR_CHROMIUM") or shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DOCUMENTS = 700
PATIENCE_MS = 120_000
"""Until something is taken not to come; most is there within a second."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here; `apt-get install chromium`, or name one in LTRR_CHROMIUM")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Where a fresh server listens, on the loopback."""
    config = EngineConfig(
        budget=30.0, chunk="week", hindsight=40, ranker_options={"n_estimators": 20}
    )
    engine = SearchEngine.build(
        list(catalogue())[:DOCUMENTS], folder=tmp_path / "index", config=config,
        encoder=WordHashes(), conversation=shipped_model(),
    )  # fmt: skip
    settings = Settings(learning="here", search_ms=None)
    app = create_app(engine, settings, simulator=listeners)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """`open_page(width, height, scheme)`; at the end no page may have had an error."""
    problems: list[str] = []
    contexts = []

    def opened(width: int = 1300, height: int = 900, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request",
            lambda request: (
                None if request.url.startswith(address) else problems.append(request.url)
            ),
        )
        page.goto(address)
        page.wait_for_selector("body[data-ready=yes]")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not problems


def rested(page: Page, query: str) -> None:
    """Search, until it is logged."""
    page.fill("#query", query)
    page.press("#query", "Enter")
    page.wait_for_selector("#answered[data-logged=yes]")
    time.sleep(0.05)


def ambiguous() -> str:
    """A title that several artists' tracks have."""
    by: dict[str, set[str]] = {}
    for document in catalogue()[:DOCUMENTS]:
        if document.type == "track":
            by.setdefault(document.title, set()).update(document.values("artist"))
    return max(by, key=lambda title: len(by[title]))
