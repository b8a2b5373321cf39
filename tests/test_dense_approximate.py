"""The dense generator's approximate index: recall, prefixes, filters, growth."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest
from numpy.typing import NDArray

from retrievers.approximate import train
from retrievers.base import Document, Query
from retrievers.dense import Dense
from retrievers.encoder import on_grid
from tests.dense_world import Floats, Planted, filtered, same


def clustered(count: int, seed: int) -> NDArray[np.float16]:
    """Overlapping clusters of all sizes."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((60, 48))
    of = (rng.random(count) ** 2 * 60).astype(np.intp)
    return on_grid(centres[of] + 1.2 * rng.standard_normal((count, 48)))


@pytest.fixture(scope="module")
def approximate() -> Dense:
    count = 6000
    dense = Dense(Planted(clustered(count + 100, 0)), exact_rows=2000, seed=3)
    dense.add(np.arange(count, dtype=np.int32), [Document("x", str(i)) for i in range(count)])
    return dense


def exactly(dense: Dense, text: str, allowed: NDArray[np.bool_] | None = None) -> Floats:
    scores = dense.similarity(Query(text), np.arange(6000, dtype=np.int32))
    return np.sort(scores if allowed is None else scores[allowed])[::-1]


def test_recall_of_the_approximate_index_on_unseen_queries(approximate: Dense) -> None:
    index = approximate.index
    assert index is not None
    assert index.base is not None
    assert isinstance(index.base.index, faiss.IndexIVF)
    assert index.base.probes < index.base.index.nlist / 2
    assert 0.95 <= approximate.recall <= 1
    recalls = []
    for text in map(str, range(6000, 6100)):
        hits = approximate.retrieve(Query(text), 100)
        recalls.append((hits.scores >= exactly(approximate, text)[99]).mean())
        assert (approximate.similarity(Query(text), hits.docs) == hits.scores).all()
    assert np.mean(recalls) >= 0.95


def test_the_approximate_answer_is_a_prefix_of_any_longer_one(approximate: Dense) -> None:
    longest = approximate.retrieve(Query("6001"), 10_000)
    assert 100 < len(longest) < 6000
    for k in (1, 10, 99, 1000):
        assert same(approximate.retrieve(Query("6001"), k), longest.top(k))


def test_filters_of_the_approximate_index(approximate: Dense) -> None:
    rng = np.random.default_rng(0)
    query = Query("6002")
    allowed = rng.random(6000) < 0.6
    full = approximate.retrieve(query, 6000)
    assert same(approximate.retrieve(query, 6000, allowed), filtered(full, allowed))
    rare = np.zeros(6000, np.bool_)
    rare[rng.choice(6000, 25, replace=False)] = True
    hits = approximate.retrieve(query, 100, rare)
    assert hits.scores.tolist() == exactly(approximate, "6002", rare).tolist()
    assert len(approximate.retrieve(query, 5, np.zeros(6000, np.bool_))) == 0


def test_training_repeats_to_the_byte(approximate: Dense) -> None:
    stored = clustered(3000, 5)
    (one, *figures), (two, *again) = train(stored, 7), train(stored, 7)
    assert figures == again
    queries = stored[:50].astype(np.float32)
    for found, expected in zip(one.search(queries, 200), two.search(queries, 200), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_an_index_grows_past_its_exact_size_and_is_trained_anew_at_twice_that() -> None:
    stored = clustered(9000, 2)
    dense = Dense(Planted(stored), exact_rows=2000)
    trained = []
    for rows in np.array_split(np.arange(9000, dtype=np.int32), 6):
        dense.add(rows, [Document("x", str(row)) for row in rows])
        assert dense.index is not None
        assert dense.index.base is not None
        trained.append(dense.index.base.trained)
    assert trained == [0, 3000, 3000, 3000, 7500, 7500]
    hits = dense.retrieve(Query("8999"), 50)
    assert hits.docs[0] == 8999


def test_a_loaded_index_grows_as_the_one_that_was_saved(tmp_path: Path) -> None:
    stored = clustered(6000, 4)
    dense = Dense(Planted(stored), exact_rows=2000)
    for rows in np.split(np.arange(4500, dtype=np.int32), [3000]):
        dense.add(rows, [Document("x", str(row)) for row in rows])
    dense.save(tmp_path)
    loaded = Dense.load(tmp_path, Planted(stored))
    for one in (dense, loaded):
        assert one.index is not None
        assert one.index.side is not None
        rows = np.arange(4500, 6000, dtype=np.int32)
        one.add(rows, [Document("x", str(row)) for row in rows])
    for text in ("17", "4400", "5999"):
        assert same(loaded.retrieve(Query(text), 200), dense.retrieve(Query(text), 200))
