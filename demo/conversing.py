"""Training of what understands the demo's conversations, from its simulator and named dialogues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conversation.base import Action, AnnotatedTurn, Dialogue
from conversation.dialogue import DialogueManager
from conversation.dialogue_file import save_manager
from conversation.dialogue_training import (
    DialogueTraining,
    Lesson,
    Progress,
    fit,
    lessons_examples,
)
from conversation.domain import Domain, domain_of
from conversation.words import Words
from demo.actions import actions
from retrievers.base import Document

MANAGER = "dialogue.safetensors"


def domain(documents: Sequence[Document] = ()) -> Domain:
    """What the demo's music player can do."""
    return domain_of("music", actions(documents))


def train_manager(
    dialogues: Sequence[Dialogue],
    lessons: Sequence[Lesson],
    training: DialogueTraining,
    progress: Progress | None = None,
) -> DialogueManager:
    """A manager of the demo's domain, from dialogues in it and lessons of others.

    Half of the dialogues come with the slots of the turn itself, as a tagger finds them, half
    without.
    """
    music, words = domain(), Words()
    own = [Lesson(music, dialogue) for dialogue in dialogues if dialogue.turns]
    examples = [
        *lessons_examples(own[0::2], words, tagged=True),
        *lessons_examples(own[1::2], words),
        *lessons_examples(lessons, words),
    ]
    return DialogueManager(fit(examples, words, training, progress=progress), words, music)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How a manager does on dialogues it was not trained on."""

    turns: int
    actions: int
    """Turns whose actions are all right by name, and those whose arguments are right too."""
    whole: int


def rehearsed(manager: DialogueManager, dialogues: Sequence[Dialogue], tagged: bool) -> Rehearsed:
    """Follows dialogues on the manager's own state; `tagged`: with the users' slots given."""
    turns = right = whole = 0
    for dialogue in dialogues:
        before: list[AnnotatedTurn] = []
        wants: Action | None = None
        for turn in dialogue.turns:
            if turn.speaker == "user":
                given = AnnotatedTurn("user", turn.text, turn.slots if tagged else ())
                decision = manager.decide(before, given, wants)
                turns += 1
                right += [a.name for a in decision.actions] == [a.name for a in turn.actions]
                whole += decision.actions == turn.actions
                wants = decision.wants
                turn = AnnotatedTurn("user", turn.text, given.slots or decision.slots)
            before.append(turn)
    return Rehearsed(turns, right, whole)


def save(manager: DialogueManager, out: Path) -> None:
    """Write the manager into a folder, made where it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    save_manager(manager, out / MANAGER)
