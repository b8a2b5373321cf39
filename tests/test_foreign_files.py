"""TREC runs, LETOR and Open Bandit files: read, written and refused."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.letor import read_letor
from benchmarks.open_bandit import read_open_bandit
from benchmarks.trec import read_run, untied, write_run
from engine import BadInput

DATA = Path(os.environ.get("LTRR_DATA", Path(__file__).parents[2] / "shared" / "data"))
WHEN = "2026-01-05T10:00:00Z"


def test_runs_go_there_and_back_in_our_order(tmp_path: Path) -> None:
    results = [("q1", [("d2", 1.0), ("d9", 0.5), ("d1", 0.5), ("d5", 0.5)]), ("q2", [])]
    write_run(tmp_path / "ltrr.run.gz", results, tag="ltrr")
    run = read_run(tmp_path / "ltrr.run.gz")
    assert list(run["q1"]) == ["d2", "d9", "d1", "d5"]
    assert len(set(run["q1"].values())) == 4
    np.testing.assert_allclose(list(run["q1"].values()), [1.0, 0.5, 0.5, 0.5], atol=1e-6)
    write_run(tmp_path / "again.run", [(q, list(r.items())) for q, r in run.items()])
    assert read_run(tmp_path / "again.run") == run


def test_tools_that_break_ties_otherwise_keep_our_order(tmp_path: Path) -> None:
    # trec_eval puts the higher document id first among equals: it would find d9 at the top.
    ranking = [("d1", 0.3), ("d5", 0.3), ("d9", 0.3)]
    write_run(tmp_path / "run", [("q", ranking)])
    qrels = {"q": {"d1": 1}}
    scored = [
        ir_measures.calc_aggregate([ir_measures.RR], qrels, run)[ir_measures.RR]
        for run in ({"q": dict(ranking)}, read_run(tmp_path / "run"))
    ]
    assert scored == [1 / 3, 1.0]


@given(st.lists(st.floats(-1e30, 1e30), max_size=30))
def test_untied_scores_fall_strictly_and_hardly_move(scores: list[float]) -> None:
    falling = sorted(scores, reverse=True)
    found = np.array(untied(falling), np.float32)
    assert (np.diff(found) < 0).all()
    np.testing.assert_allclose(found, np.array(falling, np.float32), rtol=1e-5, atol=1e-40)


def test_ties_of_a_foreign_run_are_broken_by_row_or_by_its_ranks(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.write_text("q Q0 c 2 1.5 t\nq Q0 x 3 1.5 t\nq Q0 a 1 1.5 t\nq Q0 b 4 2.5 t\n\n")
    assert list(read_run(path)["q"]) == ["b", "a", "c", "x"]
    assert list(read_run(path, {"b": 0, "c": 1, "a": 2})["q"]) == ["b", "c", "a", "x"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("q Q0 d 1 0.5\n", "line 1: found 5 columns"),
        ("q Q0 d one 0.5 t\n", "rank 'one'"),
        ("q Q0 d 1 0.5 t\nq Q0 d 2 0.4 t\n", "'q' has a document twice"),
    ],
)
def test_broken_runs_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "run").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_run(tmp_path / "run")


def test_an_id_with_a_blank_cannot_go_into_a_run(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="without blanks"):
        write_run(tmp_path / "run", [("q", [("a b", 1.0)])])


def test_letor_files_become_judged_rows(tmp_path: Path) -> None:
    first, second = tmp_path / "S1.txt", tmp_path / "S2.txt.gz"
    first.write_text(
        "# a comment\n2 qid:7 1:0.5 3:1.5 #docid = GX01 inc = 1\n0 qid:9 2:4 # docid=GX02\n"
    )
    with gzip.open(second, "wt") as out:
        out.write("1 qid:7 1:-1\n")
    found = read_letor(first, second)
    assert found.queries == ("7", "9")
    assert found.documents == ("GX01", "", "GX02")
    np.testing.assert_array_equal(
        found.judged.features, np.array([[0.5, 0, 1.5], [-1, 0, 0], [0, 4, 0]], np.float32)
    )
    assert found.judged.labels.tolist() == [2, 1, 0]
    assert found.judged.starts.tolist() == [0, 2, 3]
    assert read_letor(first, features=5).judged.features.shape == (2, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 1:0.5\n", "line 1: found '1 1:0.5', expected a grade and qid"),
        ("1 qid:1 one:0.5\n", "line 1: invalid literal"),
        ("1 qid:1 0:0.5\n", "counted from 1"),
        ("-1 qid:1 1:0.5\n", "a grade of at least 0"),
        ("1 qid:1 4:0.5\n", "found feature 4, expected at most 3"),
    ],
)
def test_broken_letor_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "S").write_text(text)
    with pytest.raises(BadInput, match=message):
        read_letor(tmp_path / "S", features=3)


OPEN_BANDIT = """,timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0
0,2019-11-24 00:00:01+00:00,1,3,0,0.5,aa,0.0
1,2019-11-24 00:00:02+00:00,0,1,1,0.25,cc,2.0
2,2019-11-24 00:00:03+00:00,1,2,0,0.5,bb,0.0
"""


def bandit_files(folder: Path, log: str = OPEN_BANDIT) -> Path:
    (folder / "men.csv").write_text(log)
    (folder / "item_context.csv").write_text(
        ",item_id,item_feature_0,item_feature_1\n0,1,-0.5,y\n1,0,0.75,x\n"
    )
    return folder


def test_open_bandit_files_become_feedback(tmp_path: Path) -> None:
    found = read_open_bandit(bandit_files(tmp_path))
    feedback = found.feedback
    assert feedback.n_actions == 2
    assert feedback.actions.tolist() == [1, 0, 1]
    assert feedback.positions.tolist() == [2, 0, 1]
    assert feedback.rewards.tolist() == [0, 1, 0]
    assert feedback.propensities.tolist() == [0.5, 0.25, 0.5]
    # The categories aa, bb, cc as two columns, the first left out.
    assert feedback.contexts.tolist() == [[0, 0], [0, 1], [1, 0]]
    assert found.items.tolist() == [[0.75, 0.0], [-0.5, 1.0]]
    assert found.affinities.tolist() == [[0.0], [2.0], [0.0]]
    assert np.diff(found.times).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (",1,3,0,", ",7,3,0,", "`item_id` '7' is not in"),
        ("click", "clicked", r"line 1: found no column \['click'\]"),
        ("0.25", "often", "column 6 holds something else than numbers"),
        ("cc,2.0", "cc", "line 3: found 7 columns, expected 8"),
        (OPEN_BANDIT[OPEN_BANDIT.index("\n") :], "\n", "holds no rounds"),
        ("0.25", "0.0", "pscore: found 0.0"),
    ],
)
def test_broken_open_bandit_files_are_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        read_open_bandit(bandit_files(tmp_path, OPEN_BANDIT.replace(old, new)))


def test_open_bandit_needs_both_files(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"found \[\], expected item_context.csv"):
        read_open_bandit(tmp_path)


@pytest.mark.skipif(not (DATA / "open-bandit").is_dir(), reason="needs the Open Bandit sample")
def test_the_uniform_log_of_open_bandit_is_uniform() -> None:
    found = read_open_bandit(DATA / "open-bandit" / "random" / "men").feedback
    assert (len(found), found.n_actions, int(found.rewards.sum())) == (10_000, 34, 46)
    np.testing.assert_allclose(found.propensities, 1 / 34)
    assert found.positions.max() == 2


@pytest.mark.skipif(not (DATA / "mq2008").is_dir(), reason="needs MQ2008")
def test_mq2008_has_as_many_rows_and_queries_as_published() -> None:
    found = read_letor(*(DATA / "mq2008" / f"S{i}.txt" for i in range(1, 5)))
    assert found.judged.features.shape == (12_337, 46)
    assert found.judged.queries == 628
    assert all(found.documents)
