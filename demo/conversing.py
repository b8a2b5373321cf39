"""Training of what understands the demo's conversations: from its simulator, and named dialogues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tqdm import tqdm

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
from conversation.layouts import Read
from conversation.rewrite_data import of_dialogues
from conversation.tag_training import Recipe
from conversation.tag_training import train as train_from
from conversation.words import Words
from demo.actions import actions
from demo.catalogue import catalogue
from demo.samples import simulator
from demo.tagging import heard_by, heard_in
from retrievers.base import Document

MANAGER = "dialogue.safetensors"
PARTS = ("tagger", "rewriter", "dialogue")
WORKERS = 2
"""Networks of a rewriter trained at a time."""


@dataclass(frozen=True, slots=True)
class Schooling:
    """What the parts learn from: so many simulated dialogues each, and named ones.

    `steps`: batches of the dialogue manager; `rehearsals`: simulated dialogues it is tried on after.
    """

    tagger: int = 10_000
    rewriter: int = 2_000
    dialogue: int = 4_000
    steps: int = 4_000
    rehearsals: int = 200
    seed: int = 0
    named: Sequence[Read] = ()
    parts: Sequence[str] = PARTS


@dataclass(slots=True)
class Trained:
    """Files written, by part, and what the manager's rehearsals showed."""

    files: dict[str, Path] = field(default_factory=dict)
    rehearsed: Rehearsed | None = None


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How a manager does on dialogues it was not trained on: turns, those whose actions are all right
    by name, and those whose arguments are right too."""

    turns: int
    actions: int
    whole: int


def domain(documents: Sequence[Document] = ()) -> Domain:
    """What the demo's music player can do."""
    return domain_of("music", actions(documents))


def train_conversation(
    out: Path, schooling: Schooling, say: Callable[[str], None], *, progress: bool = False
) -> Trained:
    """Train the parts and write each into `out`, made where it is missing: the same schooling, the
    same bytes."""
    documents = catalogue()
    simulated = simulator(documents)
    named = [dialogue for read in schooling.named for dialogue in read.dialogues]
    most = max(getattr(schooling, part) for part in schooling.parts)
    say(f"simulating {most:,} dialogues")
    bar = tqdm(simulated.dialogues(most, schooling.seed), "simulating", most, disable=not progress)
    made = [dialogue for dialogue in bar if dialogue.turns]
    out.mkdir(parents=True, exist_ok=True)
    trained = Trained()
    if "tagger" in schooling.parts:
        say("training the tagger")
        own = [*named, *made[: schooling.tagger]]
        fields, found = heard_in(heard_by(documents), own, progress=progress)
        recipe = Recipe(seed=schooling.seed)
        train_from(found, fields, recipe, progress=progress).save(out)
        trained.files["tagger"] = out / "tagger.safetensors"
    if "dialogue" in schooling.parts:
        say("training the dialogue manager")
        lessons = [lesson for read in schooling.named for lesson in read.lessons]
        training = DialogueTraining(steps=schooling.steps, seed=schooling.seed)
        shown = _bar(schooling.steps) if progress else None
        manager = train_manager([*named, *made[: schooling.dialogue]], lessons, training, shown)
        save_manager(manager, out / MANAGER)
        trained.files["dialogue"] = out / MANAGER
        unseen = [*simulated.dialogues(schooling.rehearsals, schooling.seed + 1)]
        trained.rehearsed = rehearsed(manager, unseen, tagged=True)
    if "rewriter" in schooling.parts:
        say("training the rewriter")
        trained.files["rewriter"] = _rewriter(out, schooling, made, say)
    return trained


def _rewriter(
    out: Path, schooling: Schooling, made: Sequence[Dialogue], say: Callable[[str], None]
) -> Path:
    from conversation.rewrite_training import Recipe
    from conversation.rewriter_training import train_rewriter
    from engine.pretrained_words import pretrained_words

    examples = [rewrite for read in schooling.named for rewrite in read.rewrites]
    simulated = of_dialogues(made[: schooling.rewriter])
    seed = schooling.seed
    if examples:
        # How far to trust rewrites is learnt from people's: in simulated dialogues most is plain.
        examples += [replace(one, style="scene") for one in simulated]
        reader = pretrained_words()
        rewriter = train_rewriter(examples, reader=reader, seed=seed, workers=WORKERS, progress=say)
    else:
        # One network, no encoder and no other scenes are enough for the demo's own dialogues.
        recipe = Recipe(scenes=0, epochs=12, batch=64)
        rewriter = train_rewriter(simulated, recipe=recipe, depths=(0,), seed=seed, progress=say)
    rewriter.save(out)
    return out / "rewriter.safetensors"


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


def _bar(steps: int) -> Progress:
    bar = tqdm(total=steps, desc="dialogue manager", unit=" batches")

    def progress(share: float) -> None:
        bar.n = round(share * steps)
        bar.refresh()

    return progress
