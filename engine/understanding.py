"""What a query means: rewritten from the conversation it stands in, and read as fields of the catalogue.

Failures cost a note: a query that cannot be rewritten is searched as typed, one that cannot be read has
no readings.
"""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from dataclasses import replace

from conversation.tag_features import Past
from engine.config import EngineConfig
from engine.state import State
from retrievers.analysis import words
from retrievers.base import Query, Reading
from retrievers.memory import Memory
from retrievers.query_words import is_filler
from retrievers.structured import Structured

TYPED_DEPTH = 10
"""How deep generators are asked for the typed text beside the rewritten one, at most."""
TYPED = "typed:"
"""What stands before the name of a generator that brought a result for the typed text."""


def rewritten(
    state: State,
    config: EngineConfig,
    query: Query,
    notes: list[str],
    timings: MutableMapping[str, float],
) -> Query:
    """The query as it would stand alone, where the conversation's model is sure enough of it."""
    turns = query.context.turns
    if state.conversation is None or not turns or query.text != query.typed:
        return query
    started = time.perf_counter()
    try:
        made = state.conversation.rewrite(turns, query.text)
        text = " ".join(made.text.split())[: config.max_query_chars]
        if made.confidence < config.rewrite_above or _adds_nothing(state, query.text, text):
            return query
        return replace(query, text=text)
    except Exception as e:
        notes.append(f"rewriting: failed, searched as typed ({type(e).__name__}: {e})")
        return query
    finally:
        timings["rewriting"] = (time.perf_counter() - started) * 1000.0


def _adds_nothing(state: State, typed: str, text: str) -> bool:
    """Whether a rewrite says nothing that was not typed, but words for kinds and fillers: what was typed
    stands alone, and the rewrite has at best lost some of it."""
    structured = _structured(state)
    kinds = () if structured is None else structured.kinds
    said, written = set(words(typed)), words(text)
    return all(
        word in said or word in kinds or is_filler(written, place)
        for place, word in enumerate(written)
    )


def _structured(state: State) -> Structured | None:
    return next((r for r in state.retrievers.values() if isinstance(r, Structured)), None)


def read(
    state: State, query: Query, notes: list[str], timings: MutableMapping[str, float]
) -> Query:
    """The query with its readings."""
    if query.readings or not query.text:
        return query
    started = time.perf_counter()
    try:
        return replace(query, readings=readings_of(state, query))
    except Exception as e:
        notes.append(f"readings: failed ({type(e).__name__}: {e})")
        return query
    finally:
        timings["readings"] = (time.perf_counter() - started) * 1000.0


def readings_of(state: State, query: Query) -> tuple[Reading, ...]:
    """What the words of a query may be, best first; nothing without the generator structured, whose
    gazetteer knows what the catalogue calls things."""
    structured = _structured(state)
    if structured is None:
        return ()
    tagger = None if state.conversation is None else state.conversation.tagger
    if tagger is None or not tagger.suits(structured.types):
        return structured.by_rules(query.text)
    heard = structured.hear(query.text)
    return structured.readings(heard, tagger.label(heard, _past(structured, query)))


def _past(structured: Structured, query: Query) -> Past:
    """What was said before; nothing where the query was rewritten to stand alone."""
    turns = query.context.turns if query.text == query.typed else ()
    last = {turn.speaker: place for place, turn in enumerate(turns)}
    fields: list[tuple[str, ...]] = [() for _ in turns]
    for place in last.values():
        turn = turns[place]
        texts = turn.entities or (turn.text,)
        named = (structured.gazetteer.fields_named(text) for text in texts)
        fields[place] = tuple(sorted(set().union(*named)))
    return Past.of(turns, fields)


def typed_alone(query: Query) -> Query | None:
    """What is searched beside a rewritten query; None where it was not rewritten."""
    if query.text == query.typed:
        return None
    return Query(query.typed, replace(query.context, turns=()))


def heeds_words(retriever: object) -> bool:
    """Whether a generator's answer is mostly a matter of the words."""
    return getattr(retriever, "by_text", False) or isinstance(retriever, Memory | Structured)
