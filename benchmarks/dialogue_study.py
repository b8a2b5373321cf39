"""What training on a whole set, and simulation from a few samples, are worth to a dialogue manager."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.dialogue_measures import Followed, followed
from benchmarks.sgd_simulation import simulated
from conversation.dialogue import DialogueManager
from conversation.dialogue_training import (
    DialogueTraining,
    Lesson,
    Progress,
    fit,
    lessons_examples,
)
from conversation.domain import Domain
from conversation.sgd import SgdDialogue
from conversation.simulator import Habits
from conversation.words import Vectors, Words
from retrievers.static_encoder import StaticEncoder

OURS = ("Music", "Media")
SAMPLED = Habits(turns=(4, 12), new_topic=0.0, early_end=1.0, correction=1.0, general=0.5)
"""Dialogues with a service end when it is thanked, and a new search keeps what was said before."""


@dataclass(frozen=True, slots=True)
class Report:
    """Counts by service, and which services training had seen."""

    by_service: dict[str, Followed]
    seen: frozenset[str]
    dialogues: int
    turns: int


def ours(part: SgdDialogue) -> bool:
    """Whether the part is about music or media; the other services only help to train."""
    return part.service.startswith(OURS)


def fold(part: SgdDialogue) -> int:
    """0 to 4, the same for all parts of a dialogue."""
    return zlib.crc32(part.dialogue.id.split("/")[0].encode()) % 5


def study_whole(
    parts: Sequence[SgdDialogue],
    domains: dict[str, Domain],
    training: DialogueTraining,
    vectors: Vectors | None,
    dimensions: int,
    progress: Progress | None = None,
) -> Report:
    """Trained on all of `train`, all services; followed on the music and media of `dev`."""
    lessons = [
        Lesson(domains[part.service], part.dialogue, part.states)
        for part in parts
        if part.split == "train"
    ]
    test = [part for part in parts if part.split == "dev" and ours(part)]
    words = Words(vectors, dimensions)
    manager, turns = _trained(lessons, words, domains, training, dimensions, progress)
    seen = frozenset(lesson.domain.name for lesson in lessons)
    return Report(followed(test, manager), seen, len(lessons), turns)


def study_samples(
    parts: Sequence[SgdDialogue],
    domains: dict[str, Domain],
    training: DialogueTraining,
    samples: int,
    number: int,
    test: Sequence[SgdDialogue],
    vectors: Vectors | None,
    dimensions: int,
    progress: Progress | None = None,
) -> tuple[Report, Report]:
    """Trained on some sample dialogues of `train` alone, and on these and `number` simulated from
    them, with as many steps; followed on `test`. Samples are drawn from the three last of five
    folds."""
    from_these = [p for p in parts if p.split == "train" and ours(p) and fold(p) >= 2]
    ids = sorted({part.dialogue.id.split("/")[0] for part in from_these})
    rng = np.random.default_rng(training.seed)
    drawn = {ids[int(i)] for i in rng.permutation(len(ids))[:samples]}
    few = [part for part in from_these if part.dialogue.id.split("/")[0] in drawn]
    alone = [Lesson(domains[part.service], part.dialogue, part.states) for part in few]
    known = [part for part in parts if part.split == "train"]
    more = [*simulated(few, known, domains, number, training.seed, SAMPLED)]
    share = max(1, len(more) // (4 * len(alone)))
    seen = frozenset(part.service for part in few)
    reports = []
    for lessons in (alone, [*alone * share, *more]):
        words = Words(vectors, dimensions)
        manager, turns = _trained(lessons, words, domains, training, dimensions, progress)
        reports.append(Report(followed(test, manager), seen, len(lessons), turns))
    return reports[0], reports[1]


def developing(parts: Sequence[SgdDialogue]) -> list[SgdDialogue]:
    """The part `train` alone, of which a fifth stands in for `dev`, with `Media_1` never seen."""
    train = [part for part in parts if part.split == "train"]
    return [
        replace(part, split="dev" if fold(part) == 1 else "train")
        for part in train
        if part.service != "Media_1" or fold(part) == 1
    ]


def minilm_vectors(dimensions: int = 128) -> tuple[Vectors, int]:
    """Frozen vectors of words: those of a static encoder distilled from MiniLM."""
    encoder = StaticEncoder.distil(dimensions=dimensions)
    return encoder.encode, dimensions


def held_out(parts: Sequence[SgdDialogue], which: int) -> list[SgdDialogue]:
    """Real dialogues that no sample is drawn from: the part of `train` in a fold of 0 or 1, and with
    0, which is for reporting, the services of `dev` that `train` has too."""
    services = {part.service for part in parts if part.split == "train" and ours(part)}
    return [
        part
        for part in parts
        if part.service in services
        and ((part.split == "train" and fold(part) == which) or (part.split == "dev" and not which))
    ]


def _trained(
    lessons: Sequence[Lesson],
    words: Words,
    domains: dict[str, Domain],
    training: DialogueTraining,
    dimensions: int,
    progress: Progress | None,
) -> tuple[Callable[[str], DialogueManager], int]:
    examples = [*lessons_examples(lessons, words)]
    net = fit(examples, words, training, frozen=dimensions, progress=progress)
    managers: dict[str, DialogueManager] = {}

    def manager(service: str) -> DialogueManager:
        if service not in managers:
            managers[service] = DialogueManager(net, words, domains[service])
        return managers[service]

    return manager, len(examples)
