"""The ranker in use and its twin behind the gate; no ranker at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engine import BadInput, EngineConfig, Event, LoggedSearch, SearchEngine, parts, training
from engine.ranking_features import column_names
from rankers.base import Judged, Ranker
from rankers.gate import Verdict, scored
from rankers.lambdamart import LambdaMART
from rankers.propensity import Examination
from tests.conftest import Clock, WordHashes, songs

MAY = datetime(2024, 5, 1, tzinfo=UTC)
IMPORTED = 120


def import_history(engine: SearchEngine, first: int = 0) -> None:
    """Searches after which two rare items are clicked, so surely that a first ranker is let in."""
    searches, events = [], []
    for i in range(first, first + IMPORTED):
        time = MAY + timedelta(days=i)
        searches.append(LoggedSearch(f"s{i}", ("love", "train")[i % 2], time))
        events.append(Event("click", f"t{i % 2}-3", time, search=f"s{i}"))
    engine.record(searches, events)


@pytest.fixture
def index(
    config: EngineConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SearchEngine]:
    # Fusion that believes clicks is right in every search of this history, and no ranker is better.
    monkeypatch.setattr(parts, "BELIEVED", 0.0)
    with SearchEngine.build(
        songs(), folder=tmp_path / "index", config=config, encoder=WordHashes()
    ) as engine:
        import_history(engine)
        yield engine


def saved(ranker: LambdaMART | None, folder: Path) -> str:
    assert ranker is not None
    folder.mkdir()
    ranker.save(folder)
    return hashlib.sha256((folder / "model.txt").read_bytes()).hexdigest()


def test_what_serves_has_seen_all_and_its_twin_all_but_the_held_out(
    index: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[int, int] = {}
    fit = LambdaMART.fit

    def watched(self: LambdaMART, judged: Judged) -> None:
        seen[id(self)] = judged.queries
        fit(self, judged)

    monkeypatch.setattr(LambdaMART, "fit", watched)
    report = index.learn()
    state = index.state
    assert report.ranker == "lambdamart", report.verdict
    assert state.ranker is not state.gated
    names = column_names(state.retrievers)
    log = index.log.judged(names, ["click"], index.log.last(), IMPORTED)
    impressions = sum(
        1 for _, rows, events in log if {e.document for e in events} & {*rows.documents}
    )
    assert impressions > 50
    assert seen == {id(state.ranker): impressions, id(state.gated): int(impressions * 0.8)}


def test_a_new_ranker_is_judged_beside_the_twin(
    index: SearchEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.learn()
    before = index.state
    compared: list[Ranker] = []

    def watched(ranker: Ranker, judged: Judged) -> NDArray[np.float32]:
        compared.append(ranker)
        return scored(ranker, judged)

    import_history(index, IMPORTED)
    monkeypatch.setattr(training, "scored", watched)
    report = index.learn()
    # Too few are held out to replace an established one: both stay.
    assert re.match("kept the old ranker: .* held out, 200 needed", report.verdict)
    assert index.state.ranker is before.ranker
    assert index.state.gated is before.gated
    old, new = compared
    assert old is before.gated
    assert new not in (before.gated, before.ranker)


def test_both_are_saved_and_loaded(index: SearchEngine, tmp_path: Path) -> None:
    index.learn()
    digests = [
        saved(ranker, tmp_path / name)
        for name, ranker in (("a", index.state.ranker), ("b", index.state.gated))
        if isinstance(ranker, LambdaMART)
    ]
    assert digests[0] != digests[1]
    index.close()
    with SearchEngine.load(tmp_path / "index", encoder=WordHashes()) as loaded:
        state = loaded.state
        assert isinstance(state.ranker, LambdaMART)
        assert isinstance(state.gated, LambdaMART)
        assert digests == [saved(state.ranker, tmp_path / "c"), saved(state.gated, tmp_path / "d")]


def test_without_a_window_no_ranker_is_trained_and_no_features_computed(
    config: EngineConfig, clock: Clock
) -> None:
    settings = replace(config, ranker_window=0)
    with SearchEngine.build(songs(), config=settings, encoder=WordHashes()) as engine:
        import_history(engine)
        report = engine.learn()
        assert report.verdict == "no ranker trained: EngineConfig.ranker_window is 0"
        assert report.ranker == engine.state.fusion.name
        assert (engine.state.ranker, engine.state.gated) == (None, None)
        assert report.rounds == IMPORTED
        names = column_names(engine.state.retrievers)
        assert list(engine.log.judged(names, ["click"], engine.log.last(), IMPORTED)) == []
        assert engine.search("love").hits


@pytest.mark.parametrize(("window", "expected"), [(40, 40), (20, 20 + 20), (15, 15 + 10), (10, 10)])
def test_new_queries_are_remembered_beyond_the_window(
    engine: SearchEngine, window: int, expected: int
) -> None:
    """Twenty names are searched for, learnt, and searched for again."""
    for _ in range(2):
        for track in [one for one in songs() if one.id.endswith("-2")][:20]:
            response = engine.search(track.title)
            engine.feedback(response.impression_id, clicks=[track.id])
        engine.learn()
    state, config = engine.state, replace(engine.config, ranker_window=window)
    names, until = column_names(state.retrievers), engine.log.last()
    judged = training.clicked_impressions(engine.log, config, names, until, state.surfaces)
    new = judged.features[judged.starts[:-1], names.index("query.clicks_seen")] == 0.0
    assert new.size == expected
    assert not new[-min(window, 20) :].any()
    assert new[: -min(window, 20)].all()


@pytest.mark.parametrize(("name", "number"), [("ranker_window", -1), ("hindsight", 0)])
def test_windows_are_not_negative(name: str, number: int) -> None:
    settings: dict[str, Any] = {name: number}
    with pytest.raises(BadInput, match=rf"EngineConfig\.{name}: found {number}"):
        EngineConfig(**settings)


def test_a_given_curve_must_not_convince_the_gate_alone(
    config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ranker that is better by the given curve and worse by the log's own does not go live."""
    asked: list[Examination] = []
    told = iter((True, False, True, True))

    def verdict(*of: Any) -> Verdict:
        asked.append(of[-1])
        promote = next(told)
        return Verdict(0.1, 0.0, 0.2, 300, promote, f"by curve {len(asked)}")

    monkeypatch.setattr(training, "_verdict", verdict)
    steep = (1.0, 0.01, 0.001)
    settings = replace(config, examination={"": steep})
    with SearchEngine.build(songs(), config=settings, encoder=WordHashes()) as engine:
        import_history(engine)
        verdicts = [(engine.learn().verdict, engine.state.ranker is None) for _ in range(2)]
    assert verdicts == [("by curve 2", True), ("by curve 4", False)]
    assert [one.curve.size for one in asked] == [3, 10, 3, 10]
    assert asked[0].curve.tolist() == list(steep)
