"""The gate: its measure by hand and against trec_eval, its rule, and its interval's coverage."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rankers import (
    Examination,
    Judged,
    MinMaxFusion,
    between,
    debiased_ndcg,
    held_out,
    inverse_weights,
    judge,
    scored,
)

EVEN = Examination.even()


def clicks(
    labels: Sequence[float], positions: list[int] | None = None, starts: list[int] | None = None
) -> Judged:
    n = len(labels)
    return Judged(
        np.zeros((n, 1), np.float32),
        np.array(labels, np.float64),
        np.ones(n),
        np.array(positions if positions is not None else [0] * n, np.int32),
        np.array(starts if starts is not None else [0, n]),
    )


def test_ndcg_by_hand() -> None:
    found = debiased_ndcg(clicks([0, 3, 1]), np.array([0.9, 0.5, 0.1]), EVEN)
    dcg = 0 / np.log2(2) + 3 / np.log2(3) + 1 / np.log2(4)
    ideal = 3 / np.log2(2) + 1 / np.log2(3)
    np.testing.assert_allclose(found, [dcg / ideal])


def test_a_click_counts_by_the_inverse_of_its_examination() -> None:
    half = Examination(np.array([1.0, 0.5]))
    found = debiased_ndcg(clicks([0, 1], [1, 2]), np.array([0.0, 1.0]), half)
    np.testing.assert_allclose(found, [(1 / 0.5) / 1])
    two = clicks([1, 1], [1, 2])
    np.testing.assert_allclose(inverse_weights(two, half), [(1 / 1 + 1 / 0.5) / 2])


def test_ties_are_broken_by_row() -> None:
    tied = np.zeros(3)
    found = [debiased_ndcg(clicks(labels), tied, EVEN)[0] for labels in ([1, 0, 0], [0, 0, 1])]
    np.testing.assert_allclose(found, [1, 1 / np.log2(4)])


def test_only_the_first_k_count_and_unlabelled_queries_give_zero() -> None:
    judged = clicks([1, 0, 0, 0], starts=[0, 2, 2, 4])
    np.testing.assert_allclose(debiased_ndcg(judged, np.arange(4.0), EVEN, k=1), [0, 0, 0])
    np.testing.assert_allclose(debiased_ndcg(judged, -np.arange(4.0), EVEN, k=1), [1, 0, 0])


def test_ndcg_agrees_with_trec_eval() -> None:
    ir_measures = pytest.importorskip("ir_measures", reason="parity with trec_eval needs it")
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 40, 60)
    starts = np.r_[0, sizes.cumsum()]
    labels = rng.integers(0, 4, starts[-1]).astype(float)
    scores = rng.permutation(starts[-1]).astype(np.float64)
    queries = np.repeat(np.arange(60), sizes)
    rows = [(str(q), str(i)) for i, q in enumerate(queries)]
    run = [ir_measures.ScoredDoc(q, i, s) for (q, i), s in zip(rows, scores, strict=True)]
    qrels = [ir_measures.Qrel(q, i, int(g)) for (q, i), g in zip(rows, labels, strict=True)]
    judged = clicks(labels.tolist(), starts=starts.tolist())
    for k in (1, 5, 10):
        theirs = {
            metric.query_id: metric.value
            for metric in ir_measures.iter_calc([ir_measures.nDCG @ k], qrels, run)
        }
        ours = debiased_ndcg(judged, scores, EVEN, k)
        np.testing.assert_allclose(ours, [theirs[str(q)] for q in range(60)], atol=1e-12)


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"scores: found shape \(2,\), expected \(3,\)"):
        debiased_ndcg(clicks([0, 3, 1]), np.zeros(2), EVEN)
    with pytest.raises(ValueError, match="k: found 0"):
        debiased_ndcg(clicks([1]), np.zeros(1), EVEN, k=0)
    for share in (0.0, 1.0, np.nan):
        with pytest.raises(ValueError, match="share: found"):
            held_out(np.arange(3), share)


@pytest.mark.parametrize(
    ("queries", "first"), [(0, 0), (1, 0), (2, 1), (4, 3), (5, 4), (9, 7), (10, 8), (1000, 800)]
)
def test_the_last_fifth_is_held_out(queries: int, first: int) -> None:
    assert held_out(np.arange(queries + 1)) == first


def test_between_cuts_whole_queries() -> None:
    judged = clicks([0, 1, 2, 3, 4], [1, 2, 1, 2, 3], [0, 2, 2, 5])
    part = between(judged, 1, 3)
    assert part.starts.tolist() == [0, 0, 3]
    assert part.labels.tolist() == [2, 3, 4]
    assert part.positions.tolist() == [1, 2, 3]
    assert between(judged, 3, 3).queries == 0


def test_scored_reads_one_query_at_a_time() -> None:
    judged = Judged(
        np.array([[1], [2], [10], [30], [20]], np.float32),
        np.zeros(5),
        np.ones(5),
        np.zeros(5, np.int32),
        np.array([0, 2, 5]),
    )
    found = scored(MinMaxFusion(("bm25.score",)), judged)
    np.testing.assert_allclose(found, [0, 1, 0, 1, 0.5])


def pages(better: int, worse: int) -> tuple[Judged, NDArray[np.float32], NDArray[np.float32]]:
    """Two-row pages: the clicked row is second for the old ranker and first for the new, or vice versa."""
    n = better + worse
    judged = clicks([1, 0] * n, [1, 2] * n, list(range(0, 2 * n + 1, 2)))
    sign = np.repeat(np.r_[np.ones(better), -np.ones(worse)], 2)
    new = (sign * np.tile([1, -1], n)).astype(np.float32)
    return judged, -new, new


GAIN = 1 - 1 / np.log2(3)


@pytest.mark.parametrize(
    ("better", "worse", "first", "promote", "reason"),
    [
        (150, 50, False, True, "promoted: .* not surely lower"),
        (95, 105, False, True, "promoted: .* not surely lower"),  # lower, but not surely
        (50, 150, False, False, "kept the old ranker: .* lower by at least"),
        (150, 49, False, False, "199 clicked impressions held out, 200 needed"),
        (50, 149, False, False, "199 clicked impressions held out, 200 needed"),
        (101, 99, True, True, "promoted: the first ranker"),
        (30, 5, True, True, "promoted: the first ranker"),  # few, but surely better
        (51, 49, True, False, "kept fusion: 100 clicked impressions .* don't say"),
        (1, 0, True, False, "kept fusion: 1 clicked impressions .* don't say"),
        (49, 51, True, False, "kept fusion"),
        (50, 50, True, False, "kept fusion"),
        (0, 0, True, False, "no clicked impression"),
        (0, 0, False, False, "no clicked impression"),
    ],
)
def test_the_rule(better: int, worse: int, first: bool, promote: bool, reason: str) -> None:
    judged, old, new = pages(better, worse)
    verdict = judge(judged, old, new, EVEN, first=first)
    assert verdict.promote is promote
    assert verdict.impressions == better + worse
    assert re.search(reason, verdict.reason)
    if better + worse:
        expected = GAIN * (better - worse) / (better + worse)
        assert verdict.difference == pytest.approx(expected)
        assert verdict.low <= verdict.difference <= verdict.high


def test_the_interval_is_that_of_a_mean_where_nothing_is_corrected() -> None:
    judged, old, new = pages(150, 50)
    verdict = judge(judged, old, new, EVEN)
    values = GAIN * np.r_[np.ones(150), -np.ones(50)]
    reach = 1.959964 * values.std(ddof=1) / np.sqrt(200)
    assert verdict.high - verdict.low == pytest.approx(2 * reach)


def test_clears_compares_the_lower_end() -> None:
    judged, old, new = pages(95, 105)
    verdict = judge(judged, old, new, EVEN)
    assert verdict.low < 0
    assert verdict.clears(-verdict.low)
    assert not verdict.clears(-verdict.low - 1e-9)
    one, old, new = pages(1, 0)
    assert not judge(one, old, new, EVEN, first=True).clears(1e9)


def test_unclicked_impressions_say_nothing() -> None:
    judged, old, new = pages(150, 60)
    padded = clicks(
        [*judged.labels, *[0.0] * 100],
        [*judged.positions, *[1, 2] * 50],
        list(range(0, 521, 2)),
    )
    scores = np.zeros(100, np.float32)
    verdict = judge(padded, np.r_[old, scores], np.r_[new, scores], EVEN)
    assert verdict == judge(judged, old, new, EVEN)


CURVE = Examination(1.0 / np.arange(1, 11), floor=0.01)


def simulated(seed: int, queries: int) -> tuple[Judged, NDArray[np.float32], NDArray[np.float32]]:
    """Pages ordered by the old ranker with noise, clicked by relevance and examination."""
    rng = np.random.default_rng(seed)
    old, extra = rng.normal(size=(2, queries, 10))
    order = (-(old + rng.normal(size=old.shape))).argsort(axis=1)
    old, extra = (np.take_along_axis(values, order, axis=1) for values in (old, extra))
    relevance = 1 / (1 + np.exp(1.5 - old - 0.3 * extra))
    clicked = rng.random(relevance.shape) < relevance * CURVE.curve
    n = queries * 10
    judged = Judged(
        np.zeros((n, 1), np.float32),
        clicked.ravel().astype(np.float64),
        np.ones(n),
        np.tile(np.arange(1, 11, dtype=np.int32), queries),
        np.arange(0, n + 1, 10),
    )
    return judged, old.ravel().astype(np.float32), (old + 0.2 * extra).ravel().astype(np.float32)


def test_the_interval_covers_the_truth_in_95_of_100() -> None:
    truth = judge(*simulated(0, 200_000), CURVE).difference
    verdicts = [judge(*simulated(seed, 400), CURVE) for seed in range(1, 401)]
    covered = np.mean([verdict.low <= truth <= verdict.high for verdict in verdicts])
    assert 0.92 <= covered <= 0.98  # 0.95 ± 3 standard errors of 400 trials
    assert np.mean([verdict.difference for verdict in verdicts]) == pytest.approx(truth, rel=0.15)


def test_without_the_correction_the_old_order_is_favoured() -> None:
    judged, old, new = simulated(0, 50_000)
    assert (
        judge(judged, old, new, EVEN).difference < 0.75 * judge(judged, old, new, CURVE).difference
    )
