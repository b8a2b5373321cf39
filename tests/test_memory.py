"""The query-to-entity memory: planted answers, arithmetic of its scores, what it forgets."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrievers.base import Context, Document, Outcome, Query
from retrievers.memory import Memory
from retrievers.near_queries import SIMILAR, NearQueries, query_key, trigrams
from retrievers.predicted_queries import PredictedQueries, bare_title, predicted_queries
from retrievers.tally import Tally

DAY = 86400.0
NOW = 1_700_000_000.0
DOCUMENTS = [
    Document("0", "Yesterday", "", "track", {"artist": "The Beatles", "popularity": 10}),
    Document("1", "Yesterday (Live) [2009]", "", "track", {"artist": "Boyz II Men"}),
    Document("2", "Golden Slumbers", "", "track", {"artist": "The Beatles", "genre": ["rock"]}),
    Document("3", "Nocturne", "", "track", {"artist": "Chopin", "genre": ["classical"]}),
    Document("4", "Untouched"),
]
ROWS = np.arange(len(DOCUMENTS), dtype=np.int32)


def asked(text: str, time: float | None = NOW) -> Query:
    when = None if time is None else datetime.fromtimestamp(time, UTC)
    return Query(text, Context(time=when))


def click(text: str, doc: int, weight: float = 1.0, time: float = NOW) -> Outcome:
    return Outcome(asked(text), doc, "click", weight, None, time)


def memory(*outcomes: Outcome, smoothing: float = 3.0, half_life: float = 730.0) -> Memory:
    built = Memory(half_life=half_life, smoothing=smoothing)
    built.add(ROWS, DOCUMENTS)
    built.observe(outcomes)
    return built


def scores(built: Memory, text: str, time: float | None = NOW) -> dict[int, float]:
    hits = built.retrieve(asked(text, time), 10)
    return dict(zip(hits.docs.tolist(), hits.scores.tolist(), strict=True))


def test_a_clicked_item_comes_first_for_its_query_in_any_order_and_with_a_typo() -> None:
    built = memory(*[click("sad piano night", 4)] * 5)
    for text in ("sad piano night", "Night, sad PIANO!", "sad paino night", "sad piano nigth"):
        assert built.retrieve(asked(text), 1).docs.tolist() == [4]
    exact = scores(built, "sad piano night")[4]
    assert 0 < scores(built, "sad paino night")[4] < exact
    assert scores(built, "heavy metal drums") == {}


def test_predictions_answer_until_clicks_replace_them() -> None:
    built = memory()
    assert built.retrieve(asked("yesterday"), 2).docs.tolist() == [0, 1]
    # Both titles predict it: 1.0 with full popularity, 0.9 with none; together more than 1.
    before = scores(built, "yesterday")
    assert before[0] == pytest.approx(1.0 / 1.45)
    assert before[1] == pytest.approx(0.45 / 1.45)
    shares = []
    for _ in range(4):
        built.observe([click("yesterday", 4)] * 3)
        found = scores(built, "yesterday")
        shares.append(found[4])
        n = 3 * len(shares)
        assert found[4] == pytest.approx(n / (n + 3.0))
        assert found[0] == pytest.approx(3.0 * (1.0 / 1.45) / (n + 3.0))
    assert shares == sorted(shares)
    assert built.retrieve(asked("yesterday"), 1).docs.tolist() == [4]


def test_a_click_of_one_half_life_ago_counts_half() -> None:
    half_life = 30.0
    old = memory(click("piano", 4, time=NOW - 30 * DAY), half_life=half_life)
    assert scores(old, "piano")[4] == pytest.approx(0.5 / (0.5 + 3.0))
    assert scores(old, "piano", NOW - 30 * DAY)[4] == pytest.approx(1 / (1 + 3.0))
    # Without a time the newest outcome is now.
    assert scores(old, "piano", None)[4] == pytest.approx(1 / (1 + 3.0))
    newer = memory(
        *[click("piano", 4, time=NOW - 90 * DAY)] * 3, click("piano", 3), half_life=half_life
    )
    assert newer.retrieve(asked("piano"), 2).docs.tolist() == [3, 4]


def test_a_skip_lowers_and_never_below_zero() -> None:
    liked = memory(*[click("piano", 4)] * 3, click("piano", 3))
    skipped = memory(*[click("piano", 4)] * 3, click("piano", 3), click("piano", 4, -1.0))
    assert scores(skipped, "piano")[4] < scores(liked, "piano")[4]
    hated = memory(*[click("yesterday", 0, -1.0)] * 50)
    assert 0 not in scores(hated, "yesterday")
    assert 1 in scores(hated, "yesterday")
    assert hated.describe(asked("yesterday"), ROWS)[0, -1] == 0.0


def test_descriptions_by_hand() -> None:
    built = memory(*[click("piano", 4)] * 3, click("piano", 3), *[click("rain sounds", 4)] * 2)
    x = built.describe(asked("piano"), np.array([4, 3, 0], np.int32))
    columns = dict(zip(built.feature_names, x.T.tolist(), strict=True))
    assert columns["query_share"] == pytest.approx([0.75, 0.25, 0.0])
    assert columns["item_share"][:2] == pytest.approx([0.6, 1.0])
    assert np.isnan(columns["item_share"][2])
    assert columns["query_clicks"] == pytest.approx([np.log(5)] * 3)
    assert columns["item_clicks"] == pytest.approx([np.log(6), np.log(2), 0.0])
    assert columns["memory_score"] == pytest.approx([3 / 7, 1 / 7, 0.0])
    unknown = built.describe(asked("zzz"), ROWS)
    assert np.isnan(unknown[:, 0]).all()


def test_state_is_replaced_not_changed() -> None:
    built = memory(click("piano", 4))
    kept, before = copy.copy(built), scores(built, "piano")
    built.observe([click("piano", 3)] * 9)
    built.remove(np.array([4], np.int32))
    assert scores(kept, "piano") == before
    assert set(scores(built, "piano")) == {3}


def test_outcomes_outside_searches_and_without_words_teach_nothing() -> None:
    built = memory(Outcome(None, 4, "listen", 500.0, "u", NOW), click("  ", 4))
    assert built.describe(asked("piano"), ROWS)[:, 3].tolist() == [0.0] * len(ROWS)


def test_an_unknown_row_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"found row 99 .* expected a row below 5"):
        memory(click("piano", 99))
    with pytest.raises(ValueError, match=r"Memory\.half_life: found 0 days"):
        Memory(half_life=0)
    with pytest.raises(ValueError, match="found smoothing 0"):
        Memory(smoothing=0)


WORDS = st.sampled_from(["piano", "sad piano", "sad paino", "yesterday", "beatles"])
EVENTS = st.lists(
    st.tuples(WORDS, st.integers(0, 4), st.sampled_from([-1.0, 0.3, 1.0, 5.0]), st.integers(0, 3)),
    max_size=12,
)


@settings(max_examples=60)
@given(EVENTS, WORDS, st.integers(-100, 3000), st.randoms(use_true_random=False))
def test_scores_stay_between_0_and_1_and_the_order_of_equal_times_is_irrelevant(
    events: list[tuple[str, int, float, int]], text: str, days: int, rng: Random
) -> None:
    outcomes = [click(key, doc, weight, NOW + day * DAY) for key, doc, weight, day in events]
    shuffled = outcomes.copy()
    rng.shuffle(shuffled)
    shuffled.sort(key=lambda outcome: outcome.time)
    one, other = memory(*outcomes), memory(*shuffled)
    hits = one.retrieve(asked(text, NOW + days * DAY), 9)
    assert ((hits.scores > 0) & (hits.scores <= 1 + 1e-6)).all()
    again = other.retrieve(asked(text, NOW + days * DAY), 9)
    assert hits.docs.tobytes() == again.docs.tobytes()
    assert hits.scores.tobytes() == again.scores.tobytes()


def test_what_is_loaded_answers_as_what_was_saved(tmp_path: Path) -> None:
    built = memory(*[click(f"query {i % 9}", i % 5, time=NOW + i * DAY) for i in range(40)])
    built.save(tmp_path)
    loaded = Memory.load(tmp_path)
    for text in ("query 3", "querry 4", "yesterday", "beatles"):
        one, other = built.retrieve(asked(text), 9), loaded.retrieve(asked(text), 9)
        assert one.docs.tobytes() == other.docs.tobytes()
        assert one.scores.tobytes() == other.scores.tobytes()
        described = built.describe(asked(text), ROWS)
        assert described.tobytes() == loaded.describe(asked(text), ROWS).tobytes()


@pytest.mark.parametrize(
    ("title", "bare"),
    [
        ("Yesterday (Live) [2009]", "Yesterday"),
        ("Umbrella feat. Jay-Z", "Umbrella"),
        ("Hey Jude - Remastered 2015", "Hey Jude"),
        ("Jay-Z", "Jay-Z"),
        ("(What's the Story)", ""),
    ],
)
def test_bare_titles(title: str, bare: str) -> None:
    assert bare_title(title) == bare


def test_predicted_queries_of_a_track() -> None:
    weights = predicted_queries(DOCUMENTS[2])
    ordered = ["golden slumbers", "the beatles golden slumbers", "the beatles", "rock", "track"]
    found = [weights[query_key(text)] for text in ordered]
    assert found == sorted(found, reverse=True)
    assert weights[query_key("golden slumbers beatles the")] == found[1]
    assert predicted_queries(Document("e")) == {}


def test_predictions_do_not_depend_on_how_documents_come() -> None:
    documents = [
        Document(str(i), f"Song {i % 7}", "", "track", {"popularity": i * 3 % 11})
        for i in range(60)
    ]
    rows = np.arange(60, dtype=np.int32)
    whole = PredictedQueries().plus(rows, documents)
    parts = PredictedQueries()
    for i in range(60):
        parts = parts.plus(rows[i : i + 1], documents[i : i + 1])
    sizes = [segment.docs.size for segment in parts.segments]
    assert all(large >= 2 * small for large, small in pairwise(sizes))
    for text in ("song 3", "track", "nothing"):
        found, expected = (
            dict(zip(*(column.tolist() for column in each.look_up(query_key(text))), strict=True))
            for each in (parts, whole)
        )
        assert found == pytest.approx(expected)


@settings(max_examples=80)
@given(st.lists(st.text("abc ", min_size=1, max_size=8), max_size=12), st.text("abc ", max_size=8))
def test_near_queries_are_those_of_the_definition(texts: list[str], text: str) -> None:
    keys = sorted({query_key(entry) for entry in texts} - {""})
    grams = trigrams(query_key(text))
    expected = {
        key: len(grams & trigrams(key)) / len(grams | trigrams(key))
        for key in keys
        if key != query_key(text)
    }
    half = len(keys) // 2
    near = NearQueries().plus(keys[:half]).plus(keys[half:])
    found = dict(near.find(query_key(text), 100))
    assert found == pytest.approx({k: s for k, s in expected.items() if s >= SIMILAR})
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_a_tally_of_pieces_is_the_tally_of_the_whole() -> None:
    docs, times = np.array([3, 1, 3, 2]), np.array([0.0, 10.0, 20.0, 30.0])
    weights = np.array([1.0, 2.0, 4.0, -1.0])
    whole = Tally.none().plus(docs, weights, times, 10.0)
    pieces = Tally.none()
    for i in (2, 0, 3, 1):
        pieces = pieces.plus(docs[i : i + 1], weights[i : i + 1], times[i : i + 1], 10.0)
    # At time 30: row 1 twice at 20 s, row 3 once at 30 s and four times at 10 s.
    assert whole.docs.tolist() == pieces.docs.tolist() == [1, 2, 3]
    assert whole.weights.tolist() == pytest.approx([2 / 4, -1.0, 1 / 8 + 4 / 2])
    assert pieces.weights.tolist() == pytest.approx(whole.weights.tolist())
    assert whole.top(2)[0].tolist() == [3, 1]
    assert whole.look_up(np.array([2, 9], np.int32)).tolist() == [-1.0, 0.0]
