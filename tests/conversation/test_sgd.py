"""The reader on a made dialogue of two services."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from conversation.base import Action, Slot
from conversation.sgd import is_sgd, read_domains, read_sgd

SCHEMA = [
    {
        "service_name": "Songs_1",
        "description": "songs",
        "slots": [
            {
                "name": "title",
                "description": "name",
                "is_categorical": False,
                "possible_values": [],
            },
            {
                "name": "room",
                "description": "where",
                "is_categorical": True,
                "possible_values": ["hall"],
            },
            {"name": "year", "description": "when", "is_categorical": False, "possible_values": []},
        ],
        "intents": [
            {
                "name": "Play",
                "description": "play it",
                "is_transactional": True,
                "required_slots": ["title"],
                "optional_slots": {"room": "hall"},
                "result_slots": ["title", "year"],
            }
        ],
    }
]


def _user(text: str, intent: str, values: dict[str, list[str]], slots: list[Any]) -> dict[str, Any]:
    state = {"active_intent": intent, "requested_slots": [], "slot_values": values}
    frame = {"service": "Songs_1", "actions": [], "slots": slots, "state": state}
    return {"speaker": "USER", "utterance": text, "frames": [frame]}


def _system(text: str, acts: list[tuple[str, str, list[str]]], **more: Any) -> dict[str, Any]:
    actions = [{"act": a, "slot": s, "values": v, "canonical_values": v} for a, s, v in acts]
    frame = {"service": "Songs_1", "actions": actions, "slots": [], **more}
    return {"speaker": "SYSTEM", "utterance": text, "frames": [frame]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "schema_train.json").write_text(json.dumps(SCHEMA))
    slot = {"slot": "title", "start": 5, "exclusive_end": 10}
    call = {"method": "Play", "parameters": {"title": "HELLO", "room": "hall"}}
    turns = [
        _user("play hello", "Play", {"title": ["hello", "HELLO"]}, [slot]),
        _system("In the hall?", [("CONFIRM", "title", ["HELLO"]), ("CONFIRM", "room", ["hall"])]),
        _user("yes, when is it from", "Play", {"title": ["hello"], "room": ["hall"]}, []),
        _system(
            "2015. It plays.",
            [("INFORM", "year", ["2015"]), ("NOTIFY_SUCCESS", "", [])],
            service_call=call,
            service_results=[{"title": "HELLO", "year": "2015"}],
        ),
        _user("bye", "NONE", {"title": ["hello"]}, []),
        _system("Bye.", [("GOODBYE", "", [])]),
    ]
    row = {"dialogue_id": "1", "services": ["Songs_1", "Other_1"], "split": "train", "turns": turns}
    with gzip.open(tmp_path / "dialogues.jsonl.gz", "wt") as file:
        file.write(json.dumps(row) + "\n")
    return tmp_path


def test_services_become_domains(folder: Path) -> None:
    domain = read_domains(folder)["Songs_1"]
    action = domain.actions["Play"]
    assert (action.required, action.confirmed) == (("title",), True)
    assert [slot.name for slot in domain.slots] == ["title", "room", "year"]
    assert domain.slots[1].choices == ("hall",)


def test_a_dialogue_is_told_by_what_the_system_does_next(folder: Path) -> None:
    assert is_sgd(folder)
    (part,) = read_sgd(folder)
    turns = part.dialogue.turns
    assert turns[0].slots == (Slot("title", "hello", 5, 10),)
    assert turns[0].actions == (Action("confirm", {"title": "HELLO", "room": "hall"}),)
    assert turns[0].wants == Action("Play", {"title": "hello"})
    assert turns[1].actions == turns[0].actions
    # The call's values are those of the state; what is informed of is known before its value is.
    assert turns[2].actions == (
        Action("Play", {"title": "hello", "room": "hall"}),
        Action("inform", {"argument": "year"}),
    )
    assert turns[3].actions[1] == Action("inform", {"argument": "year", "year": "2015"})
    assert turns[4].wants == Action("", {"title": "hello"})
    assert turns[4].actions == (Action("stop"),)
    assert part.states[0] == {"title": ("hello", "HELLO")}
    assert part.results == ({"title": "HELLO", "year": "2015"},)


def test_no_schema_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"found no schema_\*\.json"):
        read_domains(tmp_path)
