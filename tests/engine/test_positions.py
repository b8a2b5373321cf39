"""Position bias from the engine's own log: who is compared with whom, and what is given or learnt."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from engine import BadInput, Context, EngineConfig, SearchEngine
from engine.positions import given_curves, learnt_surfaces, surface_of
from engine.ranking_features import column_names
from rankers.surfaces import Surfaces
from tests.conftest import WordHashes, songs


def visit(engine: SearchEngine, searches: int, seed: int, steep: float = 1.0) -> None:
    """People who look at position p with probability p ** -`steep` and want half of what they see;
    on a phone seldom below the third."""
    rng = np.random.default_rng(seed)
    for i in range(searches):
        device = ("phone", "desk")[i % 2]
        time = datetime(2024, 1, 1 + i % 28, i % 24, tzinfo=UTC)
        context = Context(user=f"u{i}", time=time, attributes={"device": device})
        made = engine.search(("love", "river", "night train")[i % 3], context)
        place = np.arange(1, len(made.hits) + 1)
        looks = place**-steep * np.where((device == "desk") | (place <= 3), 1.0, 0.3)
        clicked = rng.random(place.size) < 0.5 * looks
        clicks = [hit.id for hit, click in zip(made.hits, clicked.tolist(), strict=True) if click]
        engine.feedback(made.impression_id, clicks=clicks)


def test_the_surface_is_named_by_the_context() -> None:
    config = EngineConfig()
    assert surface_of({}, config) == ""
    assert surface_of({"device": "phone", "mood": "calm"}, config) == "phone"
    assert surface_of({"device": "phone", "surface": "list"}, config) == "list/phone"
    assert surface_of({"page": 2.0}, EngineConfig(surface=("page",))) == "2.0"


def test_a_known_curve_is_used_from_the_start_and_kept(config: EngineConfig) -> None:
    steep = (1.0, 0.3, 0.1)
    settings = replace(config, examination={"phone": steep})
    with SearchEngine.build(songs(), config=settings, encoder=WordHashes()) as engine:
        first = engine.state.surfaces
        assert first.of("phone").source == "given"
        assert first.of("phone").examination.curve.tolist() == list(steep)
        assert first.of("desk").source == "assumed"
        visit(engine, 140, seed=0)
        engine.learn()
        after = engine.state.surfaces
        assert after.of("phone").source == "given"
        assert after.of("phone").examination.curve.tolist() == list(steep)
        assert after.of("").source != "assumed"
    assert given_curves(EngineConfig.from_json(settings.to_json())).keys() == {"phone"}


def test_swaps_tell_the_curve_by_surface(
    config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rankers.surfaces.IMPRESSIONS", 250)
    monkeypatch.setattr(sys.modules["rankers.position_bias"], "SURE", 10.0)
    with SearchEngine.build(
        songs(), config=replace(config, exploration=0.3, policy="fixed"), encoder=WordHashes()
    ) as engine:
        visit(engine, 600, seed=1)
        names = column_names(engine.state.retrievers)
        found = learnt_surfaces(
            engine.log, engine.config, names, engine.log.last(), Surfaces.assumed()
        )
        assert list(found.biases) == ["", "desk", "phone"]
        for name in ("", "desk", "phone"):
            assert found.of(name).source == "randomised"
        assert found.of("desk").impressions == 300
        desk, phone = (found.of(name).examination.curve for name in ("desk", "phone"))
        assert phone[3:].mean() < 0.6 * desk[3:].mean()


def test_few_pages_change_nothing(config: EngineConfig) -> None:
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as engine:
        visit(engine, 20, seed=2)
        before = engine.state.surfaces
        names = column_names(engine.state.retrievers)
        assert learnt_surfaces(engine.log, config, names, engine.log.last(), before) is before


def test_what_is_learnt_is_saved(stored: SearchEngine) -> None:
    visit(stored, 140, seed=3)
    stored.learn()
    known = stored.state.surfaces
    folder = stored.log.path.parent
    stored.close()
    with SearchEngine.load(folder, encoder=WordHashes()) as again:
        found = again.state.surfaces
        assert list(found.biases) == list(known.biases)
        one, other = found.of(""), known.of("")
        assert (one.source, one.impressions) == (other.source, other.impressions)
        np.testing.assert_array_equal(one.examination.curve, other.examination.curve)


@pytest.mark.parametrize("curve", [(), (0.5, 0.2), (1.0, 0.0), (1.0, float("nan"))])
def test_a_curve_starts_with_one(curve: tuple[float, ...]) -> None:
    with pytest.raises(BadInput, match=r"EngineConfig\.examination\['tv'\]: found"):
        EngineConfig(examination={"tv": curve})
