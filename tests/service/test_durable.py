"""Every acknowledged event is in the log after kill -9, and a stop answers what is running."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine import EngineConfig, SearchEngine
from tests.conftest import songs


@pytest.fixture
def index(tmp_path: Path) -> Path:
    """Without a model, so that the server starts soon."""
    config = EngineConfig(budget=20.0, generators=("bm25", "fuzzy", "memory"))
    with SearchEngine.build(songs(), folder=tmp_path / "index", config=config):
        return tmp_path / "index"


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = (sys.executable, "-c", "from cli.main import app; app()", "serve", str(folder))
    with subprocess.Popen((*command, "--port", "0"), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().split(" at ")[1].split(" ")[0]
        try:
            yield process, address
        finally:
            process.kill()


def post(address: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = httpx.post(address + path, json=body, timeout=60.0)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def logged(folder: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(folder / "log.sqlite")) as db:
        return set(db.execute("SELECT impression, document FROM events"))


def test_what_was_acknowledged_survives_a_kill(index: Path) -> None:
    acknowledged: set[tuple[str, str]] = set()

    def click(address: str) -> None:
        try:
            while True:
                found = post(address, "v1/search", {"query": "love"})
                event = (found["impression_id"], found["hits"][0]["id"])
                post(address, "v1/feedback", {"impression_id": event[0], "clicks": [event[1]]})
                acknowledged.add(event)
        except httpx.HTTPError:
            return

    with serving(index) as (process, address):
        clicking = [threading.Thread(target=click, args=(address,)) for _ in range(4)]
        for thread in clicking:
            thread.start()
        while len(acknowledged) < 40:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        for thread in clicking:
            thread.join()
    assert len(acknowledged) >= 40
    assert acknowledged <= logged(index)
    with SearchEngine.load(index) as engine:
        assert engine.learn().events >= 40


def test_a_stop_loses_no_answer(index: Path) -> None:
    answered: set[str] = set()

    def ask(address: str) -> None:
        try:
            while True:
                answered.add(post(address, "v1/search", {"query": "love"})["impression_id"])
        except httpx.HTTPError:
            return

    with serving(index) as (process, address):
        asking = [threading.Thread(target=ask, args=(address,)) for _ in range(3)]
        for thread in asking:
            thread.start()
        while len(answered) < 20:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for thread in asking:
            thread.join()
        assert process.wait(timeout=60) in (0, -signal.SIGTERM)
    with closing(sqlite3.connect(index / "log.sqlite")) as db:
        assert answered <= {row[0] for row in db.execute("SELECT impression FROM searches")}
    assert not (index / "log.sqlite-wal").exists()
