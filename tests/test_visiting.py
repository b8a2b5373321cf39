"""Listeners who visit a server."""

from __future__ import annotations

from datetime import UTC, datetime

from demo.catalogue import catalogue
from demo.visiting import ROUNDS, SYSTEMS, visit
from engine import EngineConfig, SearchEngine
from tests.conftest import WordHashes


def test_a_visit_is_told_from_beginning_to_end() -> None:
    config = EngineConfig(budget=30.0, ranker_window=0)
    learnt: list[int] = []
    documents = list(catalogue())[:300]
    with SearchEngine.build(documents, config=config, encoder=WordHashes()) as engine:
        told = list(visit(engine, 24, lambda: learnt.append(engine.log.last()[0]), seed=3))
        rows = engine.log.searches(0, 100)
    assert learnt == [12, 24]
    assert [one.done for one in told if one.stage == "searching"] == list(range(1, 25))
    last = told[-1]
    assert len(last.rounds) == ROUNDS
    assert [one.until for one in last.rounds] == learnt
    for one in last.rounds:
        assert set(one.success) == set(one.regret) == set(SYSTEMS)
        assert one.regret["ltrr"] == 0.0
    assert len(rows) == 24
    assert all(row.time <= datetime.now(UTC).timestamp() for row in rows)
