"""The values of rows against a plain dictionary, in however many steps they were added."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrievers import content as module
from retrievers.base import Docs, Document
from retrievers.content import FIELDS, Content
from retrievers.history import UserHistory
from retrievers.taste import PRIOR, Taste

FIELD = ("artist", "genre", "note")
Spec = dict[str, list[str]]
metadata = st.dictionaries(
    st.sampled_from(FIELD), st.lists(st.sampled_from("abcdé"), min_size=1, max_size=3, unique=True)
)


def documents(specs: list[Spec]) -> list[Document]:
    return [Document(str(i), "a", metadata=spec) for i, spec in enumerate(specs)]


def filled(specs: list[Spec], cuts: list[int]) -> Content:
    """Added in parts; a row is left out before each."""
    made, bounds = Content.none(), sorted({0, *(min(cut, len(specs)) for cut in cuts), len(specs)})
    everything = documents(specs)
    for part, (low, high) in enumerate(pairwise(bounds)):
        made = made.plus(np.arange(low, high, dtype=np.int32) + part, everything[low:high])
    return made


def rows_of(specs: list[Spec], cuts: list[int]) -> Docs:
    bounds = sorted({0, *(min(cut, len(specs)) for cut in cuts), len(specs)})
    return np.array(
        [i + sum(i >= bound for bound in bounds[1:-1]) for i in range(len(specs))], np.int32
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(metadata, min_size=1, max_size=12),
    st.lists(st.integers(1, 11), max_size=3),
    st.integers(0, 40),
)
def test_rows_share_what_their_documents_share(
    specs: list[Spec], cuts: list[int], unindexed: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "UNINDEXED", unindexed)
        made = filled(specs, cuts)
    rows = rows_of(specs, cuts)
    pairs = [{(f, v) for f, values in spec.items() for v in values} for spec in specs]
    for mine, row in zip(pairs, rows.tolist(), strict=True):
        values, sizes = made.values_of(np.array([row], np.int32))
        assert sizes.tolist() == [len(mine)]
        assert made.sizes[values].sum() == sum(p in other for p in mine for other in pairs)
        sharing = rows[[bool(mine & other) for other in pairs]]
        np.testing.assert_array_equal(made.having(values, 10_000), sharing)
        known = np.unique(values)
        weights = np.zeros(made.sizes.size, np.float32)
        weights[known] = np.linspace(1, 2, known.size)
        strongest = made.strongest(rows, weights)
        for other, found in zip(rows, strongest.tolist(), strict=True):
            theirs, _ = made.values_of(other[None])
            shared = [
                [float(weights[v]) for v in theirs.tolist() if made.field_of[v] == field]
                for field in range(len(made.fields))
            ]
            assert found == pytest.approx(sum(max(one, default=0.0) for one in shared))


def test_rows_of_the_rarest_values_come_first() -> None:
    made = filled([{"genre": ["rock"], "artist": ["a" if i < 3 else "b"]} for i in range(10)], [])
    values, _ = made.values_of(np.array([0], np.int32))
    assert made.having(values, 3).tolist() == [0, 1, 2]
    assert made.having(values, 2).tolist() == []
    assert made.having(values, 13).tolist() == list(range(10))


def test_values_are_compared_as_they_are_searched_and_kept_apart_by_field() -> None:
    made = filled([{"artist": ["Björk"]}, {"artist": ["bjork "]}, {"genre": ["bjork"]}], [])
    values, _ = made.values_of(np.array([0], np.int32))
    assert made.having(values, 9).tolist() == [0, 1]


def test_dates_are_no_values() -> None:
    made = filled(
        [{"first": ["1985-02-09"], "seen": ["1985-02", "1985-02-09T10:00"], "decade": ["1980s"]}],
        [],
    )
    assert made.fields == ("decade",)
    assert made.values_of(np.array([0], np.int32))[1].tolist() == [1]


def test_fields_beyond_the_first_ones_are_passed_over() -> None:
    made = filled([{f"f{i}": ["x"] for i in range(FIELDS + 3)}, {f"f{FIELDS}": ["x"]}], [1])
    assert made.fields == tuple(f"f{i}" for i in range(FIELDS))
    assert made.values_of(np.array([2], np.int32))[1].tolist() == [0]


def test_what_is_loaded_is_what_was_saved(tmp_path: Path) -> None:
    made = filled([{"genre": ["rock"]}, {"genre": ["rock", "pop"]}, {}], [1])
    made.save(tmp_path / "content")
    loaded = Content.load(tmp_path / "content")
    more = documents([{"genre": ["pop"], "artist": ["a"]}])
    for each in (made, loaded):
        grown = each.plus(np.array([9], np.int32), more)
        values, _ = grown.values_of(np.array([9], np.int32))
        assert grown.having(values, 9).tolist() == [2, 9]
        assert each.count == 4


def test_a_taste_is_for_what_the_own_items_have_more_than_others() -> None:
    specs = [{"artist": [str(i // 5)], "language": ["en"]} for i in range(100)]
    made = filled([dict(spec) for spec in specs], [])
    own = np.array([0, 1, 2, 50], np.int32)
    ones, asked = np.ones(4), np.empty(0, np.int32)
    history = UserHistory(own, np.zeros(4), ones, ones, asked, asked, np.empty(0))
    taste = Taste.of(made, history)
    found = taste.towards(np.array([4, 54, 99], np.int32))
    of_artist = np.array([np.log1p(3 / (PRIOR * 0.05)), np.log1p(1 / (PRIOR * 0.05)), 0])
    np.testing.assert_allclose(found, of_artist + np.log1p(4 / PRIOR), rtol=1e-6)
    assert taste.likely().tolist() == list(range(100))
    assert Taste.of(made, UserHistory.none()).likely().size == 0
