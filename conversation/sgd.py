"""Reads the Schema-Guided Dialogue set (Rastogi et al. 2019): dialogues and schemas as published.

Of every dialogue and service one `Dialogue` is made of the exchanges about that service. What the
system does next is told in the words of `conversation.actions`: a service call is the declared
action, REQUEST is `ask`, CONFIRM `confirm`, INFORM `inform`, OFFER without a call `offer`,
OFFER_INTENT `propose`, REQ_MORE `ask_more`, GOODBYE `stop`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conversation.actions import (
    ASK,
    CONFIRM,
    INFORM,
    MORE,
    OFFER,
    PROPOSE,
    STOP,
    Actions,
    Declared,
    Parameter,
)
from conversation.base import Action, AnnotatedTurn, Dialogue, Slot
from conversation.domain import Domain, domain_of

States = tuple[Mapping[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class SgdDialogue:
    """The part of a dialogue about one service.

    `states`: a user's turn each, the slots' values so far, in all the ways they were written;
    `results`: the documents' facts that the service's calls gave.
    """

    split: str
    service: str
    dialogue: Dialogue
    states: States
    results: tuple[Mapping[str, str], ...]


def is_sgd(path: Path) -> bool:
    """Whether a folder is laid out like this set."""
    return (path / "dialogues.jsonl.gz").is_file() and any(path.glob("schema_*.json"))


def read_domains(folder: Path) -> dict[str, Domain]:
    """The services of all `schema_*.json` of a folder, by name."""
    domains: dict[str, Domain] = {}
    for file in sorted(folder.glob("schema_*.json"), reverse=True):
        for service in json.loads(file.read_text("utf-8")):
            domains.setdefault(service["service_name"], _domain(service))
    if not domains:
        raise FileNotFoundError(f"{folder}: found no schema_*.json, expected those of the set")
    return domains


def _domain(service: Mapping[str, Any]) -> Domain:
    slots = {
        slot["name"]: Parameter(
            slot["name"],
            slot["description"],
            choices=tuple(slot["possible_values"]) if slot["is_categorical"] else (),
        )
        for slot in service["slots"]
    }
    actions = []
    for intent in service["intents"]:
        required = intent["required_slots"]
        parameters = [
            Parameter(name, slots[name].description, name in required, slots[name].choices)
            for name in (*required, *intent["optional_slots"])
        ]
        asked = bool(intent["is_transactional"])
        actions.append(
            Declared(intent["name"], intent["description"], tuple(parameters), confirmed=asked)
        )
    return domain_of(service["service_name"], Actions(actions), slots.values())


def read_sgd(folder: Path) -> Iterator[SgdDialogue]:
    """The dialogues of a folder, a part for each service, in the file's order."""
    with gzip.open(folder / "dialogues.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            for service in row["services"]:
                part = _part(row, service)
                if part is not None:
                    yield part


def _part(row: Mapping[str, Any], service: str) -> SgdDialogue | None:
    turns: list[AnnotatedTurn] = []
    states: list[Mapping[str, tuple[str, ...]]] = []
    results: list[Mapping[str, str]] = []
    every = row["turns"]
    for at, turn in enumerate(every):
        if turn["speaker"] != "USER":
            continue
        frame = _frame(turn, service)
        if frame is None:
            continue
        state = {name: tuple(v) for name, v in frame["state"]["slot_values"].items()}
        following: Mapping[str, Any] = (
            every[at + 1] if at + 1 < len(every) else {"frames": [], "utterance": ""}
        )
        answer = _frame(following, service)
        does = _actions(answer, state) if answer else ()
        wants = frame["state"]["active_intent"]
        first = {name: values[0] for name, values in state.items()}
        turns.append(
            AnnotatedTurn(
                "user",
                turn["utterance"],
                _slots(turn["utterance"], frame),
                does,
                None,
                Action("" if wants == "NONE" else wants, first),
            )
        )
        states.append(state)
        said = _said(answer) if answer else ()
        slots = _slots(following["utterance"], answer) if answer else ()
        turns.append(AnnotatedTurn("system", following["utterance"], slots, said))
        results += (answer or {}).get("service_results", [])
    if not turns:
        return None
    dialogue = Dialogue(f"{row['dialogue_id']}/{service}", tuple(turns))
    return SgdDialogue(row["split"], service, dialogue, tuple(states), tuple(results))


def _frame(turn: Mapping[str, Any], service: str) -> Mapping[str, Any] | None:
    return next((frame for frame in turn["frames"] if frame["service"] == service), None)


def _slots(text: str, frame: Mapping[str, Any]) -> tuple[Slot, ...]:
    found = []
    for slot in frame["slots"]:
        start, end = slot["start"], slot["exclusive_end"]
        found.append(Slot(slot["slot"], text[start:end], start, end))
    return tuple(sorted(found, key=lambda slot: slot.start))


def _actions(frame: Mapping[str, Any], state: Mapping[str, tuple[str, ...]]) -> tuple[Action, ...]:
    """What the system does next, as far as it is decided before the service answers."""
    found: list[Action] = []
    call = frame.get("service_call")
    if call:
        given = {n: state[n][0] if n in state else v for n, v in call["parameters"].items()}
        found.append(Action(call["method"], given))
    confirmed: dict[str, str] = {}
    for act in frame["actions"]:
        match act["act"]:
            case "REQUEST":
                found.append(Action(ASK, {"argument": act["slot"]}))
            case "INFORM":
                found.append(Action(INFORM, {"argument": act["slot"]}))
            case "OFFER_INTENT":
                found.append(Action(PROPOSE, {"action": act["values"][0]}))
            case "OFFER" if not call:
                found.append(Action(OFFER))
            case "REQ_MORE":
                found.append(Action(MORE))
            case "GOODBYE":
                found.append(Action(STOP))
            case "CONFIRM":
                confirmed[act["slot"]] = act["values"][0]
    if confirmed:
        found.append(Action(CONFIRM, confirmed))
    return _each_once(found)


def _each_once(actions: list[Action]) -> tuple[Action, ...]:
    kept: list[Action] = []
    for action in actions:
        if action not in kept:
            kept.append(action)
    return tuple(kept)


def _said(frame: Mapping[str, Any]) -> tuple[Action, ...]:
    """What the system does, with the values that it says."""
    told = {a["slot"]: a["values"][0] for a in frame["actions"] if a["values"]}
    found = []
    for action in _actions(frame, {}):
        argument = action.arguments.get("argument", "")
        if action.name == INFORM and argument in told:
            action = Action(INFORM, {"argument": argument, argument: told[argument]})
        found.append(action)
    return tuple(found)
