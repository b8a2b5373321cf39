"""`learn(stage=True)` and `promote`: what goes live, what is refused, what is kept on disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import (
    BadInput,
    Comparison,
    Context,
    Document,
    EngineConfig,
    SearchEngine,
    SnapshotError,
)
from engine import snapshots as snapshots_module
from engine.promotion import decided
from tests.cli.lines import ltrr
from tests.conftest import Clock, WordHashes, songs
from tests.plan_world import WANTED, index, serve

EXPLORING = {"epsilon": 0.9, "undrawn": 1.0, "context_scale": 1.0, "action_scale": 1.0}
LADDER = (0, 5, 20)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that has staged what it learnt from 600 searches and served 700 more since.

    About one in ten is clicked; with fewer the gate is not sure of a first ranker.
    """
    folder = tmp_path_factory.mktemp("promotion") / "index"
    with index(folder, "epsilon_greedy", EXPLORING, Clock(), LADDER) as engine:
        serve(engine, 600, seed=1)
        engine.learn(stage=True)
        serve(engine, 700, seed=2)
    return folder


@pytest.fixture
def waiting(learnt: Path, tmp_path: Path) -> Iterator[SearchEngine]:
    """A copy of it, opened."""
    folder = shutil.copytree(learnt, tmp_path / "other")
    with SearchEngine.load(folder, clock=Clock(1_800_000_000.0)) as engine:
        yield engine


def snapshots(folder: Path) -> set[int]:
    return {int(path.name) for path in (folder / "snapshots").iterdir() if path.name.isdigit()}


def answers(engine: SearchEngine) -> list[object]:
    found: list[object] = []
    for typed, _ in WANTED:
        shown = engine.search(typed, Context(user="somebody"))
        found.append((shown.plan, shown.propensity, [(h.id, h.score) for h in shown.hits]))
    return found


def test_staging_leaves_what_is_in_force_as_it_is(tmp_path: Path) -> None:
    with index(tmp_path / "index", "epsilon_greedy", {}, Clock()) as engine:
        serve(engine, 60, seed=1)
        state = engine.state
        report = engine.learn(stage=True)
        assert report.staged == 2
        assert report.searches == 60
        assert engine.state is state
        assert list(engine.staged) == [2]
        assert (tmp_path / "index" / "CURRENT").read_text() == "1"
    with SearchEngine.load(tmp_path / "index") as engine:
        assert (engine.state.version, engine.state.learnt, engine.staged) == (0, (0, 0), (2,))


def test_a_better_state_takes_over(waiting: SearchEngine, tmp_path: Path) -> None:
    verdict = waiting.promote(allow=0.1)
    assert verdict.promoted, verdict.reason
    assert (verdict.snapshot, verdict.over, verdict.searches) == (2, 1, 700)
    assert verdict.policy.weights == "joint"
    assert verdict.policy.low is not None
    assert verdict.policy.low >= -0.1
    assert verdict.ranker.low is not None
    assert verdict.ranker.low > 0.0
    assert verdict.ranker.searches >= 50
    assert verdict.cure is None
    assert waiting.state.version == 1
    assert waiting.state.ranker is not None
    assert list(waiting.staged) == []
    live = answers(waiting)
    waiting.close()
    with SearchEngine.load(tmp_path / "other") as engine:
        assert answers(engine) == live
        # What was served since is still to be learnt.
        assert engine.learn().searches == 700 + 2 * len(WANTED)
        assert engine.state.version == 2


def test_the_default_refuses_a_policy_that_may_be_worse(waiting: SearchEngine) -> None:
    before = answers(waiting)
    verdict = waiting.promote()
    assert not verdict.promoted
    assert verdict.policy.low is not None
    assert verdict.policy.low < 0.0
    assert "expected a lower bound of at least +0" in verdict.reason
    assert verdict.cure is not None
    assert "explores more" in verdict.cure
    assert answers(waiting) == before
    assert list(waiting.staged) == [2]


def test_a_worse_ranker_is_refused(tmp_path: Path) -> None:
    with index(tmp_path / "index", "uniform", {}, Clock()) as engine:
        # It learns from people who click the last thing on a page; those who come then click the first.
        for place in (-1, 0):
            for n in range(150):
                shown = engine.search(WANTED[n % 12][0], Context(user=f"w{n}"))
                if shown.hits:
                    engine.feedback(shown.impression_id, clicks=[shown.hits[place].id])
            if place == -1:
                assert "promoted" in engine.learn(stage=True).verdict
        verdict = engine.promote(allow=0.05)
        assert not verdict.promoted
        assert verdict.policy.same
        assert verdict.ranker.high is not None
        assert verdict.ranker.high < 0.0
        assert verdict.cure is not None
        assert "surely worse" in verdict.cure
        assert engine.state.ranker is None


def test_it_is_refused_where_the_searches_cannot_tell(tmp_path: Path) -> None:
    with index(tmp_path / "index", "epsilon_greedy", EXPLORING, Clock(), LADDER) as engine:
        serve(engine, 600, seed=3)
        engine.learn(stage=True)
        verdict = engine.promote(allow=1.0)
        assert not verdict.promoted
        assert verdict.searches == 0
        assert verdict.policy.difference is None
        assert "nothing was served since" in verdict.reason
        serve(engine, 20, seed=2)
        verdict = engine.promote(allow=1.0)
        assert not verdict.promoted
        assert "effective sample size" in verdict.reason
        assert "clicked since it was learnt (at least 30 needed)" in verdict.reason
        assert engine.state.version == 0


def test_nothing_new_is_the_same_and_may_take_over(tmp_path: Path) -> None:
    with index(tmp_path / "index", "uniform", {}, Clock()) as engine:
        engine.learn(stage=True)
        serve(engine, 5, seed=1)
        verdict = engine.promote()
        assert verdict.promoted
        assert verdict.policy.same
        assert verdict.ranker.same
        assert engine.state.version == 1


def test_a_learn_makes_it_outdated_and_versions_stay_apart(waiting: SearchEngine) -> None:
    report = waiting.learn()
    assert report.staged is None
    assert waiting.state.version == 2  # 1 is that of the staged state
    assert list(waiting.staged) == []
    with pytest.raises(SnapshotError, match=r"snapshot 2 is outdated.*--stage"):
        waiting.promote()
    assert waiting.learn(stage=True).staged == 4
    assert list(waiting.staged) == [4]
    with pytest.raises(SnapshotError, match="found 2, expected a staged one; those waiting: 4"):
        waiting.promote(2)


def test_documents_added_since_are_not_lost_to_a_promotion(waiting: SearchEngine) -> None:
    waiting.add([Document("extra", "Extra Song")])
    with pytest.raises(SnapshotError, match="outdated"):
        waiting.promote(allow=1.0)
    assert waiting.document("extra") is not None


def test_pruning_keeps_what_is_staged(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with index(folder, "uniform", {}, Clock()) as engine:
        for n in range(5):
            serve(engine, 3, seed=n)
            engine.learn(stage=True)
        assert list(engine.staged) == [4, 5, 6]  # the latest three
        assert snapshots(folder) == {1, 4, 5, 6}
        assert engine.promote(4).promoted
        assert list(engine.staged) == []
        assert snapshots(folder) == {1, 4, 6}  # before, in force, the latest staged
        assert engine.state.version == 3
        engine.learn()
        assert engine.state.version == 6  # 5 is that of the outdated snapshot 6
        assert snapshots(folder) == {4, 6, 7}
        engine.save()
        assert snapshots(folder) == {6, 7, 8}


def test_an_encoder_of_ones_own_is_used_again(config: EngineConfig, tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with SearchEngine.build(songs(), folder=folder, config=config, encoder=WordHashes()) as engine:
        engine.learn(stage=True)
        engine.search("night train")
        assert engine.promote().promoted
        assert engine.search("night train").hits


def test_staging_needs_a_folder_and_a_loss_is_not_negative(
    engine: SearchEngine, stored: SearchEngine
) -> None:
    with pytest.raises(BadInput, match="folder"):
        engine.learn(stage=True)
    with pytest.raises(SnapshotError, match="no snapshot waits"):
        stored.promote()
    for allow in (-0.1, float("nan")):
        with pytest.raises(BadInput, match="allow: found"):
            stored.promote(allow=allow)


def part(low: float | None, high: float | None, *, same: bool = False) -> Comparison:
    middle = None if low is None or high is None else (low + high) / 2
    reasons = () if low is not None else ("nobody knows",)
    return Comparison("ranker", same, middle, low, high, 100, reasons=reasons)


@pytest.mark.parametrize(
    ("found", "allow", "promoted", "says"),
    [
        (part(0.01, 0.02), 0.0, True, "gains +0.0150"),
        (part(0.0, 0.02), 0.0, True, "gains +0.0100"),
        (part(-0.01, 0.02), 0.0, False, "serve more searches"),
        (part(-0.01, 0.02), 0.01, True, "gains"),
        (part(-0.03, -0.02), 0.01, False, "surely worse"),
        (part(None, None), 1.0, False, "nobody knows"),
        (part(None, None, same=True), 0.0, True, "does"),
    ],
)
def test_the_verdict(found: Comparison, allow: float, promoted: bool, says: str) -> None:
    verdict = decided(3, 2, allow, 100, part(0.0, 0.0, same=True), found)
    assert verdict.promoted is promoted
    assert says in f"{verdict.reason} {verdict.cure}"


def test_the_command_line(waiting: SearchEngine, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    waiting.close()
    refused = ltrr("promote", folder)
    assert refused.code == 3
    assert "Refused: snapshot 2 in place of 1; 1 stays in force" in refused.out
    assert "700 searches served since it was learnt" in refused.out
    assert "by whole plans (joint propensity)" in " ".join(refused.out.split())
    assert (folder / "CURRENT").read_text() == "1"
    found = ltrr("promote", folder, "--allow", "0.1", "--json").json
    assert (found["promoted"], found["snapshot"]) == (True, 2)
    assert found["ranker"]["low"] > 0.0
    assert (folder / "CURRENT").read_text() == "2"
    ltrr("promote", folder).refused("no snapshot waits", "--stage")
    said = ltrr("learn", folder, "--stage").out
    assert "Staged as snapshot 3; searches go on as before." in said
    assert f"ltrr promote {folder}" in said
    ltrr("search", folder, "love")
    assert "Outdated by this: staged snapshot 3" in ltrr("learn", folder).out
    ltrr("promote", folder).refused("snapshot 3 is outdated")


def test_a_crash_while_staging_or_promoting_leaves_one_whole_state(
    waiting: SearchEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(snapshots_module, "write_staged", crash)
    before = answers(waiting)
    with pytest.raises(OSError, match="no space"):
        waiting.learn(stage=True)
    assert answers(waiting) == before
    # CURRENT is replaced first: the new state is in force, and no longer waits.
    with pytest.raises(OSError, match="no space"):
        waiting.promote(2, allow=0.1)
    monkeypatch.undo()
    waiting.close()
    with SearchEngine.load(tmp_path / "other") as engine:
        assert engine.state.version == 1
        assert list(engine.staged) == []
        engine.learn()
        assert engine.state.version == 2
