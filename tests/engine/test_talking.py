"""A conversation: what was said is the context of what is said next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from conversation.base import Action, AnnotatedTurn
from engine import BadInput, Context, EngineConfig, SearchEngine, Talk
from tests.conftest import Clock, WordHashes, songs


@pytest.fixture(scope="module")
def built() -> Iterator[SearchEngine]:
    config = EngineConfig(generators=("bm25", "structured"), budget=20.0, clock=Clock())
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        yield engine


def test_what_was_said_and_found_is_the_context_of_the_next_line(built: SearchEngine) -> None:
    talk = Talk(built, Context(user="ann"), k=5)
    first = talk.say("silver river by artista0")
    assert first.response is not None
    assert first.response.hits[0].id == "t0-1"
    assert first.text.startswith("I found Silver River by ArtistA0")
    assert [turn.speaker for turn in talk.turns] == ["user", "system"]
    assert talk.turns[1].text == first.text
    assert "ArtistA0" in talk.turns[1].entities
    second = talk.say("love")
    assert second.response is not None
    assert second.response.query.context.turns == talk.turns[:2]
    assert second.response.query.context.user == "ann"


def test_a_result_is_taken_by_its_number(built: SearchEngine) -> None:
    talk = Talk(built, k=5)
    with pytest.raises(BadInput, match="1 to 0"):
        talk.choose(1)
    response = talk.say("silver river by artista0").response
    assert response is not None
    taken = talk.choose(2)
    assert taken.id == response.hits[1].id
    assert talk.turns[-1].text.startswith("Playing ")
    assert [e.document for e in built.log.events(0, built.log.last()[1])][-1] == taken.id
    with pytest.raises(BadInput, match="found 6, expected the number of a result, 1 to 5"):
        talk.choose(6)


@dataclass
class Decision:
    wants: Action
    actions: tuple[Action, ...]


class Scripted:
    """Does one thing after the other, and remembers what it was asked."""

    def __init__(self, *actions: Action) -> None:
        self.actions = list(actions)
        self.seen: list[tuple[Sequence[AnnotatedTurn], AnnotatedTurn, Action | None]] = []

    def decide(
        self, before: Sequence[AnnotatedTurn], turn: AnnotatedTurn, wants: Action | None
    ) -> Decision:
        self.seen.append((before, turn, wants))
        action = self.actions.pop(0)
        return Decision(Action("play", {"step": str(len(self.seen))}), (action,))


def test_a_manager_decides_what_is_done_with_what_was_found(built: SearchEngine) -> None:
    manager = Scripted(
        Action("ask_which", {"name": "Love"}), Action("play"), Action("ask", {"argument": "artist"}),
        Action("stop"),
    )  # fmt: skip
    talk = Talk(built, k=5, manager=manager)
    said = [talk.say(text) for text in ("love", "silver river by artista0", "something", "bye")]
    assert said[0].text.startswith("Do you mean Love by Artist")
    assert said[0].text.endswith("?")
    assert said[1].text == "Playing Silver River by ArtistA0."
    assert said[2].text == "Which artist?"
    assert [one.is_last for one in said] == [False, False, False, True]
    assert [one.response is None for one in said] == [False, False, False, True]
    assert [len(one.about) for one in said] == [5, 1, 0, 0]
    before, turn, wants = manager.seen[1]
    assert [slot.name for slot in before[1].slots] == ["track", "artist", "track", "artist"]
    assert all(before[1].text[s.start : s.end] == s.value for s in before[1].slots)
    assert {(slot.name, slot.value) for slot in turn.slots} == {
        ("track", "Silver River"), ("artist", "ArtistA0"),
    }  # fmt: skip
    assert wants == Action("play", {"step": "1"})


class Broken:
    """Cannot decide."""

    def decide(self, before: object, turn: object, wants: object) -> Decision:
        raise ValueError("no such act")


def test_a_manager_that_fails_costs_a_note(built: SearchEngine) -> None:
    said = Talk(built, k=5, manager=Broken()).say("love")
    assert said.response is not None
    assert said.actions == ()
    assert said.notes == ("dialogue manager: failed, only searched (ValueError: no such act)",)


def test_an_action_may_say_what_is_searched_for(built: SearchEngine) -> None:
    manager = Scripted(Action("search", {"query": "silver river"}))
    said = Talk(built, k=5, manager=manager).say("that one about water")
    assert said.response is not None
    assert said.response.query.typed == "silver river"
