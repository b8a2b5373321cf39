"""The demo's listeners, keyboard and comparison; the demo itself runs small, end to end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks import keyboard
from benchmarks.clicks import PositionBased
from demo.catalogue import catalogue
from demo.listeners import INTENTS, TYPED, Crowd
from demo.run import MARKS, run
from engine.config import GENERATORS
from engine.formats import document_to_json
from tests.conftest import WordHashes, songs


@given(st.text(max_size=40), st.integers(0, 1000))
def test_typing_never_fails_and_changes_little(text: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert abs(len(keyboard.slip(text, rng)) - len(text)) <= 1
    assert text.startswith(keyboard.prefix(text, rng))
    assert sorted(keyboard.swapped(text, rng).split()) == sorted(text.split())
    assert len(keyboard.without_a_word(text, rng).split()) >= min(2, len(text.split()))


def test_neighbouring_keys_lie_beside_each_other() -> None:
    assert set(keyboard.neighbours("g")) >= {"f", "h"}
    assert set("qwpz") & set(keyboard.neighbours("g")) == set()
    assert keyboard.neighbours("é") == ""
    assert keyboard.plain("Beyoncé") == "Beyonce"


def test_the_shares_are_shares() -> None:
    assert sum(INTENTS.values()) == pytest.approx(1.0)
    assert sum(TYPED.values()) == pytest.approx(1.0)


def test_position_based_clicks_follow_the_curve() -> None:
    model, rng = PositionBased(severity=1.0), np.random.default_rng(0)
    clicks = np.mean([model.clicks(np.full(4, 0.5), rng) for _ in range(20_000)], axis=0)
    np.testing.assert_allclose(clicks, 0.5 / np.arange(1, 5), atol=0.015)


def test_the_same_seed_gives_the_same_wishes() -> None:
    first, second = (Crowd(songs(), seed=3, listeners=10) for _ in range(2))
    wishes = [first.wish() for _ in range(50)]
    assert wishes == [second.wish() for _ in range(50)]
    assert {wish.intent for wish in wishes} >= {"known", "artist", "topic"}
    times = [wish.time for wish in wishes]
    assert times == sorted(times)


def test_listeners_of_the_catalogue_mean_its_tracks_and_artists() -> None:
    documents = catalogue()
    tracks = {d.id for d in documents if d.type in ("track", "artist")}
    crowd = Crowd(documents, seed=1, listeners=20)
    assert all(crowd.wish().item in tracks for _ in range(200))


def test_the_demo_runs_small(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps(document_to_json(d)) for d in songs()))
    said = io.StringIO()
    compared = run(
        searches=120,
        catalog=corpus,
        encoder=WordHashes(),
        console=Console(file=said, width=120),
        jobs=1,
    )
    assert set(compared.found) == {"ltrr", "rrf", *GENERATORS}
    assert set(MARKS) == set(GENERATORS)
    assert compared.success("ltrr") > 0.5
    assert "success@10 over time" in said.getvalue()
