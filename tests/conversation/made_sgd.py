"""A folder laid out like Schema-Guided Dialogue, of one short dialogue told again and again."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

SCHEMA = [
    {
        "service_name": "Music_9",
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
    frame = {"service": "Music_9", "actions": [], "slots": slots, "state": state}
    return {"speaker": "USER", "utterance": text, "frames": [frame]}


def _system(text: str, acts: list[tuple[str, str, list[str]]], **more: Any) -> dict[str, Any]:
    actions = [{"act": a, "slot": s, "values": v, "canonical_values": v} for a, s, v in acts]
    frame = {"service": "Music_9", "actions": actions, "slots": [], **more}
    return {"speaker": "SYSTEM", "utterance": text, "frames": [frame]}


def dialogue(id: str, split: str, title: str) -> dict[str, Any]:
    slot = {"slot": "title", "start": 5, "exclusive_end": 5 + len(title)}
    named = {"slot": "title", "start": 0, "exclusive_end": len(title)}
    call = {"method": "Play", "parameters": {"title": title.upper(), "room": "hall"}}
    confirm = [("CONFIRM", "title", [title.upper()]), ("CONFIRM", "room", ["hall"])]
    asked = _system(f"{title}, in the hall?", confirm)
    asked["frames"][0]["slots"] = [named]
    turns = [
        _user(f"play {title}", "Play", {"title": [title, title.upper()]}, [slot]),
        asked,
        _user("yes, when is it from", "Play", {"title": [title], "room": ["hall"]}, []),
        _system(
            "2015. It plays.",
            [("INFORM", "year", ["2015"]), ("NOTIFY_SUCCESS", "", [])],
            service_call=call,
            service_results=[{"title": title.upper(), "year": "2015"}],
        ),
        _user("bye", "NONE", {"title": [title]}, []),
        _system("Bye.", [("GOODBYE", "", [])]),
    ]
    return {"dialogue_id": id, "services": ["Music_9", "Other_1"], "split": split, "turns": turns}


def write_sgd(folder: Path, titles: int = 1) -> Path:
    """The set with so many dialogues, the last quarter of them in `dev`."""
    (folder / "schema_train.json").write_text(json.dumps(SCHEMA))
    with gzip.open(folder / "dialogues.jsonl.gz", "wt") as file:
        for at in range(titles):
            split = "dev" if at * 4 >= titles * 3 and at else "train"
            title = "hello" if not at else f"{chr(97 + at % 26)}ong{at}"
            file.write(json.dumps(dialogue(str(at), split, title)) + "\n")
    return folder
