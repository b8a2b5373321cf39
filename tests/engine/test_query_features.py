"""What a query is taken to be before any generator is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import EngineConfig, Query, SearchEngine
from engine.query_features import X_NAMES, QueryFacts
from engine.understanding import read
from tests.conftest import Clock, WordHashes, songs


@pytest.fixture(scope="module")
def engine() -> Iterator[SearchEngine]:
    config = EngineConfig(clock=Clock())
    with SearchEngine.build(songs(), config=config, encoder=WordHashes()) as built:
        yield built


def facts(engine: SearchEngine, text: str) -> QueryFacts:
    return engine.state.facts(read(engine.state, Query(text), [], {}))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("silver river", "name:track"),
        ("artista0", "name:artist"),
        ("folk", "value"),
        ("folkk", "value"),
        ("jazz 1980s", "value"),
        ("silver rivr", "text"),
        ("something else", "text"),
        ("", "empty"),
    ],
)
def test_a_query_is_of_the_kind_of_what_it_names(
    engine: SearchEngine, text: str, kind: str
) -> None:
    entity = facts(engine, text).kind.split("/")[0].split("~")[0]
    assert entity == kind


def test_it_is_told_how_probably_a_text_is_a_name_or_values(engine: SearchEngine) -> None:
    def told(text: str) -> tuple[float, float]:
        x = facts(engine, text).x
        names, values = (float(x[X_NAMES.index(name)]) for name in ("read_names", "read_values"))
        return names, values

    names, values = told("folkk")
    assert values > 0.5 > names
    names, values = told("silver rivr")
    assert names > 0.5 > values
    assert told("xyzzy") == (0.0, 0.0)
