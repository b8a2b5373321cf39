"""`ltrr evaluate-policy`: answers near a known truth, refusals where the log cannot tell."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bandit.exploration import PlanDistribution
from bandit.ope import evaluate, support, weighed
from benchmarks.export import export_ubi
from benchmarks.policy_evaluation import evaluate_policy
from engine import Event, LoggedSearch, SearchEngine
from engine.counterfactual import distributions
from engine.snapshots import read_state
from tests.cli.lines import Ran, ltrr
from tests.conftest import START, Clock
from tests.plan_world import WANTED, asked, fixed, index, serve, truth, uniform

DATA = Path(__file__).parents[2] / "shared" / "data" / "open-bandit"
SEARCHES = 1200


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Searches answered by uniform plans, and two that were imported."""
    folder = tmp_path_factory.mktemp("policy") / "index"
    with index(folder, "uniform", {}, Clock()) as engine:
        serve(engine, SEARCHES, seed=0)
        time = datetime.fromtimestamp(START, UTC)
        engine.record(
            [LoggedSearch(f"s{n}", "love", time) for n in range(2)],
            [Event("click", "t3-0", time, search="s0")],
        )
    return folder


def asked_of(log: Path, target: str, *more: str) -> Ran:
    return ltrr("evaluate-policy", log, "--target", target, *more)


def refused(ran: Ran) -> str:
    """Exit code 3, no number anywhere; the reasons."""
    found = json.loads(ran.out)
    assert ran.code == 3
    assert found["answer"] is None
    for one in found["estimates"]:
        assert (one["supported"], one["value"], one["low"], one["high"]) == (False,) + (None,) * 3
        assert one["bernstein"] is None
        assert set(one["difference"].values()) == {None}
    assert found["reasons"]
    return " ".join(found["reasons"])


@pytest.mark.parametrize(
    ("target", "plays"),
    [
        ("fixed:bm25=20", fixed(20, 0)),
        ("fixed:bm25=20,popular=20", fixed(20, 20)),
        ("uniform", uniform()),
    ],
)
def test_an_answer_is_near_the_truth_where_the_log_supports_it(
    log: Path, target: str, plays: list[PlanDistribution]
) -> None:
    with SearchEngine.load(log) as engine:
        value = truth(engine, plays)
    found = asked_of(log, target, "--json").json
    assert found["rounds"] == SEARCHES
    assert found["left_out"] == {"imported": 2}
    answer = found["answer"]
    assert (answer["estimator"], answer["weights"]) == ("dr", "joint")
    for one in found["estimates"]:
        if one["weights"] == "joint":
            assert one["support"]["effective"] > 200
            assert one["support"]["rewarded"] > 50
            assert one["value"] == pytest.approx(value, rel=0.2), one["estimator"]
            assert one["low"] is None or one["low"] <= value <= one["high"]
    logging = found["logging"]
    assert logging["low"] < logging["value"] < logging["high"]
    gain = answer["value"] - logging["value"]
    assert answer["difference"]["value"] == pytest.approx(gain, abs=1e-9)


def test_people_get_a_table_and_what_it_means(log: Path) -> None:
    said = asked_of(log, "uniform", "--estimators", "dr,snips").out
    words = " ".join(said.split())
    assert "1,200 searches; left out: 2 imported" in words
    assert "By whole plans: the joint propensity of all depths" in words
    assert "By dr over whole plans: uniform would have earned" in words
    assert [line.split()[0] for line in said.splitlines() if "…" in line] == ["the", "dr", "snips"]
    assert "brought by several parts together" in words


def test_generators_that_bring_the_same_are_not_weighed_apart(log: Path) -> None:
    report = evaluate_policy(log, "fixed:bm25=20,popular=20", ["dr"])
    joint, marginal = (one.value for one in report.estimates)
    assert (joint.weights, marginal.weights) == ("joint", "marginal")
    assert marginal.support.effective > joint.support.effective
    assert marginal.support.split < 0.95
    assert "does not split" in marginal.reasons[0]


def test_a_depth_that_was_never_tried_is_refused(log: Path) -> None:
    assert "never tried 100.0%" in refused(asked_of(log, "fixed:bm25=50", "--json"))
    said = asked_of(log, "fixed:bm25=50")
    assert said.code == 3
    words = " ".join(said.out.split())
    assert "The log cannot tell what fixed:bm25=50 would have earned" in words
    assert "estimator" not in said.out


def test_a_short_log_is_refused(tmp_path: Path) -> None:
    with index(tmp_path / "index", "uniform", {}, Clock()) as engine:
        serve(engine, 100, seed=0)
    why = refused(asked_of(tmp_path / "index", "fixed:bm25=20", "--json"))
    assert "effective sample size" in why


def test_a_log_without_exploration_is_refused(tmp_path: Path) -> None:
    with index(tmp_path / "index", "fixed", {}, Clock()) as engine:
        serve(engine, 150, seed=0)
    assert "never tried" in refused(asked_of(tmp_path / "index", "fixed:bm25=20", "--json"))


def test_equal_searches_share_a_draw_and_count_as_one(tmp_path: Path) -> None:
    with index(tmp_path / "index", "uniform", {}, Clock()) as engine:
        for _ in range(8):
            for typed, _ in WANTED:
                engine.search(typed)
    report = evaluate_policy(tmp_path / "index", "uniform", ["ips"])
    assert report.rounds == 8 * len(WANTED)
    distinct = len({typed for typed, _ in WANTED})
    assert report.estimates[0].value.support.effective <= distinct


def test_draws_widen_intervals_as_if_they_were_rounds() -> None:
    rng = np.random.default_rng(0)
    weights, rewards = rng.choice([0.0, 2.0], 400), rng.random(400)
    alone = weighed(rewards, np.full(400, 0.5), 0.5 * weights)
    many = weighed(np.repeat(rewards, 5), np.full(2000, 0.5), np.repeat(0.5 * weights, 5))
    draws = np.repeat(np.arange(400), 5)
    assert support(many, draws).effective == pytest.approx(support(alone).effective)
    for name in ("ips", "snips"):
        (one,), (five,) = evaluate(alone, [name]), evaluate(many, [name], draws=draws)
        assert five.value == pytest.approx(one.value)
        assert five.low == pytest.approx(one.low)
        assert five.high == pytest.approx(one.high)


def test_ubi_with_propensities_gives_what_the_index_gives(log: Path, tmp_path: Path) -> None:
    export_ubi(log, tmp_path / "ubi")
    own = evaluate_policy(log, "fixed:bm25=20", ["ips", "snips"])
    there = evaluate_policy(tmp_path / "ubi", "fixed:bm25=20")
    assert there.left_out == {"without a propensity": 2}
    found = {one.value.estimator: one.value for one in there.estimates}
    assert set(found) == {"ips", "snips", "replay"}
    for one in own.estimates[:2]:
        assert found[one.value.estimator].value == pytest.approx(one.value.value)
        assert found[one.value.estimator].low == pytest.approx(one.value.low)
    assert any("weighed as a whole" in note for note in there.notes)


def test_a_saved_policy_is_asked_only_what_it_has_not_learnt(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with index(folder, "epsilon_greedy", {"epsilon": 0.9}, Clock()) as engine:
        serve(engine, 100, seed=1)
        assert engine.learn(stage=True).staged == 2
        assert "knows what was clicked" in refused(asked_of(folder, "2", "--json"))
        serve(engine, 700, seed=2)
        staged, _ = read_state(folder / "snapshots" / "2", None)
        value = truth(engine, distributions(staged, [asked(typed) for typed, _ in WANTED]))
    found = asked_of(folder, str(folder / "snapshots" / "2"), "--json").json
    assert (found["rounds"], found["left_out"]) == (700, {"learnt by the target": 100})
    assert found["answer"]["low"] <= value <= found["answer"]["high"]
    assert found["answer"]["value"] == pytest.approx(value, rel=0.2)
    export_ubi(folder, tmp_path / "ubi")
    there = evaluate_policy(tmp_path / "ubi", str(folder / "snapshots" / "2"), ["ips"])
    own = evaluate_policy(folder, "2", ["ips"])
    assert there.estimates[0].value.value == pytest.approx(own.estimates[0].value.value)


@pytest.mark.parametrize(
    ("target", "parts"),
    [
        ("greedy", ["--target", "'greedy'", "uniform, fixed:"]),
        ("99", ["'99'", "has no snapshot 99"]),
        ("fixed:bm25", ["'bm25'", "GENERATOR=DEPTH"]),
        ("fixed:psychic=20", ["'psychic'", "bm25, popular"]),
    ],
)
def test_bad_targets_are_refused(log: Path, target: str, parts: list[str]) -> None:
    asked_of(log, target).refused(*parts)


def test_bad_logs_and_estimators_are_refused(log: Path, tmp_path: Path) -> None:
    asked_of(tmp_path / "none", "uniform").refused("no such folder")
    asked_of(tmp_path, "uniform").refused("found no log")
    with index(tmp_path / "index", "uniform", {}, Clock()) as engine:
        engine.record([LoggedSearch("s", "love", datetime.fromtimestamp(START, UTC))])
    asked_of(tmp_path / "index", "uniform").refused("has answered no search itself")
    asked_of(log, "uniform", "--estimators", "oracle").refused("oracle", "snips")


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the Open Bandit sample")
def test_thompson_of_open_bandit_from_the_uniform_log() -> None:
    found = asked_of(DATA, "bts", "--estimators", "ips,snips,dr", "--json").json
    assert found["own_log"]["value"] == pytest.approx(0.0069)
    assert found["logging"]["value"] == pytest.approx(0.0046)
    for one in found["estimates"]:
        assert one["low"] <= 0.0069 <= one["high"]
        assert one["high"] - one["low"] > 0.004  # 46 clicks: honestly wide
    assert found["answer"]["difference"]["low"] < 0 < found["answer"]["difference"]["high"]
