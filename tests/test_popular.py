"""The popular generator: its one ranking, and the places of new items in it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrievers.base import Context, Document, Outcome, Query
from retrievers.popular import EVERY, Popular

DAY = 86400.0
NOW = 1_700_000_000.0
QUERY = Query("")


def event(doc: int, time: float = NOW, weight: float = 1.0) -> Outcome:
    return Outcome(None, doc, "play", weight, None, time)


def documents(n: int, popularity: float | None = None) -> list[Document]:
    metadata = {} if popularity is None else {"popularity": popularity}
    return [Document(str(i), metadata=metadata) for i in range(n)]


def rows(first: int, last: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.arange(first, last, dtype=np.int32)


def catalogue(n: int = 30) -> Popular:
    """Row i has n - i events."""
    popular = Popular()
    popular.add(rows(0, n), documents(n))
    popular.observe([event(doc) for doc in range(n) for _ in range(n - doc)])
    return popular


def order(popular: Popular, k: int = 10) -> list[int]:
    docs: list[int] = popular.retrieve(QUERY, k).docs.tolist()
    return docs


def test_what_has_more_events_comes_first_for_any_query() -> None:
    popular = catalogue()
    assert order(popular) == list(range(10))
    asked = Query("anything", Context(user="u"))
    assert popular.retrieve(asked, 10).docs.tolist() == list(range(10))
    scores = popular.retrieve(asked, 4).scores
    assert scores.tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])


def test_before_any_event_the_declared_popularity_decides_then_rows() -> None:
    popular = Popular()
    popular.add(rows(0, 3), documents(3, 5))
    popular.add(rows(3, 5), documents(2, 9))
    popular.add(rows(5, 6), [Document("x", metadata={"popularity": "unknown"})])
    assert order(popular) == [3, 4, 0, 1, 2, 5]


def test_old_events_fade() -> None:
    popular = Popular(half_life=10.0)
    popular.add(rows(0, 2), documents(2))
    popular.observe([event(0, NOW - 40 * DAY)] * 10 + [event(1, NOW)])
    assert order(popular) == [1, 0]  # 10 / 2⁴ against 1
    x = popular.describe(QUERY, rows(0, 2))
    assert x[:, 0].tolist() == pytest.approx(np.log1p([10 / 16, 1]).tolist())
    assert x[:, 1].tolist() == pytest.approx(np.log1p([10, 1]).tolist())
    later = Query("", Context(time=datetime.fromtimestamp(NOW + 10 * DAY, UTC)))
    x = popular.describe(later, rows(0, 2))
    assert x[:, 0].tolist() == pytest.approx(np.log1p([10 / 32, 1 / 2]).tolist())


def test_new_items_have_every_fifth_place() -> None:
    popular = catalogue()
    popular.add(rows(30, 33), documents(3))
    assert order(popular, 20) == [
        *(0, 1, 2, 3, 30), *(4, 5, 6, 7, 31), *(8, 9, 10, 11, 32), *(12, 13, 14, 15, 16)
    ]  # fmt: skip
    assert popular.describe(QUERY, rows(29, 31))[:, 3].tolist() == [0.0, 1.0]


def test_of_new_items_the_one_with_success_comes_before_and_failures_sink() -> None:
    popular = catalogue()
    popular.add(rows(30, 32), documents(2))
    popular.observe([event(31, NOW + DAY)])
    popular.add(rows(32, 33), documents(1))
    # Optimistic events a day: 2 / 8 with one event, 1 / 7 just added, 1 / 8 a day later.
    assert [doc for doc in order(popular, 15) if doc >= 30] == [31, 32, 30]
    rate = popular.describe(QUERY, rows(29, 33))[:, 4]
    assert np.isnan(rate[0])
    assert rate[1:].tolist() == pytest.approx([1 / 8, 2 / 8, 1 / 7])


def test_new_items_grow_old_by_time_or_success() -> None:
    popular = catalogue()
    popular.add(rows(30, 32), documents(2))
    popular.observe([event(30, NOW + DAY)] * 20)
    # No longer new, it stands where its events put it: row 10 has twenty too, a day older.
    found = order(popular, 32)
    assert found.index(31) == EVERY - 1
    assert found.index(30) == found.index(10) - 1
    assert popular.describe(QUERY, rows(30, 31))[0, 3] == 0.0
    popular.observe([event(0, NOW + 91 * DAY)])
    assert order(popular, 32)[-1] == 31


def test_skips_lower_and_large_weights_are_compressed() -> None:
    popular = Popular()
    popular.add(rows(0, 3), documents(3))
    popular.observe([event(0, weight=-1.0), event(2, weight=5000.0), *[event(1)] * 20])
    assert order(popular) == [1, 2, 0]


def test_removal_copies_and_persistence(tmp_path: Path) -> None:
    popular = catalogue()
    kept = copy.copy(popular)
    popular.add(rows(30, 31), documents(1))
    popular.remove(np.array([0, 2], np.int32))
    popular.observe([event(5, NOW + DAY)] * 9)
    assert order(kept) == list(range(10))
    assert not {0, 2} & set(order(popular, 40))
    popular.save(tmp_path)
    loaded = Popular.load(tmp_path)
    assert order(loaded, 40) == order(popular, 40)
    every = rows(0, 31)
    described = popular.describe(QUERY, every)
    assert described.tobytes() == loaded.describe(QUERY, every).tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"half_life": 0.0}, r"Popular\.half_life: found 0.0 days"),
        ({"new_days": -1.0}, r"Popular\.new_days: found -1.0 days"),
        ({"prior": -1.0}, "found prior -1.0"),
    ],
)
def test_bad_arguments_are_named(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Popular(**arguments)


def test_an_unknown_row_is_refused() -> None:
    with pytest.raises(ValueError, match="found rows 0 to 30, expected 0 to 29"):
        catalogue().observe([event(0), event(30)])


@given(st.integers(0, 40), st.integers(0, 12))
def test_every_row_stands_once_and_new_ones_in_their_places(old: int, new: int) -> None:
    popular = Popular()
    popular.add(rows(0, old + 1), documents(old + 1))
    popular.observe([event(doc % (old + 1)) for doc in range(7)])
    popular.add(rows(old + 1, old + 1 + new), documents(new))
    found = order(popular, 100)
    assert sorted(found) == list(range(old + 1 + new))
    places = [place for place, doc in enumerate(found, 1) if doc > old]
    popular_before = [place - 1 - number for number, place in enumerate(places)]
    wanted = [min((EVERY - 1) * (number + 1), old + 1) for number in range(new)]
    assert popular_before == wanted
