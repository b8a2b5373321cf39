"""The engine's log as UBI, there and back, and as feedback for off-policy evaluation."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bandit.ope import Feedback
from benchmarks.datasets import read_dataset
from benchmarks.engine_log import EngineLog
from benchmarks.export import export_open_bandit, export_ubi
from benchmarks.plan_log import PlanLog, read_plan_log
from benchmarks.validation import validate
from cli.main import app
from engine import BadInput, Context, EngineConfig, Event, LoggedSearch, SearchEngine, SnapshotError
from engine.query_features import X_NAMES
from tests.conftest import Clock, songs

GENERATORS = ("bm25", "memory", "popular")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty searches of three users with clicks, a skip and a listen, one learning in between."""
    folder = tmp_path_factory.mktemp("export") / "index"
    clock = Clock()
    config = EngineConfig(generators=GENERATORS, budget=20.0, clock=clock)
    with SearchEngine.build(songs(), folder=folder, config=config) as engine:
        for n in range(30):
            clock.now += 60.0
            user = None if n % 3 == 0 else f"u{n % 3}"
            context = Context(
                user=user, filters={"type": "track"} if n % 5 == 0 else {},
                attributes={"device": "phone"} if n % 2 else {},
            )  # fmt: skip
            shown = engine.search("love" if n % 2 else f"song of artist{n}", context)
            clock.now += 5.0
            if n % 4 == 0:
                ids = [hit.id for hit in shown.hits]
                engine.feedback(
                    shown.impression_id, clicks=ids[1:2], events=[Event("skip", ids[0], id=f"e{n}")]
                )
            if n == 15:
                engine.learn()
        clock.now += 60.0
        heard = datetime.fromtimestamp(clock.now, UTC)
        engine.record(events=[Event("listen", "t1-0", heard, user="u1", weight=3.0)])
    return folder


@pytest.fixture(scope="module")
def exported(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ubi") / "out"
    assert export_ubi(index, out) == {
        "corpus.jsonl.gz": 150, "ubi_queries.jsonl.gz": 30, "ubi_events.jsonl.gz": 17,
    }  # fmt: skip
    return out


def test_an_export_is_a_data_set_without_problems(exported: Path) -> None:
    assert validate(exported).problems == ()
    dataset = read_dataset(exported)
    assert [d.id for d in dataset.documents()] == [d.id for d in songs()]
    times = [search.time for search in dataset.searches()]
    assert times == sorted(times)


def test_each_search_comes_with_its_plan_and_how_probable_it_was(
    index: Path, exported: Path
) -> None:
    with SearchEngine.load(index) as engine:
        rows = engine.log.searches(0, 99)
    for search, row in zip(read_dataset(exported).searches(), rows, strict=True):
        assert (search.id, search.query, search.user) == (row.impression, row.typed, row.user)
        assert search.shown == row.shown
        policy = search.attributes["policy"]
        assert policy["id"] == row.policy
        assert policy["version"] == row.version
        assert policy["propensity"] == row.propensity
        assert list(policy["depths"]) == list(GENERATORS)
        plan = {g: (policy["depths"][g], policy["marginals"][g]) for g in GENERATORS}
        assert plan == row.plan
        # The context goes along: attributes as they are, the rest under a name of its own.
        assert search.attributes.get("device") == row.context.get("attributes", {}).get("device")
        filters = search.attributes.get("context", {}).get("filters")
        assert filters == row.context.get("filters")


def test_an_export_imported_elsewhere_is_exported_as_it_was(exported: Path, tmp_path: Path) -> None:
    dataset = read_dataset(exported)
    config = EngineConfig(generators=GENERATORS)
    other = SearchEngine.build(exported, folder=tmp_path / "index", config=config)
    with other as engine:
        assert engine.record(dataset.searches(), dataset.events()) == (30, 17)
        report = engine.learn()
        assert (report.searches, report.events) == (30, 17)
    export_ubi(tmp_path / "index", tmp_path / "again")
    for name in ("ubi_queries.jsonl.gz", "ubi_events.jsonl.gz", "corpus.jsonl.gz"):
        assert (tmp_path / "again" / name).read_bytes() == (exported / name).read_bytes()


def test_a_log_can_be_exported_while_its_engine_is_open(index: Path, tmp_path: Path) -> None:
    with SearchEngine.load(index) as engine:
        engine.save(tmp_path / "copy")
    with SearchEngine.load(tmp_path / "copy") as engine, EngineLog(tmp_path / "copy") as log:
        late = engine.search("love")
        engine.feedback(late.impression_id, clicks=[late.hits[0].id])
        # Opened before: it sees neither, rather than an event without its search.
        assert late.impression_id not in {search.id for search in log.searches()}
        assert late.impression_id not in {event.search for event in log.events()}
        assert log.search_count == len(list(log.searches())) == 30
        found = export_ubi(tmp_path / "copy", tmp_path / "out")
        assert found["ubi_queries.jsonl.gz"] == 31


def test_plans_become_feedback_for_off_policy_evaluation(index: Path, tmp_path: Path) -> None:
    assert export_open_bandit(index, tmp_path) == {"plans.npz": 30}
    plans = PlanLog.load(tmp_path / "plans.npz")
    with SearchEngine.load(index) as engine:
        rows = engine.log.searches(0, 99)
        rewards = engine.config.rewards
    assert plans.generators == GENERATORS
    assert plans.contexts.shape == (30, len(X_NAMES))
    assert plans.impressions.tolist() == [row.impression for row in rows]
    for i, row in enumerate(rows):
        played = zip(plans.depths[i].tolist(), plans.marginals[i].tolist(), strict=True)
        assert dict(zip(GENERATORS, played, strict=True)) == row.plan
        assert plans.propensities[i] == row.propensity
    clicked_and_skipped = rewards["click"] + rewards["skip"]
    assert plans.rewards.tolist() == [clicked_and_skipped if n % 4 == 0 else 0.0 for n in range(30)]
    # Every item was brought by one generator at least, so that the shares add up to the reward.
    np.testing.assert_allclose(plans.shares.sum(axis=1), plans.rewards)


def test_feedback_names_each_plan_once(index: Path, tmp_path: Path) -> None:
    export_open_bandit(index, tmp_path)
    with np.load(tmp_path / "plans.npz", allow_pickle=False) as stored:
        arrays = dict(stored)
    feedback = Feedback.from_dict(arrays)
    assert feedback.n_actions == len({tuple(plan) for plan in arrays["depths"].tolist()})
    np.testing.assert_array_equal(arrays["plans"][feedback.actions], arrays["depths"])
    assert set(feedback.positions.tolist()) == {0}


def test_an_item_is_worth_its_largest_weight_and_shared_by_who_brought_it(index: Path) -> None:
    with EngineLog(index) as log:
        doubled = read_plan_log(log, {"click": 2.0, "skip": 0.0})
        assert set(doubled.rewards.tolist()) == {0.0, 2.0}
        nothing = read_plan_log(log, {})
        assert not nothing.rewards.any()
        assert len(nothing) == 30


def test_what_was_removed_or_imported_is_told_apart(index: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    with SearchEngine.load(index) as engine:
        engine.save(copy)
    with EngineLog(index) as log:
        clicks = [event for event in log.events() if event.action == "click"]
    gone = clicks[0].document
    with SearchEngine.load(copy) as engine:
        engine.remove([gone])
        elsewhere = LoggedSearch("elsewhere", "love", datetime(2026, 1, 1, tzinfo=UTC))
        engine.record([elsewhere], [])
    export_ubi(copy, tmp_path / "out")
    report = validate(tmp_path / "out")
    assert report.counts.keys() == {"unknown document"}
    assert all(gone in problem.message for problem in report.problems)
    first = next(read_dataset(tmp_path / "out").searches())
    assert first.id != "elsewhere"
    with EngineLog(copy) as log:
        plans = read_plan_log(log, {"click": 1.0})
    assert "elsewhere" not in plans.impressions
    assert len(plans) == 30
    assert {click.search for click in clicks} <= set(plans.impressions.tolist())


def test_context_features_of_an_older_version_are_left_out(index: Path, tmp_path: Path) -> None:
    with SearchEngine.load(index) as engine:
        engine.save(tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "log.sqlite")) as db, db:
        db.execute("UPDATE searches SET x = ? WHERE seq <= 2", (bytes(4),))
    with EngineLog(tmp_path / "copy") as log:
        plans = read_plan_log(log, {"click": 1.0})
    assert plans.contexts.shape == (28, len(X_NAMES))
    # The clicks of the others stay with their searches: those of every fourth but the first.
    assert np.flatnonzero(plans.rewards).tolist() == [n - 2 for n in range(4, 30, 4)]


def test_what_cannot_be_exported_is_refused(index: Path, tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="holds no index"):
        export_ubi(tmp_path, tmp_path / "out")
    export_ubi(index, tmp_path / "out")
    with pytest.raises(BadInput, match=r"corpus.jsonl.gz: exists already"):
        export_ubi(index, tmp_path / "out")
    config = EngineConfig(generators=("bm25",))
    SearchEngine.build(songs(), folder=tmp_path / "idle", config=config).close()
    with pytest.raises(BadInput, match="has not answered a search yet"):
        export_open_bandit(tmp_path / "idle", tmp_path / "idle-out")
    for content in (b"PK\x03\x04", b"neither"):
        (tmp_path / "plans.npz").write_bytes(content)
        with pytest.raises(BadInput, match="not an export of plans"):
            PlanLog.load(tmp_path / "plans.npz")
    (tmp_path / "idle" / "log.sqlite").write_bytes(b"not a database, but as long as a header" * 9)
    with pytest.raises(SnapshotError, match="not a readable log"):
        EngineLog(tmp_path / "idle")


def test_the_command_exports_both(index: Path, tmp_path: Path) -> None:
    def run(*arguments: object) -> tuple[int, str, str]:
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        return result.exit_code, result.stdout, result.stderr

    code, out, _ = run("export", index, "--out", tmp_path / "ubi")
    assert code == 0
    assert "ubi_queries.jsonl.gz  30 rows" in out
    assert "ltrr validate" in out
    assert run("validate", tmp_path / "ubi")[0] == 0
    code, out, _ = run("export", index, "--out", tmp_path, "--format", "open-bandit", "--json")
    assert code == 0
    assert json.loads(out)["rows"] == {"plans.npz": 30}
    code, _, err = run("export", index, "--out", tmp_path / "ubi")
    assert code == 2
    assert "exists already" in err
