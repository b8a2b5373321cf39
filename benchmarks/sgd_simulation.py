"""Dialogues simulated from a few samples of the Schema-Guided Dialogue set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from conversation.base import Dialogue
from conversation.dialogue_training import Lesson
from conversation.domain import Domain
from conversation.sgd import SgdDialogue
from conversation.simulator import Habits, Simulator
from retrievers.base import Document


def catalogue(parts: Iterable[SgdDialogue], service: str) -> tuple[Document, ...]:
    """What the service has: every distinct result of its calls, in order of appearance."""
    rows: dict[tuple[tuple[str, str], ...], int] = {}
    for part in parts:
        if part.service == service:
            for result in part.results:
                rows.setdefault(tuple(sorted(result.items())), len(rows))
    return tuple(
        Document(f"{service}:{at}", "", "", service, dict(facts)) for facts, at in rows.items()
    )


def simulated(
    samples: Sequence[SgdDialogue],
    every: Sequence[SgdDialogue],
    domains: Mapping[str, Domain],
    number: int,
    seed: int,
    habits: Habits,
) -> Iterator[Lesson]:
    """That many dialogues, shared among the samples' services in proportion to their samples;
    `every` are the dialogues whose calls show what the services have."""
    services = sorted({part.service for part in samples})
    for service in services:
        own = [_whole(part.dialogue) for part in samples if part.service == service]
        simulator = Simulator(
            catalogue(every, service), domains[service].actions, own, habits=habits
        )
        for dialogue in simulator.dialogues(round(number * len(own) / len(samples)), seed):
            if dialogue.turns:
                yield Lesson(domains[service], dialogue)


def _whole(dialogue: Dialogue) -> Dialogue:
    """The dialogue up to where it goes on with another service, which answers then."""
    for at, turn in enumerate(dialogue.turns):
        if turn.speaker == "user" and not turn.actions:
            return Dialogue(dialogue.id, dialogue.turns[:at])
    return dialogue
