"""A query in a conversation: rewritten where the model is sure, read, searched as both texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from conversation.base import Rewrite
from conversation.tag_features import BUCKETS
from conversation.tagger import Tagger
from engine import BadInput, Context, EngineConfig, Response, SearchEngine, Turn
from engine.conversing import Conversation
from tests.conftest import Clock, WordHashes, songs

SAID = (Turn("user", "play silver river"), Turn("system", "Playing Silver River by ArtistA0."))
MEANT = "Song of ArtistC2"


@dataclass
class Written:
    """Rewrites everything to one text."""

    text: str = MEANT
    confidence: float = 0.9
    asked: int = 0

    def rewrite(self, turns: Sequence[Turn], text: str) -> Rewrite:
        self.asked += 1
        if not self.text:
            raise RuntimeError("out of words")
        return Rewrite(self.text, self.confidence)

    def save(self, folder: Path) -> None:
        raise AssertionError("not asked for")


@pytest.fixture(scope="module")
def built() -> Iterator[SearchEngine]:
    settings = EngineConfig(
        budget=30.0, clock=Clock(), ranker_options={"n_estimators": 30}, rewrite_above=0.5
    )
    with SearchEngine.build(songs(), config=settings, encoder=WordHashes()) as engine:
        yield engine


def asked(
    engine: SearchEngine,
    rewriter: Written,
    text: str = "and the other one",
    turns: tuple[Turn, ...] = SAID,
) -> Response:
    state = replace(engine.state, conversation=Conversation(rewriter))
    engine._in_force.serving = replace(engine._in_force.serving, state=state)
    return engine.search(text, Context(turns=turns), k=20)


def test_a_confident_rewrite_is_searched_beside_the_typed_text(built: SearchEngine) -> None:
    response = asked(built, Written(), "silver river")
    assert (response.query.text, response.query.typed) == (MEANT, "silver river")
    assert response.hits[0].id == "t2-3"
    assert not any(name.startswith("typed:") for name in response.hits[0].sources)
    typed = [hit for hit in response.hits if any(n.startswith("typed:") for n in hit.sources)]
    assert any(hit.document.title == "Silver River" for hit in typed)
    assert response.candidates >= len(response.hits)
    assert {"rewriting", "readings", "plan"} <= response.timings.keys()
    row = built.log.search(response.impression_id)
    assert row is not None
    assert (row.text, row.typed) == (MEANT, "silver river")


def test_a_rewrite_that_names_nothing_more_is_left(built: SearchEngine) -> None:
    response = asked(built, Written("please play Song of ArtistC2"), "song of artistc2")
    assert response.query.text == response.query.typed == "song of artistc2"
    other = asked(built, Written("Song of ArtistB1"), "song of artistc2")
    assert other.query.text == "Song of ArtistB1"


def test_readings_are_told(built: SearchEngine) -> None:
    response = asked(built, Written())
    spans = response.query.readings[0].spans
    assert {span.value for span in spans} == {MEANT}
    assert [response.query.text[span.start : span.end] for span in spans] == [MEANT]


@pytest.mark.parametrize("rewriter", [Written(confidence=0.3), Written(text="")])
def test_without_confidence_or_with_a_failure_it_is_searched_as_typed(
    built: SearchEngine, rewriter: Written
) -> None:
    response = asked(built, rewriter)
    assert response.query.text == response.query.typed == "and the other one"
    assert all(not n.startswith("typed:") for hit in response.hits for n in hit.sources)
    failed = [note for note in response.notes if "rewriting: failed" in note]
    assert len(failed) == (not rewriter.text)


def test_without_turns_nothing_is_rewritten(built: SearchEngine) -> None:
    rewriter = Written()
    assert asked(built, rewriter, turns=()).query.text == "and the other one"
    assert rewriter.asked == 0


def test_memory_learns_under_the_rewritten_text(built: SearchEngine) -> None:
    response = asked(built, Written(), "the other")
    wanted = response.hits[3].id
    for _ in range(3):
        built.feedback(asked(built, Written(), "the other").impression_id, clicks=[wanted])
    built.learn()
    found = {
        text: [hit.id for hit in built.search(text, k=50).hits if "memory" in hit.sources]
        for text in (MEANT, "the other")
    }
    assert wanted in found[MEANT]
    assert found["the other"] == []


def test_a_snapshot_keeps_the_conversation(tmp_path: Path) -> None:
    tagger = Tagger(("artist", "track"), random_weights())
    settings = EngineConfig(generators=("bm25", "structured"), clock=Clock())
    conversation = Conversation(tagger=tagger)
    folder = tmp_path / "index"
    with SearchEngine.build(
        songs(), folder=folder, config=settings, conversation=conversation
    ) as engine:
        before = engine.search("silver river by artista0")
        engine.learn()
    with SearchEngine.load(folder, clock=Clock()) as engine:
        again = engine.search("silver river by artista0")
        assert engine.state.conversation is not None
        assert engine.state.conversation.tagger is not None
        assert [hit.id for hit in again.hits] == [hit.id for hit in before.hits]
    with SearchEngine.build(
        songs(), config=settings, conversation=folder / "snapshots" / "1" / "conversation"
    ) as engine:
        assert engine.state.conversation is not None
    with pytest.raises(BadInput, match="found no model of conversations"):
        SearchEngine.build(songs(), config=settings, conversation=tmp_path)


def random_weights() -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    shapes = {"words": (BUCKETS, 2), "pieces": (BUCKETS, 2), "out": (6, 5), "out_bias": (5,)}
    for way in ("forward", "backward"):
        shapes |= {f"{way}_in": (22, 12), f"{way}_on": (3, 12), f"{way}_bias": (12,)}
    return {
        name: rng.normal(size=shape).astype(np.float16).astype(np.float32)
        for name, shape in shapes.items()
    }
