"""More searches than can wait are turned away, and feedback does not wait behind searches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from starlette.testclient import TestClient

from conversation.base import Action
from conversation.dialogue import Decision
from tests.service.conftest import searched, wait_for


class Slow:
    """A dialogue manager that takes its time until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()

    def decide(self, before: object, turn: object, wants: Action | None) -> Decision:
        self.begun.release()
        self.go.wait()
        return Decision(Action(""), (Action("search"),), ())


def test_too_many_waiting_are_turned_away(make_client: Callable[..., TestClient]) -> None:
    slow = Slow()
    client = make_client(manager=slow, workers=1, waiting=1)
    search = searched(client)
    answers: list[Any] = []

    def say() -> None:
        answers.append(client.post("/v1/chat", json={"text": "love"}))

    # One is at work, one waits, and the third, whichever that is, is told so at once.
    saying = [threading.Thread(target=say) for _ in range(3)]
    for thread in saying:
        thread.start()
    try:
        slow.begun.acquire()
        wait_for(lambda: len(answers) == 1)
        refused = answers[0]
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        clicked = {"impression_id": search["impression_id"], "clicks": [search["hits"][0]["id"]]}
        assert client.post("/v1/feedback", json=clicked).json()["recorded"] == 1
    finally:
        slow.go.set()
    for thread in saying:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 200, 503]
