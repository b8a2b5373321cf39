"""What trees foresee of each step of a ladder."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeRegressor

from engine import EngineConfig, SearchEngine, boosting
from engine import foresight as foresight_module
from engine.boosting import Trees
from engine.foresight import LEAST, Foresight
from engine.statistics import ACTION_FEATURES
from retrievers.base import Query
from tests.conftest import Clock, WordHashes, songs
from tests.engine.test_snapshots import answers, teach

GENERATORS, RUNGS = 2, 4
Floats = NDArray[np.float64]
ACTIONS = np.zeros((GENERATORS, RUNGS, 7))
AT_MOST = np.full(GENERATORS, np.inf)


def test_trees_tell_what_none_of_the_columns_tells_alone() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 6)).astype(np.float32)
    y = np.stack([np.sign(x[:, 0] * x[:, 1]), np.abs(x[:, 2])] * 4, axis=1).astype(np.float32)
    trees = Trees.grown(x[:1000], y[:1000], np.random.default_rng(1))
    told = np.stack([trees(row) for row in x[1000:]])
    left = ((y[1000:] - told) ** 2).mean(axis=0) / y[1000:].var(axis=0)
    assert told.shape == (1000, 8)
    assert (left < 0.35).all()


def test_trees_tell_what_scikit_learns_tree_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((300, 6)).astype(np.float32)
    y = np.stack([x[:, 0] * x[:, 1], np.abs(x[:, 2])], axis=1)
    for name, value in (("TREES", 1), ("RATE", 1.0), ("ROWS", 1.1), ("COLUMNS", 1.0)):
        monkeypatch.setattr(boosting, name, value)
    trees = Trees.grown(x, y, np.random.default_rng(1))
    theirs = DecisionTreeRegressor(
        max_leaf_nodes=boosting.LEAVES, min_samples_leaf=boosting.LEAF, random_state=0
    )
    expected = theirs.fit(x, y).predict(x)
    np.testing.assert_allclose([trees(row) for row in x], expected, atol=1e-5)


def test_the_same_generator_grows_the_same_trees() -> None:
    x, y = np.random.default_rng(0).random((2, 200, 8)).astype(np.float32)
    one, two = (Trees.grown(x, y, np.random.default_rng(3)).arrays() for _ in range(2))
    assert all(one[name].tobytes() == two[name].tobytes() for name in one)


def asked(count: int, seed: int) -> tuple[Floats, Floats]:
    """Contexts of two features, and what rungs find: the first generator where just one of the features is
    above 0, the second elsewhere. No weighing of the two tells them apart."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, 2))
    first = (x[:, 0] > 0) != (x[:, 1] > 0)
    found = np.zeros((count, GENERATORS, RUNGS))
    found[first, 0, 1:] = 1.0
    found[~first, 1, 2:] = 1.0
    return x, found


def taught(count: int, seed: int = 0) -> Foresight:
    foresight = Foresight(GENERATORS, RUNGS)
    observe(foresight, count, seed)
    return foresight


def observe(foresight: Foresight, count: int, seed: int) -> None:
    x, found = asked(count, seed)
    rows = np.stack([foresight.rows(one, AT_MOST, ACTIONS) for one in x])
    foresight.observe(rows, found, np.random.default_rng(seed))


def told(foresight: Foresight, x: tuple[float, float]) -> Floats:
    return foresight.beside(np.array(x), AT_MOST, ACTIONS)[:, :, -1]


def test_trees_tell_what_features_say_only_together() -> None:
    foresight = taught(600)
    for x, finder in (((1.0, 1.0), 1), ((-1.0, -1.0), 1), ((1.0, -1.0), 0), ((-1.0, 1.0), 0)):
        steps = told(foresight, x)
        assert steps.shape == (GENERATORS, RUNGS)
        assert steps[finder].sum() > 0.8
        assert steps[1 - finder].sum() < 0.2
        assert steps[1, 2] > 0.8 * steps[1].sum()


def test_there_is_nothing_to_tell_before_enough_was_seen() -> None:
    foresight = taught(LEAST - 1)
    assert not told(foresight, (1.0, 1.0)).any()
    observe(foresight, 1, 1)
    assert told(foresight, (1.0, 1.0)).any()


def test_what_generators_can_return_and_found_is_seen() -> None:
    foresight = Foresight(GENERATORS, RUNGS)
    rates = ACTIONS.copy()
    rates[0, 1, 1] = 0.5
    rows = [
        foresight.rows(np.zeros(2), at_most, actions)
        for at_most, actions in (
            (AT_MOST, ACTIONS),
            (np.array([0.0, np.inf]), ACTIONS),
            (AT_MOST, rates),
        )
    ]
    assert len({row.tobytes() for row in rows}) == 3
    assert all(np.isfinite(row).all() for row in rows)


def test_a_copy_stays_as_it_was_and_the_latest_searches_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(foresight_module, "WINDOW", 300)
    foresight, other = taught(LEAST), taught(LEAST, seed=9)
    kept, before = copy.copy(foresight), told(foresight, (1.0, 1.0))
    for each in (foresight, other):
        for seed in (1, 2):
            observe(each, 150, seed)
    assert (told(kept, (1.0, 1.0)) == before).all()
    # What is left of both is the same.
    assert (told(foresight, (1.0, 1.0)) == told(other, (1.0, 1.0))).all()


@pytest.mark.parametrize("count", [0, 50, LEAST])
def test_a_saved_one_goes_on_as_before(count: int, tmp_path: Path) -> None:
    foresight = taught(count) if count else Foresight(GENERATORS, RUNGS)
    foresight.save(tmp_path)
    loaded = Foresight.load(tmp_path, GENERATORS, RUNGS)
    for each in (foresight, loaded):
        observe(each, 300, 5)
    assert (told(loaded, (1.0, -1.0)) == told(foresight, (1.0, -1.0))).all()


def test_nothing_is_foreseen_for_a_plan_that_heeds_nothing(tmp_path: Path) -> None:
    for policy in ("fixed", "uniform", "linucb"):
        folder, config = tmp_path / policy, EngineConfig(policy=policy)
        SearchEngine.build(songs(), folder=folder, config=config, encoder=WordHashes()).close()
        with SearchEngine.load(folder, encoder=WordHashes()) as engine:
            assert (engine.state.foresight is not None) is (policy == "linucb")


def test_plans_heed_what_is_foreseen_and_a_loaded_index_too(
    clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foresight_module, "LEAST", 5)
    config = EngineConfig(clock=clock, chunk="day", ranker_window=0, foresight=True)
    folder = tmp_path / "index"
    with SearchEngine.build(songs(), folder=folder, config=config, encoder=WordHashes()) as engine:
        teach(engine, clock)
        engine.learn()
        state = engine.state
        assert state.foresight is not None
        actions, _ = state.actions(state.facts(Query("love")), None)
        assert actions.shape[2] == len(ACTION_FEATURES) + 1
        assert actions[:, :, -1].any()
        before = answers(engine)
    with SearchEngine.load(folder, encoder=WordHashes(), clock=clock) as engine:
        assert answers(engine) == before
