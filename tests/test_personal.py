"""The personal generator: planted tastes, and what it learns to prefer."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from retrievers.base import Context, Docs, Document, Outcome, Query
from retrievers.bm25 import BM25
from retrievers.discovery import Discovery
from retrievers.near_queries import query_key
from retrievers.personal import Personal
from retrievers.preference import Preference

DAY = 86400.0
NOW = 1_700_000_000.0
ROCK, JAZZ = range(20), range(20, 40)
ROWS = np.arange(44, dtype=np.int32)
DOCUMENTS = [Document(str(row)) for row in ROWS]


def asked(text: str, user: str | None = None, time: float | None = NOW + 40 * DAY) -> Query:
    when = None if time is None else datetime.fromtimestamp(time, UTC)
    return Query(text, Context(user=user, time=when))


def listen(user: str, doc: int, plays: float = 20.0, time: float = NOW) -> Outcome:
    return Outcome(None, doc, "listen", plays, user, time)


def click(
    text: str, user: str | None, doc: int, time: float = NOW + DAY, weight: float = 1.0
) -> Outcome:
    return Outcome(asked(text, user, time), doc, "click", weight, user, time)


def history() -> list[Outcome]:
    """Ten users of rock, ten of jazz, each with eight of its twenty items; searches for both."""
    rng = np.random.default_rng(4)
    outcomes = []
    for number in range(20):
        taste, text = (ROCK, "loud guitar") if number % 2 else (JAZZ, "smooth trumpet")
        user = f"u{number}"
        own = rng.choice(np.array(taste), 8, replace=False).tolist()
        outcomes += [listen(user, doc) for doc in own]
        outcomes += [click(text, user, doc) for doc in own[:3]]
    # Somebody of both tastes, who has never searched.
    outcomes += [listen("both", doc) for doc in (0, 1, 2, 20, 21, 22)]
    return outcomes


def built(*more: Outcome) -> Personal:
    personal = Personal(rank=8)
    personal.add(ROWS, DOCUMENTS)
    personal.observe([*history(), *more])
    return personal


@pytest.fixture(scope="module")
def original() -> Personal:
    return built()


@pytest.fixture
def personal(original: Personal) -> Personal:
    return copy.copy(original)


def first(personal: Personal, query: Query, k: int = 3) -> list[int]:
    docs: list[int] = personal.retrieve(query, k).docs.tolist()
    return docs


def found_by(personal: Personal, user: str, text: str) -> Docs:
    """What the user has clicked after this query."""
    return personal._seen.users[user].after(personal._seen.ids[query_key(text)])[0]


def test_of_the_users_own_items_those_that_fit_the_query_come_first(personal: Personal) -> None:
    assert set(first(personal, asked("loud guitar", "both"))) == {0, 1, 2}
    assert set(first(personal, asked("smooth trumpet", "both"))) == {20, 21, 22}
    # A query never seen is known by its words.
    assert set(first(personal, asked("trumpet music", "both"))) == {20, 21, 22}


def test_own_items_and_what_goes_along_with_them_are_kept_apart(personal: Personal) -> None:
    own = set(personal.retrieve(asked("", "u1"), 44).docs.tolist())
    assert own == set(personal._seen.users["u1"].docs.tolist())
    discovery = Discovery().joined(personal)
    neighbours = discovery.retrieve(asked("", "u1"), 44).docs.tolist()
    assert not own & set(neighbours)
    assert sum(doc in ROCK for doc in neighbours[:8]) >= 7


def test_what_nobody_has_heard_is_found_by_whom_it_is_like() -> None:
    """Sixty artists of ten tracks, one half of them rock; a listener has heard five of three artists."""
    rows = np.arange(600, dtype=np.int32)
    documents = [
        Document(
            str(row), metadata={"artist": f"a{row // 10}", "genre": "rock" if row < 300 else "pop"}
        )
        for row in rows.tolist()
    ]
    heard = [artist * 10 + track for artist in (2, 11, 25) for track in range(5)]
    personal = Personal(rank=8)
    personal.add(rows[:590], documents[:590])
    personal.observe([click("rock music", "u", doc) for doc in heard])
    personal.add(rows[590:], [Document(str(row), metadata={"artist": "a2"}) for row in rows[590:]])
    discovery = Discovery().joined(personal)
    found = discovery.retrieve(asked("rock", "u"), 30).docs.tolist()
    unheard = [artist * 10 + track for artist in (2, 11, 25) for track in range(5, 10)]
    assert set(found[:25]) == {*unheard, *range(590, 600)}
    assert len(personal.retrieve(asked("rock", "u"), 50)) == len(heard)
    taste = personal.describe(asked("rock", "u"), rows)[:, personal.feature_names.index("taste")]
    assert taste[unheard].min() > taste[30:110].max() > taste[300:590].max() == 0


def test_a_joined_discovery_takes_in_nothing_itself(personal: Personal) -> None:
    discovery = Discovery().joined(personal)
    before = discovery.retrieve(asked("", "u1"), 44)
    discovery.observe([listen("u1", 41)])
    assert discovery.retrieve(asked("", "u1"), 44).docs.tolist() == before.docs.tolist()
    personal.observe([listen("u1", 41)])
    assert 41 not in discovery.joined(personal).retrieve(asked("", "u1"), 44).docs
    with pytest.raises(TypeError, match="expected Personal"):
        discovery.joined(discovery)


def test_of_the_own_items_those_with_the_querys_words_come_first(personal: Personal) -> None:
    """Nobody has searched for a colour yet; only the items' words tell which are blue."""
    documents = [Document(str(row), "blue" if row % 4 == 0 else "red") for row in ROWS]
    words = BM25()
    words.add(ROWS, documents)
    joined = personal.joined(words)
    own = set(personal.retrieve(asked("", "u1"), 50).docs.tolist())
    blue = {row for row in own if row % 4 == 0}
    assert 0 < len(blue) < len(own)
    found = joined.retrieve(asked("blue", "u1"), 50).docs.tolist()
    assert set(found) == own
    assert set(found[: len(blue)]) == blue
    match = joined.describe(asked("blue", "u1"), ROWS)[:, joined.feature_names.index("match")]
    assert ((match > 0) == (ROWS % 4 == 0)).all()
    # The one that was joined is as before.
    assert (
        personal.describe(asked("blue", "u1"), ROWS)[:, personal.feature_names.index("match")] == 0
    ).all()
    with pytest.raises(TypeError, match=r"Personal\.joined: found Discovery, expected BM25"):
        personal.joined(Discovery())


def test_what_others_brought_is_described_by_the_score_that_ranks(personal: Personal) -> None:
    query = asked("loud guitar", "u1")
    hits = personal.retrieve(query, 50)
    told = personal.describe(query, hits.docs)[:, personal.feature_names.index("preference")]
    np.testing.assert_array_equal(told, hits.scores)


@pytest.mark.parametrize("user", [None, "nobody"])
def test_nothing_is_known_of_strangers(personal: Personal, user: str | None) -> None:
    assert len(personal.retrieve(asked("loud guitar", user), 5)) == 0
    x = personal.describe(asked("loud guitar", user), ROWS)
    known = ~np.isnan(x).all(axis=0)
    named = [personal.feature_names[column] for column in np.flatnonzero(known)]
    assert named == ["affinity", "query_touches", "log_query_share", "match"]
    affinity = x[:, personal.feature_names.index("affinity")]
    assert affinity[:20].mean() > affinity[20:40].mean() + 0.5


def test_what_one_user_does_changes_only_the_own_items_of_that_user(personal: Personal) -> None:
    before = personal.describe(asked("", "both"), ROWS)
    personal.observe([listen("u3", 41), listen("u3", 42)])
    assert personal.describe(asked("", "both"), ROWS).tobytes() == before.tobytes()
    assert 41 in first(personal, asked("", "u3"), 44)
    assert 41 not in first(personal, asked("", "both"), 44)


def test_a_searched_item_is_the_users_for_this_query(personal: Personal) -> None:
    personal.observe([click("rainy day", "u3", 43)])
    assert first(personal, asked("rainy day", "u3"), 1) == [43]
    names = personal.feature_names
    x = dict(zip(names, personal.describe(asked("rainy day", "u3"), ROWS)[43], strict=True))
    assert x["own"] == 1
    assert x["repeated"] == x["touches"] == pytest.approx(np.log(2))
    assert x["query_touches"] == pytest.approx(np.log1p(2 ** (-39 / 730)))
    assert x["user_query_touches"] == pytest.approx(np.log(2))
    assert x["user_items"] == pytest.approx(np.log(10))
    assert x["recency"] == pytest.approx(1 / (1 + 39 / 30))
    assert x["user_idle_months"] == pytest.approx(39 / 30)


def test_a_skip_takes_an_item_back(personal: Personal) -> None:
    personal.observe([click("rainy day", "u3", 43)])
    liked = personal.describe(asked("rainy day", "u3"), ROWS)[43]
    personal.observe([click("rainy day", "u3", 43, NOW + 2 * DAY, -1.0)])
    skipped = personal.describe(asked("rainy day", "u3"), ROWS)[43]
    own = personal.feature_names.index("own")
    assert (liked[own], skipped[own]) == (1.0, 0.0)
    assert 43 not in first(personal, asked("", "u3"), 44)


@pytest.mark.parametrize("repeats", [True, False])
def test_whether_people_come_back_to_an_item_is_learnt(repeats: bool) -> None:
    """The same log but for which item a second search led to: the one found before or another."""
    personal = built()
    for week in range(1, 5):
        batch = []
        for number in range(20):
            user, text = f"u{number}", "loud guitar" if number % 2 else "smooth trumpet"
            own = personal._seen.users[user].docs
            found = found_by(personal, user, text)
            other = np.setdiff1d(own, found)
            chosen = found[0] if repeats else (other if other.size else own)[0]
            batch.append(click(text, user, int(chosen), NOW + 7 * week * DAY))
        personal.observe(batch)
    hits = personal.retrieve(asked("loud guitar", "u1"), 1)
    assert (hits.docs[0] in found_by(personal, "u1", "loud guitar")) == repeats


def test_state_is_replaced_not_changed(personal: Personal) -> None:
    kept = copy.copy(personal)
    before = [personal.retrieve(asked("loud guitar", f"u{n}"), 44).scores.tobytes() for n in (1, 2)]
    personal.observe([click("loud guitar", f"u{n % 20}", n, NOW + 9 * DAY) for n in range(40)])
    personal.remove(np.array([0, 1], np.int32))
    after = [kept.retrieve(asked("loud guitar", f"u{n}"), 44).scores.tobytes() for n in (1, 2)]
    assert after == before
    assert not {0, 1} & set(first(personal, asked("loud guitar", "both"), 44))


def test_the_order_of_outcomes_at_one_time_is_irrelevant(original: Personal) -> None:
    other = Personal(rank=8)
    other.add(ROWS, DOCUMENTS)
    other.observe(history()[::-1])
    for query in (asked("loud guitar", "both"), asked("", "u4")):
        one, two = original.retrieve(query, 44), other.retrieve(query, 44)
        assert one.docs.tobytes() == two.docs.tobytes()
        assert one.scores.tobytes() == two.scores.tobytes()


def test_what_is_loaded_answers_and_learns_as_what_was_saved(
    personal: Personal, tmp_path: Path
) -> None:
    personal.observe([click("rainy day", "new user", 43, NOW + 3 * DAY)])
    personal.save(tmp_path)
    loaded = Personal.load(tmp_path)
    for step in range(2):
        for query in (asked("rainy guitar", "u5"), asked("", "new user"), asked("loud guitar")):
            one, other = personal.retrieve(query, 44), loaded.retrieve(query, 44)
            assert one.scores.tobytes() == other.scores.tobytes()
            described = personal.describe(query, ROWS)
            assert described.tobytes() == loaded.describe(query, ROWS).tobytes()
        for each in (personal, loaded):
            each.observe([click("rainy day", f"u{n}", n, NOW + (9 + step) * DAY) for n in range(9)])


def test_bad_arguments_are_named() -> None:
    with pytest.raises(ValueError, match=r"Personal\.rank: found 0"):
        Personal(rank=0)
    with pytest.raises(ValueError, match=r"Personal\.half_life: found -1 days"):
        Personal(half_life=-1)
    with pytest.raises(ValueError, match=r"found row 7 .* expected a row below 0"):
        Personal().observe([listen("u", 7)])


def test_a_preference_is_recovered_from_choices() -> None:
    rng = np.random.default_rng(0)
    truth = np.array([1.5, -1.0, 0.0])
    belief = Preference.prior(np.zeros(3), 1.0)
    for _ in range(5):
        x = rng.standard_normal((400, 8, 3)).astype(np.float32)
        noisy = x @ truth + rng.gumbel(size=(400, 8))
        chosen = (noisy == noisy.max(axis=1, keepdims=True)).ravel()
        belief = belief.after(x.reshape(-1, 3), chosen, np.arange(0, 3200, 8), keep=1.0)
    error = np.sqrt(np.diag(np.linalg.inv(belief.precision)))
    assert (np.abs(belief.weights - truth) < 4 * error).all()
    assert (error < 0.1).all()
    nothing = belief.after(x.reshape(-1, 3), np.zeros(3200, np.bool_), np.arange(0, 3200, 8), 0.5)
    assert nothing is belief
