"""An interrupted replay that is resumed tells what an uninterrupted one tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.feeding import LOGGED, SHOWN, Feed
from benchmarks.replay_files import replay_into
from benchmarks.replay_work import FOLDER, Work
from engine import BadInput, SearchEngine
from tests.replay_log import CONFIG, OPTIONS, made_log, timeless, write

CHOSEN = replace(OPTIONS, limit=50, systems=("ltrr", "best_fixed_hindsight"))
SMALL = replace(
    CONFIG,
    generators=("bm25", "memory", "personal"),
    ranker_options={"n_estimators": 3, "min_child_samples": 3},
)
UNRANKED = replace(SMALL, ranker_window=0)
Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    write(folder / "data", *made_log())
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    def once(out: str, feedback: str = LOGGED, **given: Any) -> dict[str, Any]:
        settings = {"budgets": (15.0,), "config": SMALL, **given}
        options = settings.pop("options", replace(CHOSEN, feedback=feedback))
        return replay_into(folder / "data", folder / out, options, **settings)

    return once


@pytest.fixture(scope="module")
def whole(run: Run) -> dict[str, dict[str, Any]]:
    return {feedback: run(f"whole-{feedback}", feedback) for feedback in (LOGGED, SHOWN)}


def interrupt(patch: pytest.MonkeyPatch, owner: type, method: str, nth: int, *, late: bool) -> None:
    """Let the nth call of a method die, before or after it has done its work."""
    kept, calls = getattr(owner, method), []

    def dying(*args: Any, **given: Any) -> Any:
        calls.append(method)
        if len(calls) == nth and not late:
            raise KeyboardInterrupt
        made = kept(*args, **given)
        if len(calls) == nth:
            raise KeyboardInterrupt
        return made

    patch.setattr(owner, method, dying)


def counted_learns(patch: pytest.MonkeyPatch) -> list[int]:
    """The versions from which something is learnt from now on."""
    learns, kept = list[int](), SearchEngine.learn

    def counted(engine: SearchEngine, **given: Any) -> Any:
        learns.append(engine.state.version)
        return kept(engine, **given)

    patch.setattr(SearchEngine, "learn", counted)
    return learns


FAST = (
    (LOGGED, Work, "keep_answers", 2, False),  # within a step
    (SHOWN, SearchEngine, "search", 20, True),  # some of a step's searches served
)
MORE = (
    (LOGGED, SearchEngine, "learn", 1, False),  # the warm-up recorded and not learnt
    (LOGGED, SearchEngine, "learn", 3, True),  # learnt, and not kept as a step
    (SHOWN, SearchEngine, "feedback", 2, True),  # some of a step's feedback given
    (SHOWN, Work, "keep_answers", 4, True),
)
DEATHS = (*FAST, *(pytest.param(*one, marks=pytest.mark.slow) for one in MORE))


@pytest.mark.parametrize(("feedback", "owner", "method", "nth", "late"), DEATHS)
def test_resumed_equals_uninterrupted(
    run: Run, whole: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch,
    feedback: str, owner: type, method: str, nth: int, late: bool,
) -> None:  # fmt: skip
    out = f"{feedback}-{method}-{nth}"
    with monkeypatch.context() as patch:
        interrupt(patch, owner, method, nth, late=late)
        with pytest.raises(KeyboardInterrupt):
            run(out, feedback)
    assert not (folder / out / "report.json").exists()
    assert timeless(run(out, feedback, resume=True)) == timeless(whole[feedback])
    assert not (folder / out / FOLDER).exists()
    runs = sorted((folder / f"whole-{feedback}" / "runs").iterdir())
    assert len(runs) == len(whole[feedback]["systems"]) + 1
    for path in runs:
        assert path.read_bytes() == (folder / out / "runs" / path.name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "method", "nth"), [(Work, "keep_answers", 14), (Work, "keep_prices", 2)]
)
def test_several_budgets_are_resumed(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, nth: int
) -> None:
    given = {"budgets": (6.0, 15.0)} | ({"config": UNRANKED} if method == "keep_prices" else {})
    whole = run(f"whole-{method}", **given)
    with monkeypatch.context() as patch:
        # Prices that were not kept are lost: then each budget walks by itself.
        interrupt(patch, owner, method, nth, late=method == "keep_answers")
        with pytest.raises(KeyboardInterrupt):
            run(method, **given)
    assert (folder / method / FOLDER / "budget-15.0").exists() == (method == "keep_answers")
    assert timeless(run(method, resume=True, **given)) == timeless(whole)
    assert "curves" in whole


def test_one_walk_tells_of_every_budget(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no ranker learns, several budgets share what is learnt, and each tells what it tells alone."""
    monkeypatch.setattr("engine.pricing.TELLING", 5)
    learns = counted_learns(monkeypatch)
    alone = {
        budget: run(f"one-{budget}", budgets=(budget,), config=UNRANKED) for budget in (6.0, 15.0)
    }
    once = len(learns) // 2
    learns.clear()
    both = run("one-walk", budgets=(15.0, 6.0), config=UNRANKED)
    assert len(learns) == once
    assert timeless(both["systems"]) == timeless(alone[15.0]["systems"])
    for name, points in both["curves"].items():
        for point, budget in zip(points, (6.0, 15.0), strict=True):
            assert point["candidates_mean"] == alone[budget]["systems"][name]["candidates_mean"]
            assert point["candidate_recall"] == alone[budget]["systems"][name]["candidate_recall"]
    few, many = (alone[budget]["systems"]["ltrr"]["candidates_mean"] for budget in (6.0, 15.0))
    assert few < many


def test_a_budget_that_prunes_does_not_follow_one_that_does_not(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pruning.LEAST", 20)
    config = replace(UNRANKED, drawn=10.0)
    learns = counted_learns(monkeypatch)
    alone = run("pruned-6", budgets=(6.0,), config=config)["systems"]["ltrr"]
    once = len(learns)
    both = run("pruned-both", budgets=(15.0, 6.0), config=config)
    assert len(learns) == 3 * once
    point = both["curves"]["ltrr"][0]
    for key in ("candidates_mean", "candidate_recall", "drawn_mean"):
        assert point[key] == alone[key]
    unpruned = run("unpruned-6", budgets=(6.0,), config=replace(UNRANKED, drawn=0.0))
    assert alone["drawn_mean"] > unpruned["systems"]["ltrr"]["drawn_mean"]


def test_what_is_done_is_not_done_again(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, Work, "keep_answers", 4, late=True)
        with pytest.raises(KeyboardInterrupt):
            run("again")
    learns = counted_learns(monkeypatch)
    report = run("again", resume=True)
    assert learns[0] > 0
    assert len(learns) < len(report["steps"])


def test_refusals(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, Feed, "tell", 1, late=False)
        with pytest.raises(KeyboardInterrupt):
            run("refused")
    with pytest.raises(BadInput, match="unfinished replay; go on with it by --resume"):
        run("refused")
    with pytest.raises(BadInput, match=r"warmup: now 0\.25, then 0\.5"):
        run("refused", resume=True, options=replace(CHOSEN, warmup=0.25))
    with pytest.raises(BadInput, match="config: now"):
        run("refused", resume=True, config=replace(SMALL, seed=1))
    with (folder / "data" / "ubi_events.jsonl").open("a") as events:
        events.write("\n")
    with pytest.raises(BadInput, match=r"files: now \{'corpus.jsonl'"):
        run("refused", resume=True)


def test_a_refused_replay_leaves_nothing_to_resume(run: Run, folder: Path) -> None:
    with pytest.raises(BadInput, match="known are ltrr"):
        run("wrong", options=replace(CHOSEN, systems=("elastic",)))
    assert not (folder / "wrong" / FOLDER).exists()


def test_foreign_files_stay(run: Run, folder: Path) -> None:
    mine = folder / "mine" / FOLDER / "notes.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(BadInput, match="no replay has left"):
        run("mine")
    assert mine.read_text() == "mine"
