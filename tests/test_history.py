"""What is kept of a user: sums above zero, the latest items, whole on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from retrievers.history import KEPT, OUTSIDE, UserHistory, load_histories, save_histories

DEEDS = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from([-2.0, 0.5, 1.0, 30.0]), st.integers(0, 9),
        st.sampled_from([OUTSIDE, 0, 1]),
    ),
    min_size=1,
    max_size=20,
)  # fmt: skip


@given(DEEDS, DEEDS)
def test_histories_keep_what_is_above_zero(
    one: list[tuple[int, float, int, int]], two: list[tuple[int, float, int, int]]
) -> None:
    held = UserHistory.none()
    for batch in (one, two):
        docs, weights, times, queries = (np.array(column) for column in zip(*batch, strict=True))
        held = held.plus(docs, weights, times.astype(np.float64), queries.astype(np.int32))
    assert (np.diff(held.docs) > 0).all()
    assert (held.strength() > 0).all()
    assert np.isfinite(held.last).all()
    assert (held.counts > 0).all()
    for query in (0, 1):
        found, counts = held.after(query)
        assert (np.diff(found) > 0).all()
        assert found.size == counts.size == np.count_nonzero(held.asked == query)


def test_a_history_keeps_the_latest_items() -> None:
    held = UserHistory.none()
    for start in (0, 1500):
        docs = np.arange(start, start + 1500)
        times = (docs % 7 + 10 * start).astype(np.float64)
        held = held.plus(
            docs.astype(np.int32), np.ones(1500), times, np.full(1500, OUTSIDE, np.int32)
        )
    assert held.docs.size == KEPT
    assert set(range(1500, 3000)) <= set(held.docs.tolist())
    earlier = held.docs[held.docs < 1500]
    # 500 of the first 1500: all of the latest two times, then the lowest rows of the third.
    assert np.bincount(earlier % 7, minlength=7).tolist() == [0, 0, 0, 0, 72, 214, 214]
    assert earlier[earlier % 7 == 4].max() == 4 + 7 * 71


def test_histories_are_saved_whole(tmp_path: Path) -> None:
    one = UserHistory.none().plus(
        np.array([4, 2]), np.array([1.0, 2.0]), np.array([5.0, 6.0]), np.array([OUTSIDE, 3])
    )
    save_histories({"a": one, "b": UserHistory.none(), "c": one}, tmp_path)
    loaded = load_histories(tmp_path)
    assert list(loaded) == ["a", "b", "c"]
    for name in ("docs", "use", "touches", "last", "asked", "found", "counts"):
        for user, expected in (("a", one), ("b", UserHistory.none()), ("c", one)):
            found, wanted = getattr(loaded[user], name), getattr(expected, name)
            assert found.dtype == wanted.dtype
            assert found.tolist() == wanted.tolist()
