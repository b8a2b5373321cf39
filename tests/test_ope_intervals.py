from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from bandit.base import Floats
from bandit.ope_estimators import Terms, doubly_robust, ips, logged, snips
from bandit.ope_evidence import Evidence, weighed
from bandit.ope_feedback import Feedback, of_actions
from bandit.ope_intervals import GROUPS, bootstrap, empirical_bernstein
from bandit.ope_model import crossfitted_rewards
from bandit.ope_support import Requirements, support

ACTIONS, COLUMNS = 4, 3
SLOPES = np.random.default_rng(11).normal(size=(COLUMNS, ACTIONS))
LOGGED = np.random.default_rng(12).normal(size=(COLUMNS, ACTIONS))


def softmax(scores: Floats) -> Floats:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    chances: Floats = raised / raised.sum(axis=1, keepdims=True)
    return chances


def world(contexts: Floats) -> tuple[Floats, Floats, Floats]:
    """Chance of a click, logging and target policy, each (n, actions)."""
    clicks = 1.0 / (1.0 + np.exp(-contexts @ SLOPES))
    return clicks, softmax(0.6 * contexts @ LOGGED), softmax(1.2 * contexts @ SLOPES)


def truth() -> float:
    contexts = drawn(np.random.default_rng(13), 400_000, 1.0)
    clicks, _, target = world(contexts)
    return float((clicks * target).sum(axis=1).mean())


def drawn(rng: np.random.Generator, rounds: int, spread: float) -> Floats:
    contexts: Floats = spread * rng.uniform(-1.0, 1.0, (rounds, COLUMNS))
    return contexts


def runs(count: int, rounds: int, seed: int, spread: float = 1.0) -> Iterator[Evidence]:
    """Logs of click or no click; the wider the contexts, the further apart the two policies."""
    rng = np.random.default_rng(seed)
    rows = np.arange(rounds)
    for _ in range(count):
        contexts = drawn(rng, rounds, spread)
        clicks, logging, target = world(contexts)
        actions = (logging.cumsum(axis=1) < rng.random((rounds, 1))).sum(axis=1)
        actions = actions.clip(max=ACTIONS - 1)
        feedback = Feedback(
            n_actions=ACTIONS,
            actions=actions,
            rewards=(rng.random(rounds) < clicks[rows, actions]).astype(float),
            propensities=logging[rows, actions],
            positions=np.zeros(rounds, np.int64),
            contexts=contexts,
        )
        yield of_actions(feedback, target, crossfitted_rewards(feedback))


def test_95_percent_intervals_cover_the_truth_in_93_to_97_percent_of_1000_runs() -> None:
    value = truth()
    estimators = {"ips": ips, "snips": snips, "dr": doubly_robust}
    covered, supported = dict.fromkeys(estimators, 0), 0
    errors: dict[str, list[float]] = {name: [] for name in estimators}
    for seed, evidence in enumerate(runs(1000, 300, seed=5)):
        supported += not Requirements().unmet(support(evidence))
        for name, estimator in estimators.items():
            terms = estimator(evidence)
            interval = bootstrap(terms, seed=seed, replicates=200)
            assert interval is not None
            covered[name] += interval[0] <= value <= interval[1]
            errors[name].append(terms.value - value)
    assert supported >= 990
    for name, hits in covered.items():
        assert 930 <= hits <= 970, (name, hits)
    rmse = {name: float(np.sqrt(np.mean(np.square(found)))) for name, found in errors.items()}
    assert rmse["dr"] < 0.8 * rmse["ips"]
    assert rmse["snips"] < rmse["ips"]
    assert abs(np.mean(errors["ips"])) < 4 * rmse["ips"] / np.sqrt(1000)


def test_a_log_too_far_from_the_target_is_refused() -> None:
    refused = sum(
        bool(Requirements().unmet(support(evidence)))
        for evidence in runs(50, 400, seed=6, spread=4.0)
    )
    assert refused >= 48


def test_empirical_bernstein_covers_at_least_what_it_promises() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        values = np.where(rng.random(200) < 0.1, 4.0, 0.0)
        terms = logged(weighed(values, np.ones(200), np.ones(200)))
        interval = empirical_bernstein(terms, width=4.0)
        assert interval is not None
        covered += interval[0] <= 0.4 <= interval[1]
    assert covered >= 380


def test_empirical_bernstein_by_hand() -> None:
    terms = logged(weighed(np.array([0.0, 1.0, 1.0, 0.0]), np.ones(4), np.ones(4)))
    log = np.log(2 / 0.025)
    radius = np.sqrt(2 * (1 / 3) * log / 4) + 7 * 1 * log / (3 * 3)
    assert empirical_bernstein(terms, 0.95, width=1.0) == pytest.approx(
        (0.5 - radius, 0.5 + radius)
    )
    wider = 7 * 2 * log / (3 * 3) - 7 * 1 * log / (3 * 3)
    found = empirical_bernstein(terms, 0.95, width=2.0)
    assert found is not None
    assert found[1] == pytest.approx(0.5 + radius + wider)


def test_empirical_bernstein_does_not_speak_of_ratios() -> None:
    evidence = weighed(np.arange(5.0), np.full(5, 0.5), np.full(5, 0.25))
    assert empirical_bernstein(snips(evidence)) is None
    assert empirical_bernstein(ips(weighed(np.ones(1), np.ones(1), np.ones(1)))) is None


def test_the_bootstrap_agrees_with_the_normal_interval_where_nothing_is_skewed() -> None:
    values = np.random.default_rng(0).normal(size=4000)
    terms = logged(weighed(values, np.ones(4000), np.ones(4000)))
    found = bootstrap(terms)
    assert found is not None
    error = float(values.std()) / np.sqrt(4000)
    assert found[0] == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found[1] == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_the_bootstrap_leans_to_the_side_of_the_skew() -> None:
    rare = np.where(np.arange(1000) % 50 == 0, 1.0, 0.0)
    found = bootstrap(logged(weighed(rare, np.ones(1000), np.ones(1000))))
    assert found is not None
    assert found[1] - 0.02 > 1.1 * (0.02 - found[0])


def test_a_higher_level_is_wider() -> None:
    terms = next(runs(1, 300, seed=1))
    widths = []
    for level in (0.5, 0.8, 0.95, 0.99):
        found, wide = bootstrap(ips(terms), level), empirical_bernstein(ips(terms), level)
        assert found is not None
        assert wide is not None
        assert wide[1] - wide[0] > found[1] - found[0]
        widths.append(found[1] - found[0])
    assert widths == sorted(widths)


def test_the_same_seed_gives_the_same_interval() -> None:
    terms = snips(next(runs(1, 300, seed=1)))
    assert bootstrap(terms, seed=3) == bootstrap(terms, seed=3)
    assert bootstrap(terms, seed=3) != bootstrap(terms, seed=4)


def test_a_long_log_is_resampled_in_groups_to_the_same_interval() -> None:
    n = GROUPS * 3 + 17
    rng = np.random.default_rng(2)
    weights = rng.uniform(0.0, 2.0, n)
    evidence = weighed(rng.random(n), np.full(n, 0.5), 0.5 * weights)
    terms = snips(evidence)
    found = bootstrap(terms, replicates=400)
    assert found is not None
    influence = (terms.numerators - terms.value * terms.denominators) / weights.mean()
    error = influence.std() / np.sqrt(n)
    assert found[0] == pytest.approx(terms.value - 1.96 * error, abs=0.25 * error)
    assert found[1] == pytest.approx(terms.value + 1.96 * error, abs=0.25 * error)


def test_no_interval_where_nothing_varies_or_nothing_was_accepted() -> None:
    same = weighed(np.ones(50), np.ones(50), np.ones(50))
    assert bootstrap(ips(same)) is None
    nothing = weighed(np.arange(50.0), np.ones(50), np.zeros(50))
    assert bootstrap(snips(nothing)) is None


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, float("nan")])
def test_bad_levels(level: float) -> None:
    terms = Terms(np.ones((3, 1)), np.ones((3, 1)), is_mean=True)
    with pytest.raises(ValueError, match="level: found"):
        bootstrap(terms, level)
    with pytest.raises(ValueError, match="level: found"):
        empirical_bernstein(terms, level)


@pytest.mark.parametrize(
    ("width", "message"),
    [(0.0, "above 0"), (float("inf"), "finite"), (0.5, "at least 1.0, the range of the terms")],
)
def test_bad_widths(width: float, message: str) -> None:
    terms = logged(weighed(np.array([0.0, 1.0]), np.ones(2), np.ones(2)))
    with pytest.raises(ValueError, match=message):
        empirical_bernstein(terms, width=width)
