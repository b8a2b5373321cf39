"""What a conversation says of what was found, and of what it does with it."""

from __future__ import annotations

import pytest

from conversation.base import Action
from engine import Document
from engine.saying import LONGEST, called, playing, said_of


def track(id: str, title: str, artist: str, **more: object) -> Document:
    return Document(id, title, "", "track", {"artist": artist, **more})


LOVE = [
    track("a", "Love", "Ann", version="live"),
    track("b", "Love", "Ann"),
    track("c", "Love", "Bob"),
    track("d", "Loveless", "Bob"),
]
ALBUM = Document("e", "Love", "", "album", {"artist": "Ann"})


def test_a_question_of_which_one_tells_apart_what_is_called_the_same() -> None:
    said = said_of((Action("ask_which", {"name": "love"}),), LOVE)
    assert said.turn.text == "Do you mean Love by Ann (live) or Love by Ann?"
    assert [one.text for one in said.about] == ["Love by Ann (live)", "Love by Ann", "Love by Bob"]
    assert [one.document.id for one in said.about] == ["a", "b", "c"]
    for slot in said.turn.slots:
        assert said.turn.text[slot.start : slot.end] == slot.value
    assert ("version", "live") in {(slot.name, slot.value) for slot in said.turn.slots}


@pytest.mark.parametrize(
    ("arguments", "played"),
    [
        ({}, "a"),
        ({"track": "Love", "artist": "bob"}, "c"),
        ({"kind": "album", "artist": "Ann", "sort": "newest"}, "e"),
        ({"artist": "dontcare"}, "a"),
        ({"track": "Loveless", "mood": "calm"}, "d"),
    ],
)
def test_what_is_played_is_the_first_that_agrees_most(
    arguments: dict[str, str], played: str
) -> None:
    said = said_of((Action("play", arguments),), [*LOVE, ALBUM])
    (about,) = said.about
    assert about.document.id == played
    assert said.turn.text == f"Playing {called(about.document)}."


@pytest.mark.parametrize("arguments", [{"artist": "Cat"}, {"track": "Hate"}, {"playlist": "Mine"}])
def test_nothing_is_said_to_be_played_that_nobody_asked_for(arguments: dict[str, str]) -> None:
    said = said_of((Action("play", arguments),), [*LOVE, ALBUM])
    assert said.about == ()
    assert said.turn.text.startswith("I found Love by Ann")


def test_results_of_one_name_are_named_once() -> None:
    assert said_of((), LOVE).turn.text == "I found Love by Ann and Love by Bob."
    assert said_of((), []).turn.text == "I found nothing."
    assert said_of((Action("ask_which", {"name": "Love"}),), []).turn.text == "I found nothing."


def test_names_are_no_longer_than_a_turn_may_be() -> None:
    turn = playing(track("x", "la " * 300, "Ann")).turn
    assert turn.slots[0].value == ("la " * 300)[:LONGEST]
    assert turn.text.endswith(" by Ann.")


def test_what_every_system_says() -> None:
    assert said_of((Action("ask", {"argument": "not_version"}),), LOVE).turn.text == (
        "Which not version?"
    )
    assert said_of((Action("ask_more"),), LOVE).turn.text == "Anything else?"
    assert said_of((Action("inform", {"argument": "year"}), Action("stop")), []).turn.text == "Bye."
