"""Simulated sessions searched end to end, and tagging measured, small."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from conversation.base import AnnotatedTurn, Dialogue, Rewrite, Slot
from conversation.sgd import SgdDialogue
from conversation.simulator import Simulator
from demo.catalogue import catalogue
from demo.conversation import converse
from demo.pace import pace
from demo.samples import simulator
from demo.sessions import ALONE, FULL, REWRITTEN, FollowUp, follow_ups, measure, table
from demo.tagging import heard_by, renamed, songs_of, tell
from engine import EngineConfig, SearchEngine, Turn
from engine.conversing import Conversation
from tests.conftest import Clock, songs


class Knowing:
    """Rewrites what it has been told of."""

    def __init__(self, known: dict[str, str]) -> None:
        self.known = known

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        return Rewrite(self.known.get(text, text), 1.0)

    def save(self, folder: Path) -> None:
        raise AssertionError("not asked for")


TURNS = (Turn("user", "song of artistc2"), Turn("system", "Playing Song of ArtistC2."))
FOLLOWS = [
    FollowUp(0, TURNS, "and their first", "night train artistc2", frozenset({"t2-2"}), "play"),
    FollowUp(0, TURNS, "that again", "song of artistc2", frozenset({"t2-3"}), "play"),
    FollowUp(1, TURNS, "no other", "qqqq", frozenset({"t9-9"}), "search"),
]


@pytest.fixture(scope="module")
def engine() -> Iterator[SearchEngine]:
    known = {one.typed: one.full for one in FOLLOWS[:2]}
    config = EngineConfig(generators=("bm25", "structured"), budget=20.0, clock=Clock())
    with SearchEngine.build(
        songs(), config=config, conversation=Conversation(Knowing(known))
    ) as engine:
        yield engine


def test_follow_ups_are_searched_in_three_ways(engine: SearchEngine) -> None:
    measured = measure(engine, FOLLOWS)
    assert measured.successes[FULL].tolist() == [1.0, 1.0, 0.0]
    assert measured.successes[REWRITTEN].tolist() == [1.0, 1.0, 0.0]
    assert measured.successes[ALONE].sum() == 0.0
    said = io.StringIO()
    Console(file=said, width=120).print(table(measured))
    assert "66.7" in said.getvalue()
    assert "100.0" in said.getvalue()


def test_the_pace_is_told_by_stage(engine: SearchEngine) -> None:
    spent = pace(engine, FOLLOWS)
    assert spent.shape == (3, 2)
    assert (spent[:, 1] > 0).all()


def test_a_scripted_conversation(engine: SearchEngine) -> None:
    said = io.StringIO()
    lines = ("song of artistc2", "and their first")
    converse(engine, Console(file=said, width=150), lines)
    assert "> and their first  = night train artistc2" in said.getvalue()
    assert "Night Train ArtistC2 by ArtistC2 (track)" in said.getvalue()


def test_songs_of_a_music_service_and_what_was_told_of_them() -> None:
    result = {
        "song_name": "Annie",
        "artist": "Connar Moon",
        "album": "Oxford",
        "genre": "Folk",
        "year": "2018",
    }
    text = "Is there a folk song by Connar Moon?"
    slots = (
        Slot("genre", "Folk", 11, 15),
        Slot("artist", "Connar Moon", 24, 35),
        Slot("playback_device", "TV", 0, 2),
    )
    part = SgdDialogue(
        "dev", "Music_1", Dialogue("d", (AnnotatedTurn("user", text, slots),)), ({},), (result,)
    )
    documents = songs_of([part, part])
    assert [document.type for document in documents] == ["track", "artist", "album"]
    assert documents[0].metadata["year"] == 2018
    dialogue = renamed(part.dialogue)
    assert [slot.name for slot in dialogue.turns[0].slots] == ["genre", "artist"]
    told = tell(heard_by(documents), None, [dialogue], ("genre", "artist", "track"))
    assert (told.right, told.wrong, told.missed, told.exact, told.turns) == (2, 0, 0, 1, 1)
    assert told.f1 == 1.0


@pytest.fixture(scope="module")
def simulated() -> Simulator:
    return simulator(catalogue())


@pytest.mark.slow
def test_follow_ups_of_simulated_sessions_need_what_was_said(simulated: Simulator) -> None:
    found = list(follow_ups(simulated, 20, 3))
    assert {one.session for one in found} == set(range(20))
    assert found == list(follow_ups(simulated, 20, 3))
    assert all(one.turns and one.targets and one.typed != one.full for one in found)
    assert np.mean([len(one.turns) for one in found]) > 1
