"""Exploration in `search`: off by default, bounded, logged, the same for every k."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.engine_log import EngineLog
from engine import BadInput, Context, EngineConfig, SearchEngine
from tests.conftest import WordHashes, songs


def pages(engine: SearchEngine, users: int, k: int = 10) -> list[list[str]]:
    return [
        [hit.id for hit in engine.search("love", Context(user=f"u{i}"), k=k).hits]
        for i in range(users)
    ]


def test_it_is_off_by_default(engine: SearchEngine) -> None:
    shown = pages(engine, 20)
    logged = engine.log.searches(0, engine.log.last()[0])
    assert all(row.exploration is None for row in logged)
    assert [list(row.shown) for row in logged] == shown


def test_pages_are_explored_as_often_as_logged_and_repeat(config: EngineConfig) -> None:
    settings = replace(config, exploration=0.02, policy="fixed", policy_options={})
    with SearchEngine.build(songs(), config=settings, encoder=WordHashes()) as engine:
        shown = pages(engine, 150)
        logged = engine.log.searches(0, engine.log.last()[0])
        plain = Counter(tuple(page) for page in shown).most_common(1)[0][0]
        swaps = 0
        for page, row in zip(shown, logged, strict=True):
            assert row.exploration is not None
            assert row.exploration["loss"] == 0.02
            swap = row.exploration["swap"]
            if swap is None:
                assert tuple(page) == plain
            else:
                swaps += 1
                assert swap[1] == swap[0] + 1 if swap[0] < 6 else swap[0] < swap[1] <= 20
                assert page[: swap[0] - 1] == list(plain[: swap[0] - 1])
                assert page != list(plain)
        often = 1.0 - next(
            row.exploration["propensity"]
            for row in logged
            if row.exploration and row.exploration["swap"] is None
        )
        assert abs(swaps / 150 - often) < 4 * (often * (1 - often) / 150) ** 0.5
        assert pages(engine, 20) == shown[:20]
        longer = pages(engine, 20, k=40)
        assert [page[:10] for page in longer] == shown[:20]


def test_the_export_tells_of_it(
    config: EngineConfig, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("explored") / "index"
    settings = replace(config, exploration=0.05)
    with SearchEngine.build(
        songs(), folder=folder, config=settings, encoder=WordHashes()
    ) as engine:
        pages(engine, 3)
    with EngineLog(folder) as log:
        for search in log.searches():
            told = search.attributes["exploration"]
            assert isinstance(told, dict)
            assert 0 < told["propensity"] <= 1


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_is_expected(share: float) -> None:
    with pytest.raises(BadInput, match=r"EngineConfig\.exploration: found"):
        EngineConfig(exploration=share)
