"""Pages that two states share: what is shown, what is logged and learnt, and who wins."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.export import export_ubi
from benchmarks.policy_log import WITHOUT_PROPENSITY, read_index, read_ubi
from benchmarks.validation import validate
from engine import Context, Document, Event, Response, SearchEngine, SnapshotError
from engine.counterfactual import read_served
from engine.ranking_features import column_names
from tests.cli.lines import ltrr
from tests.conftest import Clock
from tests.plan_world import SERVED, WANTED, index, serve

SOMEBODY = Context(user="somebody")


@pytest.fixture
def engine(folder: Path) -> Iterator[SearchEngine]:
    with SearchEngine.load(folder, clock=Clock(1_800_000_000.0)) as engine:
        yield engine


def page(shown: Response) -> list[object]:
    return [(h.id, h.rank, h.score, h.team, h.sources) for h in shown.hits]


def ids(shown: Response) -> list[str]:
    return [hit.id for hit in shown.hits]


def test_both_draft_the_page_and_it_is_the_beginning_of_a_longer_one(engine: SearchEngine) -> None:
    alone = {typed: engine.search(typed, SOMEBODY) for typed, _ in WANTED}
    assert all(one.challenger is None for one in alone.values())
    assert engine.interleave() == 2
    teams = set()
    for typed, _ in WANTED:
        short, long = (engine.search(typed, SOMEBODY, k) for k in (10, 50))
        assert page(short) == page(long)[:10]
        assert page(short) == page(engine.search(typed, SOMEBODY))
        assert short.challenger == 2
        assert math.isnan(short.propensity)
        assert short.plan == alone[typed].plan
        assert short.candidates == alone[typed].candidates
        assert short.timings["challenger"] > 0.0
        own = [h.id for h in short.hits if h.team == "incumbent"]
        assert own == [id for id in ids(engine_alone(engine, typed)) if id in own]
        teams |= {hit.team for hit in short.hits}
    assert teams >= {"incumbent", "challenger"}
    engine.stop_interleaving()
    for typed, _ in WANTED:
        assert page(engine.search(typed, SOMEBODY)) == page(alone[typed])


def engine_alone(engine: SearchEngine, typed: str) -> Response:
    engine.stop_interleaving()
    shown = engine.search(typed, SOMEBODY, 50)
    engine.interleave()
    return shown


def test_a_restart_draws_the_same_and_another_user_another(
    engine: SearchEngine, folder: Path
) -> None:
    engine.interleave(2)
    before = [page(engine.search(typed, SOMEBODY)) for typed, _ in WANTED]
    drawn = {
        tuple(h.team for h in engine.search("love", Context(user=f"u{n}")).hits) for n in range(8)
    }
    assert len(drawn) > 1
    engine.close()
    with SearchEngine.load(folder, clock=Clock(1_800_000_000.0)) as again:
        again.interleave()
        assert [page(again.search(typed, SOMEBODY)) for typed, _ in WANTED] == before


def test_the_log_tells_who_drafted_what_and_claims_no_propensity(engine: SearchEngine) -> None:
    plain = engine.search("silver river", SOMEBODY)
    engine.interleave()
    shown = engine.search("silver river", SOMEBODY)
    clicked = shown.hits[1].id
    engine.feedback(shown.impression_id, clicks=[clicked])
    row = engine.log.search(shown.impression_id)
    before = engine.log.search(plain.impression_id)
    assert row is not None
    assert before is not None
    assert before.interleaving is None
    assert before.propensity is not None
    assert (row.plan, row.version, row.candidates) == (before.plan, 0, before.candidates)
    assert row.propensity is None
    assert row.shown == tuple(ids(shown))
    assert row.interleaving is not None
    sides = [row.interleaving[team] for team in ("incumbent", "challenger")]
    assert [(one["snapshot"], one["version"]) for one in sides] == [(1, 0), (2, 1)]
    assert sides[0]["depths"] == shown.plan
    assert set(sides[1]["depths"]) == {"bm25", "popular"}
    assert row.interleaving["teams"] == [hit.team for hit in shown.hits]
    names = column_names(engine.state.retrievers)
    judged = list(engine.log.judged(names, ["click"], engine.log.last(), 1))
    found, rows, (event,) = judged[-1]
    assert found.impression == shown.impression_id
    assert (event.document, event.position) == (clicked, 2)
    # What was shown of the incumbent's own candidates comes first, as shown, and stands for itself.
    own = set(ids(engine_alone(engine, "silver river")))
    known = [id for id in ids(shown) if id in own]
    assert list(rows.documents[: len(known)]) == known
    assert set(rows.weights[: len(known)].tolist()) == {1.0}
    assert not set(rows.documents[len(known) :]) & set(ids(shown))


def test_estimates_leave_them_out_and_learn_takes_them_in(
    engine: SearchEngine, folder: Path
) -> None:
    engine.interleave()
    serve(engine, 40, seed=3)
    assert len(engine.interleaved()) == 1
    served = read_served(engine.state, engine.log, engine.config, (0, 0), engine.log.last())
    assert len(served) == SERVED
    plans = read_index(folder)
    assert len(plans.served) == SERVED
    assert plans.left_out == {WITHOUT_PROPENSITY: 40}
    report = engine.learn()
    assert (report.searches, report.rounds) == (SERVED + 40, SERVED + 40)


def test_the_better_state_wins(engine: SearchEngine) -> None:
    assert engine.interleaved() == ()
    engine.interleave()
    serve(engine, 250, seed=5)
    (found,) = engine.interleaved()
    assert (found.incumbent, found.challenger) == (1, 2)
    credit = found.credit
    assert credit.impressions == 250
    assert credit.votes == credit.clicked == credit.wins + credit.losses + credit.ties
    assert found.winner == "challenger", credit
    assert credit.low is not None
    assert credit.low > 0.0
    assert credit.needed == 0


def test_a_state_that_has_learnt_nothing_new_does_not_win(tmp_path: Path) -> None:
    with index(tmp_path / "index", "uniform", {}, Clock()) as engine:
        engine.learn(stage=True)
        engine.interleave()
        serve(engine, 300, seed=6)
        (found,) = engine.interleaved()
        assert found.credit.wins + found.credit.losses > 10  # plans are drawn, and differ
        assert found.winner is None, found.credit


def drafting(engine: SearchEngine) -> Iterator[tuple[str, list[str]]]:
    """Users on whose page the challenger has something, and what."""
    for n in range(100):
        hits = engine.search("love", Context(user=f"u{n}")).hits
        theirs = [hit.id for hit in hits if hit.team == "challenger"]
        if theirs:
            yield f"u{n}", theirs


def test_equal_searches_have_one_vote_and_skips_count_against(engine: SearchEngine) -> None:
    engine.interleave()
    people = drafting(engine)
    (ann, liked), (bob, also), (cem, skipped) = (next(people) for _ in range(3))
    for user, clicked in ((ann, liked), (ann, liked), (ann, liked), (bob, also)):
        shown = engine.search("love", Context(user=user))
        engine.feedback(shown.impression_id, clicks=clicked[:1])
    (found,) = engine.interleaved()
    assert (found.credit.clicked, found.credit.votes, found.credit.wins) == (4, 2, 2)
    engine.interleave(2)  # begun again: the same two states
    shown = engine.search("love", Context(user=cem))
    engine.feedback(shown.impression_id, events=[Event("skip", skipped[0])])
    (found,) = engine.interleaved()
    assert (found.credit.votes, found.credit.wins, found.credit.losses) == (3, 2, 1)
    assert found.winner is None
    assert (found.credit.needed or 0) > 0


def test_where_the_challenger_fails_the_other_answers(
    engine: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = engine.search("love", SOMEBODY)
    engine.interleave()
    challenger = engine._in_force.serving.challenger
    assert challenger is not None

    def broken(*_: object) -> None:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(challenger.state.statistics, "overlap", broken)
    shown = engine.search("love", SOMEBODY)
    assert page(shown) == page(alone)
    assert shown.notes == ("challenger: failed, not interleaved (RuntimeError: out of luck)",)
    assert shown.challenger is None
    assert shown.propensity == alone.propensity
    row = engine.log.search(shown.impression_id)
    assert row is not None
    assert row.interleaving is None
    assert row.propensity == alone.propensity


def test_it_ends_when_another_state_takes_over(engine: SearchEngine) -> None:
    engine.interleave()
    assert engine.search("love").challenger == 2
    engine.add([Document("extra", "Love Extra")])
    assert engine.search("love").challenger is None
    with pytest.raises(SnapshotError, match="outdated"):
        engine.interleave()
    engine.learn(stage=True)
    number = engine.interleave()
    assert engine.search("love").challenger == number
    assert not engine.promote(number).promoted
    assert engine.search("love").challenger == number
    engine.learn()
    assert engine.search("love").challenger is None
    with pytest.raises(SnapshotError, match="outdated"):
        engine.interleave(number)


def test_an_export_names_the_teams(engine: SearchEngine, folder: Path, tmp_path: Path) -> None:
    engine.interleave()
    shown = engine.search("love", SOMEBODY)
    engine.feedback(shown.impression_id, clicks=ids(shown)[:1])
    export_ubi(folder, tmp_path / "ubi")
    (path,) = (tmp_path / "ubi").glob("ubi_queries*")
    with gzip.open(path, "rt") as lines:
        last = json.loads(list(lines)[-1])
    assert last["query_attributes"]["interleaving"]["teams"] == [h.team for h in shown.hits]
    assert last["query_attributes"]["interleaving"]["incumbent"]["depths"] == shown.plan
    assert "policy" not in last["query_attributes"]
    assert last["query_response_hit_ids"] == ids(shown)
    assert validate(tmp_path / "ubi").ok
    assert read_ubi(tmp_path / "ubi").left_out == {WITHOUT_PROPENSITY: 1}


def test_the_command_line(folder: Path) -> None:
    assert "No interleaved search yet." in ltrr("interleaving", folder).out
    said = ltrr("search", folder, "silver river", "--interleave").out
    assert "interleaved with snapshot 2" in said
    assert "challenger" in said
    said = " ".join(ltrr("interleaving", folder).out.split())
    assert "Snapshot 2 against 1, which was in force" in said
    assert "open: nothing was clicked yet" in said
    shown = ltrr("search", folder, "love", "--interleave", "--json").json
    assert shown["challenger"] == 2
    assert shown["propensity"] is None
    theirs = next(hit["id"] for hit in shown["hits"] if hit["team"] == "challenger")
    ltrr("feedback", folder, shown["impression_id"], "--click", theirs)
    (found,) = ltrr("interleaving", folder, "--json").json
    assert (found["challenger"], found["winner"]) == (2, None)
    assert (found["credit"]["votes"], found["credit"]["wins"]) == (1, 1)
    said = " ".join(ltrr("interleaving", folder).out.split())
    assert "1 vote: 1 for 2, 0 for 1, 0 ties" in said
    assert "open: snapshot 2 is ahead, but that may be chance (p = 1)" in said
    assert ltrr("learn", folder).code == 0
    ltrr("search", folder, "love", "--interleave").refused("snapshot 2 is outdated", "--stage")


def test_the_winner_in_words(engine: SearchEngine, folder: Path) -> None:
    engine.interleave()
    serve(engine, 250, seed=5)
    engine.close()
    said = " ".join(ltrr("interleaving", folder).out.split())
    assert "who wins snapshot 2: its items are liked better than those of 1" in said
    assert f"ltrr promote {folder}" in said
