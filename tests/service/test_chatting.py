"""A conversation over HTTP, led by the demo's dialogue manager and by none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from demo.catalogue import catalogue
from demo.conversation import shipped_model
from engine import Document, EngineConfig, SearchEngine
from engine.conversing import Conversation
from service import Settings, create_app
from service.dialogue import Manager
from tests.conftest import WordHashes
from tests.service.conftest import asking, wait_for

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "conversation.md"
WHO = ("imagine dragons", "jeff buckley", "leonard cohen", "abba")


def music() -> list[Document]:
    """What a few artists made, and a hundred other things."""
    every = list(catalogue())
    theirs = [d for d in every if {*map(str.casefold, (d.title, *d.values("artist")))} & {*WHO}]
    return list({d.id: d for d in (*theirs, *every[:100])}.values())


class Talker:
    """A client of the API that does as it is told: it appends `turns` to the next line's."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.turns: list[dict[str, Any]] = []

    def say(self, text: str) -> dict[str, Any]:
        body = {"text": text, "k": 5, "context": {"turns": self.turns}}
        return self._heard(self.client.post("/v1/chat", json=body))

    def choose(self, impression_id: str, item: str) -> dict[str, Any]:
        body = {"impression_id": impression_id, "item": item}
        return self._heard(self.client.post("/v1/chat/choice", json=body))

    def _heard(self, response: Any) -> dict[str, Any]:
        assert response.status_code == 200, response.text
        answer: dict[str, Any] = response.json()
        self.turns += answer["turns"]
        return answer


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of a small music player with the demo's model."""
    engine = SearchEngine.build(
        music(),
        folder=tmp_path_factory.mktemp("player") / "index",
        config=EngineConfig(generators=("bm25", "fuzzy", "structured"), budget=30.0),
        encoder=WordHashes(),
        conversation=shipped_model(),
    )
    with asking(create_app(engine, Settings(learning="here", search_ms=None))) as client:
        wait_for(lambda: client.get("/readyz").status_code == 200)
        yield client


@pytest.fixture
def talker(player: TestClient) -> Talker:
    return Talker(player)


def logged(client: TestClient) -> tuple[int, int]:
    about = client.get("/v1/about").json()
    return about["searches"], about["events"]


def test_what_was_said_before_is_what_is_meant(talker: Talker) -> None:
    searches, _ = logged(talker.client)
    talker.say("Believer is by Imagine Dragons.")
    answer = talker.say("play their latest album")
    (action,) = answer["actions"]
    assert action["name"] == "play"
    assert action["arguments"]["artist"] == "Imagine Dragons"
    assert action["arguments"]["kind"] == "album"
    (result,) = answer["results"]
    assert result["query"]["typed"] == "play their latest album"
    assert "Imagine Dragons" in result["query"]["text"]
    read = {(span["field"], span["value"]) for span in result["query"]["reading"]["spans"]}
    assert ("artist", "Imagine Dragons") in read
    assert ("type", "album") in read
    (about,) = answer["about"]
    played = next(hit for hit in result["hits"] if hit["id"] == about["id"])
    assert played["type"] == "album"
    assert played["metadata"]["artist"] == "Imagine Dragons"
    assert answer["reply"] == f"Playing {about['text']}."
    # A line is one search, and what it showed can be clicked.
    assert logged(talker.client)[0] == searches + 2
    clicked = {"impression_id": result["impression_id"], "clicks": [played["id"]]}
    assert talker.client.post("/v1/feedback", json=clicked).json()["recorded"] == 1


def test_an_ambiguous_name_is_asked_about_and_chosen(talker: Talker) -> None:
    asked = talker.say("hallelujah")
    assert [action["name"] for action in asked["actions"]] == ["ask_which"]
    assert asked["reply"].startswith("Do you mean Hallelujah by ")
    texts = [one["text"] for one in asked["about"]]
    assert {"Hallelujah by Jeff Buckley", "Hallelujah by Leonard Cohen"} <= {*texts}
    assert len({*texts}) == len(texts)
    before = logged(talker.client)
    chosen = next(one for one in asked["about"] if "Buckley" in one["text"])
    answer = talker.choose(asked["results"][0]["impression_id"], chosen["id"])
    assert answer["reply"] == "Playing Hallelujah by Jeff Buckley."
    assert [action["name"] for action in answer["actions"]] == ["play"]
    assert answer["results"] == []
    assert logged(talker.client) == (before[0], before[1] + 1)
    more = talker.say("play his latest album")
    assert more["actions"][0]["arguments"]["artist"] == "Jeff Buckley"


def test_a_choice_can_be_said(talker: Talker) -> None:
    talker.say("play hallelujah")
    answer = talker.say("the one by Jeff Buckley")
    assert answer["reply"] == "Playing Hallelujah by Jeff Buckley."
    talker.say("no, the live one")
    over = talker.say("stop")
    assert [action["name"] for action in over["actions"]] == ["stop"]
    assert over["reply"] == "Bye."


def test_nothing_is_searched_for_when_it_is_over(talker: Talker) -> None:
    talker.say("something by abba")
    before = logged(talker.client)
    over = talker.say("thanks, bye")
    assert over["results"] == []
    assert over["about"] == []
    assert logged(talker.client) == before


def test_it_goes_on_at_a_server_that_never_heard_of_it(player: TestClient, talker: Talker) -> None:
    talker.say("play hallelujah")
    elsewhere = create_app(
        SearchEngine.build(
            music(),
            config=EngineConfig(generators=("bm25", "structured"), budget=30.0),
            encoder=WordHashes(),
            conversation=shipped_model(),
        ),
        Settings(learning="here", search_ms=None),
    )
    with asking(elsewhere) as client:
        talker.client = client
        assert talker.say("the one by Jeff Buckley")["actions"][0] == {
            "name": "play",
            "arguments": {"track": "Hallelujah", "artist": "Jeff Buckley"},
        }


def test_the_documentation_shows_what_is_answered(talker: Talker) -> None:
    text = DOCUMENTATION.read_text(encoding="utf-8")
    blocks = re.findall(r"^```json *(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 4
    answer: dict[str, Any] = {}
    for kind, block in blocks:
        shown = json.loads(block)
        if kind == "answer":
            assert {name: answer[name] for name in shown} == shown
        else:
            answer = talker.say(shown["text"])


def test_without_a_model_a_line_is_searched_for_with_those_before_it(client: TestClient) -> None:
    talker = Talker(client)
    talker.say("silver river")
    answer = talker.say("love")
    assert answer["actions"] == [{"name": "search", "arguments": {"query": "love"}}]
    (result,) = answer["results"]
    assert len(result["hits"]) == 5
    assert answer["turns"][1]["text"] == answer["reply"]
    assert result["hits"][0]["title"] in answer["reply"]
    assert result["hits"][0]["title"] in answer["turns"][1]["entities"]
    chosen = talker.choose(result["impression_id"], result["hits"][1]["id"])
    assert chosen["reply"].startswith("Playing ")
    again = talker.say("")
    assert len(again["results"][0]["hits"]) == 5


def test_a_manager_that_fails_costs_a_note(
    make_client: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def decide(self, before: object, turn: object, wants: object) -> Any:
            raise RuntimeError("no network")

    answer = Talker(make_client(manager=Broken())).say("love")
    assert answer["notes"] == ["dialogue manager: failed, only searched (RuntimeError: no network)"]
    assert len(answer["results"]) == 1
    assert "the dialogue manager failed" in caplog.text


def test_a_manager_that_cannot_be_read_leads_nothing(caplog: pytest.LogCaptureFixture) -> None:
    state = SimpleNamespace(conversation=Conversation(manager=b"damaged"))
    manager = Manager(cast(SearchEngine, SimpleNamespace(state=state)))
    assert manager() is None
    assert manager() is None
    assert caplog.text.count("the dialogue manager cannot be read") == 1
    state.conversation = None
    assert manager() is None


TURN = {"speaker": "user", "text": "love"}
SLOT = {"name": "track", "value": "Love", "start": 0, "end": 4}


@pytest.mark.parametrize(
    ("turn", "field"),
    [
        ({"speaker": "somebody", "text": ""}, "speaker"),
        ({"speaker": "user"}, "text"),
        ({**TURN, "text": "x" * 2_001}, "text"),
        ({**TURN, "slots": [{**SLOT, "end": -1}]}, "slots.0.end"),
        ({**TURN, "slots": [{**SLOT, "start": 5}]}, "slots.0"),
        ({**TURN, "slots": [{**SLOT, "value": "x" * 513}]}, "slots.0.value"),
        ({**TURN, "slots": [SLOT] * 21}, "slots"),
        ({**TURN, "slots": [{"name": "track"}]}, "slots.0.value"),
        ({**TURN, "wants": {"arguments": {}}}, "wants.name"),
        ({**TURN, "wants": {"name": "play", "arguments": {"track": 3}}}, "wants.arguments.track"),
        ({**TURN, "actions": "play"}, "actions"),
        ({**TURN, "rewrite": "love"}, "rewrite"),
    ],
)
def test_a_turn_that_is_none_names_the_field(
    player: TestClient, turn: dict[str, Any], field: str
) -> None:
    answer = player.post("/v1/chat", json={"text": "x", "context": {"turns": [TURN, turn]}})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["field"] == f"context.turns.1.{field}"


def test_too_many_turns(player: TestClient) -> None:
    answer = player.post("/v1/chat", json={"text": "x", "context": {"turns": [TURN] * 51}})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "context.turns"


def test_made_up_slots_and_wants_lead_to_nothing_that_is_not_declared(player: TestClient) -> None:
    turns = [
        {
            "speaker": "user",
            "text": "hm",
            "slots": [
                {"name": "secret", "value": "x", "start": 900, "end": 2_000},
                {"name": "track", "value": "", "start": 2, "end": 2},
            ],
            "wants": {"name": "format_disk", "arguments": {"disk": "all", "artist": "ABBA"}},
        },
        {
            "speaker": "system",
            "text": "",
            "actions": [{"name": "confirm", "arguments": {"disk": "all", "track": "?"}}],
        },
    ]
    answer = player.post("/v1/chat", json={"text": "yes", "context": {"turns": turns}})
    assert answer.status_code == 200
    assert "disk" not in str(answer.json()["actions"])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"item": "nothing"}, "item"),
        ({"item": "playlist:hallelujah"}, "item"),
        ({"impression_id": "0123456789abcdef"}, "impression_id"),
        ({"item": ""}, "item"),
    ],
)
def test_a_choice_of_what_was_not_shown_names_the_field(
    talker: Talker, change: dict[str, str], field: str
) -> None:
    asked = talker.say("dancing queen by abba")["results"][0]
    body = {"impression_id": asked["impression_id"], "item": asked["hits"][0]["id"], **change}
    answer = talker.client.post("/v1/chat/choice", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
