"""Simulated users on a small judged collection: what is learnt from, what is measured, what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.datasets import read_dataset
from benchmarks.graded import Page, Question, labelled, measured, page
from benchmarks.judgements import read_qrels, write_qrels
from benchmarks.simulation import PACE, START, Simulated, SimulationOptions, simulate
from benchmarks.simulation_report import JUDGES, Compared, compare, simulate_into
from benchmarks.trec import read_run
from engine import BadInput, Document, EngineConfig, Query
from engine.catalog import Catalog
from engine.formats import document_to_json, write_json_lines
from retrievers.base import Hits
from retrievers.candidates import union
from tests.conftest import WordHashes, songs

CONFIG = EngineConfig(
    budget=20.0,
    generators=("bm25", "dense", "memory", "popular"),
    ladder=(0, 3, 10, 30),
    hindsight=20,
    ranker_options={"n_estimators": 20, "min_child_samples": 5},
)
OPTIONS = SimulationOptions(searches=300, learn_every=150, split=0.7, sample=10)


def written(folder: Path) -> Path:
    """Everybody who names a genre, a letter and a title wants an old track of the genre."""
    documents = songs()
    folder.mkdir()
    write_json_lines(folder / "corpus.jsonl", map(document_to_json, documents))
    titles, qrels = ("love", "silver river", "night train", "song"), {}
    queries = []
    for i in range(60):
        artist, title = f"artist{chr(65 + i % 26)}{i % 30}", titles[i % 4]
        queries.append({"_id": f"q{i}", "text": f"{title} {artist} {i}"})
        qrels[f"q{i}"] = {f"t{i % 30}-{i % 4}": 3, f"a{i % 30}": 1, "nowhere": 2}
    write_json_lines(folder / "queries.jsonl", queries)
    (folder / "qrels").mkdir()
    write_qrels(folder / "qrels" / "train.tsv", qrels)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("simulated") / "made")


@pytest.fixture(scope="module")
def made(folder: Path) -> Simulated:
    return simulate(read_dataset(folder), CONFIG, OPTIONS, encoder=WordHashes())


@pytest.fixture(scope="module")
def found(made: Simulated) -> Compared:
    return compare(made, OPTIONS.k)


def test_what_is_measured_was_never_searched(made: Simulated, found: Compared) -> None:
    searched = set(made.state.statistics.queries.row_of)
    assert len(made.learn) + len(made.report) == 60
    assert searched <= {made.texts[query].lower() for query in made.learn}
    assert len(searched) > 0.9 * len(made.learn)
    assert [one.id for one in found.asked] == list(made.report)
    assert not searched & {made.texts[query].lower() for query in made.report}
    learnt, _ = made.state.statistics.queries.counts(made.texts[next(iter(made.learn))].lower())
    assert learnt > 0


def test_moments_and_times(made: Simulated) -> None:
    assert [moment.searches for moment in made.moments] == [0, 150, 300]
    assert made.moments[-1].clicks == sum(made.clicked) > 100
    assert made.clicked[0] == max(made.clicked)
    assert made.now == START + 299 * PACE
    assert made.state.version == 2
    learnt = [moment.learnt for moment in made.moments[1:]]
    assert [one.searches for one in learnt if one is not None] == [150] * 2


def test_lines(found: Compared) -> None:
    values = {name: one["ndcg@10"].mean() for name, one in found.values.items()}
    assert list(values) == [
        "ltrr", "graded", "graded_unclicked", "bm25", "dense", "memory", "popular", "rrf", "minmax", "graded_pair",
        "best_weight", "rrf_all", "minmax_all",
    ]  # fmt: skip
    assert values["popular"] < 0.2 < values["bm25"]
    assert values["best_weight"] >= max(values["bm25"], values["dense"])
    for one in found.values.values():
        assert one["candidate_recall"].max() <= 1.0
    union = found.values["rrf_all"]["candidate_recall"]
    assert (union >= found.values["ltrr"]["candidate_recall"]).all()


def test_report_and_runs(folder: Path, tmp_path: Path) -> None:
    def once(name: str) -> dict[str, Any]:
        options = replace(OPTIONS, searches=100, learn_every=50)
        simulate_into(folder, tmp_path / name, options, config=CONFIG, encoder=WordHashes())
        told: dict[str, Any] = json.loads((tmp_path / name / "report.json").read_text("utf-8"))
        return told

    told, again = once("a"), once("b")
    told.pop("seconds"), again.pop("seconds")
    assert told == again
    for figures in told["systems"].values():
        for key in ("ndcg@10", "mrr@10", "candidate_recall", "candidates_mean"):
            low, high = figures[f"{key}_interval"]
            assert low - 1e-12 <= figures[key] <= high + 1e-12
    share = told["share_of_graded"]
    ours, theirs = (told["systems"][name]["ndcg@10"] for name in ("ltrr", share["line"]))
    assert theirs == max(told["systems"][name]["ndcg@10"] for name in JUDGES)
    assert share["value"] == pytest.approx(ours / theirs)
    assert share["interval"][0] <= share["value"] <= share["interval"][1]
    assert [point["searches"] for point in told["curve"]] == [0, 50, 100]
    text = (tmp_path / "a" / "report.html").read_text("utf-8")
    assert text.count("<svg") == 3
    assert "http" not in text
    for name in told["systems"]:
        run = (tmp_path / "a" / "runs" / f"{name}.trec").read_bytes()
        assert run == (tmp_path / "b" / "runs" / f"{name}.trec").read_bytes()
    judged = read_qrels(tmp_path / "a" / "runs" / "qrels.trec")
    assert set(read_run(tmp_path / "a" / "runs" / "ltrr.trec")) == set(judged)


def test_another_seed_is_another_world(folder: Path) -> None:
    options = replace(OPTIONS, searches=40, learn_every=40)

    def clicked(seed: int) -> list[int]:
        config = replace(CONFIG, seed=seed, generators=("bm25",))
        return simulate(read_dataset(folder), config, options).clicked

    first = clicked(0)
    assert first == clicked(0)
    assert first != clicked(1)


def test_a_query_with_the_text_of_one_searched_is_left_out(tmp_path: Path) -> None:
    folder = written(tmp_path / "same")
    texts = [json.loads(line) for line in (folder / "queries.jsonl").read_text().splitlines()]
    made, _ = read_dataset(folder).learn_and_report("train", "test", 0.7)
    searched = next(row["text"] for row in texts if row["_id"] in made)
    changed = next(row for row in texts if row["_id"] not in made)
    changed["text"] = searched.upper()
    write_json_lines(folder / "queries.jsonl", texts)
    options = replace(OPTIONS, searches=5, learn_every=5)
    config = replace(CONFIG, generators=("bm25",))
    simulation = simulate(read_dataset(folder), config, options)
    assert simulation.left_out == 1
    assert changed["_id"] not in simulation.report


LEARNS: tuple[tuple[int, int | None, list[int]], ...] = (
    (400, 100, [100, 200, 300, 400]),
    (250, 100, [100, 200, 250]),
    (4, None, [1, 2, 3, 4]),
)


@pytest.mark.parametrize(("searches", "every", "after"), LEARNS)
def test_learns(searches: int, every: int | None, after: list[int]) -> None:
    assert SimulationOptions(searches=searches, learn_every=every).learns() == after


def test_early_learns_come_sooner() -> None:
    after = SimulationOptions(searches=50_000).learns()
    assert len(after) == 20
    assert (after[0], after[-1]) == (100, 50_000)
    assert (np.diff(after, 2) > 0).all()


def question(*judged: tuple[int, int]) -> Question:
    """Grades of rows, in the order of rows; the document of row i is `di`."""
    docs = np.array([row for row, _ in judged], np.int32)
    grades = np.array([grade for _, grade in judged], np.float64)
    query = Query("x")
    return Question("q", query, docs, grades, {f"d{row}": grade for row, grade in judged})


def test_grades_as_labels() -> None:
    asked = question((1, 3), (4, 0), (6, -1), (7, 2))
    docs = np.array([0, 1, 4, 6, 7, 9], np.int32)
    assert asked.labels(docs).tolist() == [0, 3, 0, 0, 2, 0]
    assert asked.recall(docs[:3]) == 0.5
    assert question().labels(docs).tolist() == [0] * 6
    assert question((1, 0)).recall(docs) == 0.0
    found = union(["a"], [6], [Hits(docs, np.arange(6, 0, -1).astype(np.float32))])
    judged = labelled([(asked, found, found.scores), (question(), found, found.scores)])
    assert judged.labels.tolist() == [0, 3, 0, 0, 2, 0] + [0] * 6
    assert judged.starts.tolist() == [0, 6, 12]


def test_measures_by_hand() -> None:
    catalog = Catalog()
    catalog.add([Document(f"d{row}") for row in range(10)])
    asked = question((1, 3), (2, 1), (3, 2), (4, 0))
    hits = Hits(np.array([4, 2, 1], np.int32), np.array([3.0, 2.0, 2.0], np.float32))
    shown = page(asked, union(["a"], [3], [hits]), np.array([2.0, 2.0, 3.0]), 10)
    assert shown.docs.tolist() == [4, 1, 2]
    values = measured([asked], [shown], catalog, 10)
    discount = 1.0 / np.log2(np.arange(2, 5))
    assert values["ndcg@10"][0] == pytest.approx(
        (3 * discount[1] + discount[2]) / (3 * discount[0] + 2 * discount[1] + discount[2])
    )
    assert values["mrr@10"][0] == 0.5
    assert values["candidate_recall"][0] == pytest.approx(2 / 3)
    nothing = Page(np.empty(0, np.int32), np.empty(0, np.float32), 0.0, 0)
    assert measured([asked], [nothing], catalog, 10)["ndcg@10"].tolist() == [0.0]


WRONG: tuple[tuple[Callable[[], SimulationOptions], str], ...] = (
    (lambda: SimulationOptions(model="eager"), "click model: found 'eager'"),
    (lambda: SimulationOptions(searches=0), "searches: found 0"),
    (lambda: SimulationOptions(learn_every=0), "learn-every: found 0"),
    (lambda: SimulationOptions(k=0), "k: found 0"),
)


@pytest.mark.parametrize(("wrong", "message"), WRONG)
def test_refusals(wrong: Callable[[], SimulationOptions], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def test_dangling_and_empty(tmp_path: Path) -> None:
    folder = written(tmp_path / "dangling")
    with pytest.raises(BadInput, match="another --split"):
        simulate(read_dataset(folder), CONFIG, replace(OPTIONS, split=1e-9))
    with pytest.raises(BadInput, match=r"--split 0\.8"):
        simulate(read_dataset(folder), CONFIG, replace(OPTIONS, split=None))
    (folder / "queries.jsonl").write_text('{"_id": "q0", "text": "x"}\n')
    with pytest.raises(BadInput, match="has no query"):
        simulate(read_dataset(folder), CONFIG, OPTIONS)
