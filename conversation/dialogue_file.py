"""A dialogue manager in one file: safetensors, half precision, its domain beside the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from conversation.actions import Actions, Declared, Parameter
from conversation.dialogue import DialogueManager
from conversation.dialogue_net import DialogueNet
from conversation.domain import Domain
from conversation.words import Vectors, Words

FORMAT, VERSION = "ltrr-dialogue", 1


def save_manager(manager: DialogueManager, path: Path) -> None:
    """Write weights and domain, replacing the file in one step."""
    weights = {name: w.half().contiguous() for name, w in manager.net.state_dict().items()}
    about = {
        "format": FORMAT,
        "version": VERSION,
        "frozen": manager.net.frozen,
        "domain": _written(manager.domain),
    }
    # One entry: several would be written in any order, and the bytes differ from run to run.
    data = save(weights, {"about": json.dumps(about, sort_keys=True)})
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def load_manager(
    path: Path, domain: Domain | None = None, vectors: Vectors | None = None
) -> DialogueManager:
    """The manager of a file, for its own domain or another.

    `vectors` are the frozen word vectors that it was trained with, if any. Raises ValueError for
    another format, FileNotFoundError for no file.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: found no file, expected a dialogue manager's weights; "
            f"`ltrr train-conversation` writes them"
        )
    try:
        with safe_open(path, "pt") as file:
            about: Mapping[str, Any] = json.loads((file.metadata() or {}).get("about", "{}"))
            weights = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (no dict)
    except SafetensorError as error:
        raise ValueError(f"{path}: no safetensors ({error}); the file is damaged") from None
    if (about.get("format"), about.get("version")) != (FORMAT, VERSION):
        raise ValueError(
            f"{path}: found format {about.get('format')!r}, version {about.get('version')!r}, "
            f"expected {FORMAT!r}, {VERSION!r}; the file is another's, or of another release"
        )
    frozen = int(about["frozen"])
    if bool(frozen) != (vectors is not None):
        raise ValueError(
            f"{path}: was trained with {f'word vectors of {frozen}' if frozen else 'no word vectors'}"
            f", loaded with{'' if vectors else 'out'} some: pass the same encoder"
        )
    net = DialogueNet(frozen)
    net.load_state_dict(weights)
    return DialogueManager(net.eval(), Words(vectors, frozen), domain or _read(about["domain"]))


def _written(domain: Domain) -> dict[str, Any]:
    return {
        "name": domain.name,
        "actions": [
            {
                "name": action.name,
                "description": action.description,
                "confirmed": action.confirmed,
                "parameters": [_parameter(each) for each in action.parameters],
            }
            for action in domain.actions.by_name.values()
        ],
        "slots": [_parameter(slot) for slot in domain.slots],
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "description": parameter.description,
        "required": parameter.required,
        "choices": list(parameter.choices),
        "type": parameter.type,
    }


def _read(row: Mapping[str, Any]) -> Domain:
    def parameter(each: Mapping[str, Any]) -> Parameter:
        return Parameter(
            each["name"],
            each["description"],
            each["required"],
            tuple(each["choices"]),
            each["type"],
        )

    actions = [
        Declared(
            each["name"],
            each["description"],
            tuple(parameter(p) for p in each["parameters"]),
            confirmed=each["confirmed"],
        )
        for each in row["actions"]
    ]
    return Domain(row["name"], Actions(actions), tuple(parameter(s) for s in row["slots"]))
