"""The mixed log: one search by name beside every other, and nothing of its targets elsewhere."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.datasets import Dataset, read_dataset
from benchmarks.mixed import SUFFIX, Mixture, typed, write_mixed
from benchmarks.validation import validate
from engine import BadEvent, BadInput
from engine.formats import write_json_lines

USERS, ITEMS, HISTORY, SEARCHES = 20, 120, 20, 60


def title(item: int) -> str:
    return f"The {chr(97 + item % 26) * 2}lpha {item} orchestra"


def event(action: str, user: str, item: int, month: int, **more: object) -> dict[str, object]:
    return {
        "action_name": action,
        "user_id": user,
        "timestamp": f"2026-{month:02}-01T00:00:00Z",
        "event_attributes": {"object": {"object_id": f"a{item}"}},
        **more,
    }


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty users with twenty items each, item i the likelier the smaller i; sixty searches each."""
    folder = tmp_path_factory.mktemp("source")
    rng = np.random.default_rng(0)
    chances = 1.0 / np.arange(1, ITEMS + 1)
    chances /= chances.sum()
    events: list[dict[str, Any]] = []
    searches: list[dict[str, Any]] = []
    for u in range(USERS):
        events += [
            event("listen", f"u{u}", item, 1, history=True)
            for item in rng.choice(ITEMS, HISTORY, replace=False, p=chances).tolist()
        ]
    for n in range(USERS * SEARCHES):
        user, month = f"u{n % USERS}", 2 + n // 120
        searches.append(
            {
                "query_id": f"s{n}", "user_query": "tag", "client_id": user, "user_id": user,
                "timestamp": f"2026-{month:02}-01T00:00:00Z", "query_attributes": {},
            }
        )  # fmt: skip
        events.append(event("click", user, 20 + n % 7, month, query_id=f"s{n}"))
    write_json_lines(
        folder / "corpus.jsonl", [{"_id": f"a{i}", "title": title(i)} for i in range(ITEMS)]
    )
    write_json_lines(folder / "ubi_queries.jsonl", searches)
    write_json_lines(folder / "ubi_events.jsonl.gz", events)
    return folder


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Mixture]:
    out = tmp_path_factory.mktemp("mixed")
    mixture = write_mixed(source, out, seed=3)
    return read_dataset(out), mixture


def test_beside_every_search_stands_one_by_name_of_the_same_user_and_time(
    source: Path, made: tuple[Dataset, Mixture]
) -> None:
    dataset, mixture = made
    searches = list(dataset.searches())
    assert searches[::2] == list(read_dataset(source).searches())
    for tag, name in zip(searches[::2], searches[1::2], strict=True):
        assert name.id == tag.id + SUFFIX
        assert (name.user, name.time) == (tag.user, tag.time)
        # Nothing but its text may tell a system of which kind a search is.
        assert name.attributes == tag.attributes == {}
    assert mixture.searches == len(searches) == 2 * mixture.by_name


def test_two_thirds_mean_history_which_is_withheld_and_a_third_what_is_new(
    source: Path, made: tuple[Dataset, Mixture]
) -> None:
    dataset, mixture = made
    before = {(e.user, e.document) for e in read_dataset(source).events()}
    history = {(e.user, e.document) for e in read_dataset(source).events() if e.search is None}
    left = {(e.user, e.document) for e in dataset.events() if e.search is None}
    meant = [
        (e.user, e.document)
        for e in dataset.events()
        if e.search is not None and e.search.endswith(SUFFIX)
    ]
    heard = [pair for pair in meant if pair in history]
    assert len(meant) == mixture.by_name == USERS * SEARCHES
    assert len(heard) == mixture.heard
    assert abs(len(heard) / len(meant) - 2 / 3) < 0.04
    assert history - left == set(heard)
    assert mixture.withheld == len(set(heard))
    assert not before.intersection(pair for pair in meant if pair not in history)
    kept = Counter(user for user, _ in left)
    assert min(kept.values()) >= HISTORY // 2
    # Targets come in turn: no item of a user is meant twice more than another.
    times = Counter(heard)
    assert max(times.values()) - min(times.values()) <= max(times.values()) // 2 + 1


def test_what_is_new_is_drawn_by_how_many_users_have_it(
    source: Path, made: tuple[Dataset, Mixture]
) -> None:
    users = Counter(e.document for e in read_dataset(source).events() if e.search is None)
    history = {(e.user, e.document) for e in read_dataset(source).events() if e.search is None}
    new = Counter(
        e.document
        for e in made[0].events()
        if e.search is not None
        and e.search.endswith(SUFFIX)
        and (e.user, e.document) not in history
    )
    assert new.keys() <= users.keys()
    common = [item for item, count in users.items() if 4 <= count <= 10]
    rare = [item for item, count in users.items() if count == 1]
    assert np.mean([new[item] for item in common]) > 2 * np.mean([new[item] for item in rare])


def test_the_new_data_set_has_no_problem_and_repeats_by_seed(
    source: Path, made: tuple[Dataset, Mixture], tmp_path: Path
) -> None:
    folder = made[0].folder
    assert validate(folder).ok
    write_mixed(source, tmp_path / "same", seed=3)
    write_mixed(source, tmp_path / "other", seed=4)
    for path in sorted(folder.iterdir()):
        assert path.read_bytes() == (tmp_path / "same" / path.name).read_bytes()
    searches = (tmp_path / "other" / "ubi_queries.jsonl.gz").read_bytes()
    assert searches != (folder / "ubi_queries.jsonl.gz").read_bytes()


def test_names_are_typed_as_people_type() -> None:
    rng = np.random.default_rng(0)
    name = "The Rolling Stones"
    ways = Counter(typed(name, rng) for _ in range(4_000))
    assert abs(ways[name] / 4_000 - 0.4) < 0.03
    assert {"the rolling", "stones the rolling", "rolling stones"} <= ways.keys()
    assert name.lower() not in ways
    slips = sum(n for text, n in ways.items() if abs(len(text) - len(name)) <= 1 and text != name)
    assert abs(slips / 4_000 - 0.4) < 0.06


@pytest.mark.parametrize("name", ["U2", "Ö", "Muse", "東京事変", "!!!"])
def test_a_short_name_is_typed_somehow(name: str) -> None:
    rng = np.random.default_rng(1)
    ways = {typed(name, rng) for _ in range(200)}
    assert name in ways
    assert all(way.strip() for way in ways)


def test_what_cannot_be_mixed_is_refused(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the data set itself"):
        write_mixed(source, source)
    (tmp_path / "corpus.jsonl").write_text(json.dumps({"_id": "d", "title": "D"}) + "\n")
    with pytest.raises(BadEvent, match="expected a UBI log"):
        write_mixed(tmp_path, tmp_path / "out")
    (tmp_path / "ubi_queries.jsonl").write_text("")
    (tmp_path / "ubi_events.jsonl").write_text("")
    with pytest.raises(BadEvent, match="no user has history"):
        write_mixed(tmp_path, tmp_path / "out")
    write_json_lines(tmp_path / "ubi_events.jsonl", [event("listen", "u", 0, 1)])
    write_json_lines(tmp_path / "corpus.jsonl", [{"_id": "a0", "title": "D"}])
    row = {"query_id": "s", "user_query": "x", "user_id": "u", "timestamp": "2026-02-01"}
    write_json_lines(tmp_path / "ubi_queries.jsonl", [row] * 20)
    with pytest.raises(BadEvent, match="user 'u': has to do with every item"):
        write_mixed(tmp_path, tmp_path / "out")
