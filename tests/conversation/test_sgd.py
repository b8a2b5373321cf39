"""The reader on a made dialogue of two services."""

from pathlib import Path

import pytest

from conversation.base import Action, Slot
from conversation.sgd import is_sgd, read_domains, read_sgd
from tests.conversation.made_sgd import write_sgd


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_sgd(tmp_path)


def test_services_become_domains(folder: Path) -> None:
    domain = read_domains(folder)["Music_9"]
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
