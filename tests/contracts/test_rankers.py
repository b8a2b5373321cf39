"""What holds for every ranker, found by walking the subclasses of `Ranker`."""

from __future__ import annotations

import copy
import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import rankers
from rankers.base import Judged, Ranker

NAMES = ("bm25.rank", "bm25.score", "dense.rank", "dense.score", "price")
SET_RELATIVE = {"minmax"}
"""Rules whose scores are relative to the candidates of one query."""


def discovered(cls: type[Ranker] = Ranker) -> Iterator[type[Ranker]]:
    for module in pkgutil.iter_modules(rankers.__path__, "rankers."):
        importlib.import_module(module.name)
    for child in cls.__subclasses__():
        if not inspect.isabstract(child) and child.__module__.startswith("rankers"):
            yield child
        yield from discovered(child)


KINDS = sorted(set(discovered()), key=lambda cls: cls.name)


def sample(seed: int, queries: int = 40, size: int = 12) -> Judged:
    """Two generators that return about two thirds each; labels follow `dense.score` and `price`."""
    rng = np.random.default_rng(seed)
    n = queries * size
    scores = rng.normal(size=(queries, size, 2)).astype(np.float32)
    ranks = (-scores).argsort(axis=1).argsort(axis=1).astype(np.float32)
    missing = rng.random((queries, size, 2)) < 0.3
    scores[missing], ranks[missing] = np.nan, np.nan
    price = rng.random((queries, size)).astype(np.float32)
    worth = np.nan_to_num(scores[..., 1]) + 3 * price
    features = np.stack([ranks[..., 0], scores[..., 0], ranks[..., 1], scores[..., 1], price], -1)
    return Judged(
        features.reshape(n, 5),
        np.digitize(worth, [1.5, 3.0]).ravel() * 1.25,
        rng.uniform(0.5, 2.0, n),
        np.tile(np.arange(1, size + 1, dtype=np.int32), queries),
        np.arange(0, n + 1, size),
    )


@pytest.fixture(params=KINDS, ids=lambda cls: cls.name)
def kind(request: pytest.FixtureRequest) -> type[Ranker]:
    cls: type[Ranker] = request.param
    return cls


@pytest.fixture
def ranker(kind: type[Ranker]) -> Ranker:
    built = make(kind)
    built.fit(sample(0))
    return built


def make(kind: type[Ranker]) -> Ranker:
    build: Callable[..., Ranker] = kind
    return build(feature_names=NAMES)


def replaced(judged: Judged, **fields: object) -> Judged:
    kept = {name: getattr(judged, name) for name in Judged.__slots__}
    return Judged(**{**kept, **fields})


def files(ranker: Ranker, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    ranker.save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_known_rankers_are_found() -> None:
    assert {"rrf", "minmax", "lambdamart"} <= {cls.name for cls in KINDS}
    assert len({cls.name for cls in KINDS}) == len(KINDS)


def test_scores_are_finite_and_one_a_row(ranker: Ranker) -> None:
    features = sample(1).features[:12]
    scores = ranker.score(features)
    assert scores.shape == (12,)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    assert ranker.score(features[:0]).shape == (0,)
    assert np.isfinite(ranker.score(np.full((3, 5), np.nan, np.float32))).all()


def test_scoring_changes_nothing(ranker: Ranker) -> None:
    features = sample(1).features[:12]
    before = features.copy()
    assert ranker.score(features).tobytes() == ranker.score(features).tobytes()
    assert features.tobytes() == before.tobytes()


@pytest.mark.parametrize("seed", range(3))
def test_permuted_rows_get_permuted_scores(ranker: Ranker, seed: int) -> None:
    features = sample(2).features[:12]
    order = np.random.default_rng(seed).permutation(12)
    assert ranker.score(features[order]).tobytes() == ranker.score(features)[order].tobytes()


def test_memory_layout_does_not_matter(ranker: Ranker) -> None:
    features = sample(2).features[:12]
    assert ranker.score(np.asfortranarray(features)).tobytes() == ranker.score(features).tobytes()


def test_only_set_relative_scores_depend_on_the_rows_beside(ranker: Ranker) -> None:
    features = sample(3).features[:60]
    alone = np.concatenate([ranker.score(row[None]) for row in features])
    same = ranker.score(features).tobytes() == alone.tobytes()
    assert same is (ranker.name not in SET_RELATIVE)


def test_same_data_same_ranker(kind: type[Ranker], tmp_path: Path) -> None:
    first, second = make(kind), make(kind)
    first.fit(sample(0))
    second.fit(sample(5))
    second.fit(sample(0))  # nothing is left of what was learnt before
    assert files(first, tmp_path / "a") == files(second, tmp_path / "b")


def test_a_copy_keeps_scoring_as_before(ranker: Ranker) -> None:
    features = sample(1).features[:12]
    kept = copy.copy(ranker)
    before = kept.score(features).tobytes()
    other = sample(4)
    ranker.fit(replaced(other, labels=other.labels.max() - other.labels))
    assert kept.score(features).tobytes() == before


def test_fit_leaves_its_data_alone(kind: type[Ranker]) -> None:
    judged, same = sample(0), sample(0)
    make(kind).fit(judged)
    for name in Judged.__slots__:
        assert getattr(judged, name).tobytes() == getattr(same, name).tobytes()


def test_saved_and_loaded_to_the_byte(ranker: Ranker, tmp_path: Path) -> None:
    written = files(ranker, tmp_path / "a")
    loaded = type(ranker).load(tmp_path / "a")
    features = sample(6).features[:12]
    assert loaded.feature_names == NAMES
    assert loaded.score(features).tobytes() == ranker.score(features).tobytes()
    assert files(loaded, tmp_path / "b") == written


def test_an_unfitted_ranker_survives_saving(kind: type[Ranker], tmp_path: Path) -> None:
    written = files(make(kind), tmp_path / "a")
    assert files(kind.load(tmp_path / "a"), tmp_path / "b") == written


def test_another_format_is_refused(ranker: Ranker, tmp_path: Path) -> None:
    manifest = json.loads(files(ranker, tmp_path / "a")["manifest.json"])
    (tmp_path / "a" / "manifest.json").write_text(json.dumps({**manifest, "format": 0}))
    with pytest.raises(ValueError, match="found saved form 0, expected"):
        type(ranker).load(tmp_path / "a")
    (tmp_path / "a" / "manifest.json").write_text(json.dumps({**manifest, "ranker": "other"}))
    with pytest.raises(ValueError, match="found ranker 'other', expected"):
        type(ranker).load(tmp_path / "a")


@pytest.mark.parametrize("columns", [4, 6])
def test_wrong_columns_name_the_likely_cause(ranker: Ranker, columns: int) -> None:
    message = f"found {columns} columns, expected 5 .*typically occurs because"
    with pytest.raises(ValueError, match=message):
        ranker.score(np.zeros((2, columns), np.float32))
    with pytest.raises(ValueError, match=message):
        ranker.fit(replaced(sample(0), features=np.zeros((480, columns), np.float32)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("labels", -1.0),
        ("labels", np.nan),
        ("labels", np.inf),
        ("weights", 0.0),
        ("weights", -1.0),
        ("weights", np.nan),
        ("weights", np.inf),
    ],
)
def test_bad_values_are_named(ranker: Ranker, field: str, value: float) -> None:
    values = getattr(sample(0), field).copy()
    values[7] = value
    with pytest.raises(ValueError, match=rf"Judged\.{field}: found {value} in row 7 .*expected"):
        ranker.fit(replaced(sample(0), **{field: values}))


def test_starts_must_ascend(ranker: Ranker) -> None:
    starts = sample(0).starts.copy()
    starts[3] = starts[5]
    with pytest.raises(ValueError, match=r"Judged\.starts: found a descent"):
        ranker.fit(replaced(sample(0), starts=starts))


@pytest.mark.parametrize("case", ["no rows", "no labels"])
def test_nothing_to_learn_from_changes_nothing(ranker: Ranker, tmp_path: Path, case: str) -> None:
    written = files(ranker, tmp_path / "a")
    if case == "no rows":
        none = np.zeros(0)
        empty = np.zeros((0, 5), np.float32)
        ranker.fit(Judged(empty, none, none, none.astype(np.int32), np.zeros(1, np.int64)))
    else:
        ranker.fit(replaced(sample(1), labels=np.zeros(480)))
    assert files(ranker, tmp_path / "b") == written


def test_queries_without_candidates_are_normal(kind: type[Ranker], tmp_path: Path) -> None:
    judged = sample(0)
    gaps = replaced(judged, starts=np.repeat(judged.starts, 2))
    plain, gappy = make(kind), make(kind)
    plain.fit(judged)
    gappy.fit(gaps)
    assert files(plain, tmp_path / "a") == files(gappy, tmp_path / "b")
