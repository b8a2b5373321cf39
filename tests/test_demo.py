"""The demo's listeners, keyboard and comparison; the demo itself runs small, end to end."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from benchmarks import keyboard
from benchmarks.clicks import PositionBased
from demo.comparison import FIXED, LTRR, MINMAX, ORACLE, RRF
from demo.run import run
from demo.tables import MARKS
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


def test_position_based_clicks_follow_the_curve() -> None:
    model, rng = PositionBased(severity=1.0), np.random.default_rng(0)
    clicks = np.mean([model.clicks(np.full(4, 0.5), rng) for _ in range(20_000)], axis=0)
    np.testing.assert_allclose(clicks, 0.5 / np.arange(1, 5), atol=0.015)


def test_the_demo_runs_small(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_text("\n".join(json.dumps(document_to_json(d)) for d in songs()))
    said = io.StringIO()
    compared = run(
        searches=120,
        catalog=corpus,
        encoder=WordHashes(),
        console=Console(file=said, width=120),
        picture=tmp_path / "learning.png",
        jobs=1,
    )
    assert set(compared.places) == {LTRR, RRF, MINMAX, FIXED, ORACLE, *GENERATORS}
    assert set(MARKS) == set(GENERATORS)
    assert compared.success(LTRR) > 0.5
    assert compared.success(ORACLE) >= compared.success(LTRR, 1)
    assert "success@10 over time" in said.getvalue()
    assert "was added in" in said.getvalue()
    assert (tmp_path / "learning.png").read_bytes().startswith(b"\x89PNG")
