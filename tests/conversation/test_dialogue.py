"""A manager trained on a toy task, where what is right can be told."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from benchmarks.dialogue_measures import followed
from conversation.actions import Actions
from conversation.base import Action, AnnotatedTurn, Dialogue
from conversation.dialogue import DialogueManager
from conversation.dialogue_file import load_manager, save_manager
from conversation.dialogue_training import (
    DialogueTraining,
    Lesson,
    fit,
    lessons_examples,
    untagged,
)
from conversation.domain import Domain, domain_of
from conversation.moves import wanted
from conversation.script import read_script
from conversation.sgd import SgdDialogue
from conversation.simulator import Habits, Simulator
from conversation.turn_features import turn_features
from conversation.turn_labels import turn_labels
from conversation.words import Words
from demo.actions import actions
from tests.conversation.test_simulator import documents


def find(artist: str | None = None, genre: str | None = None) -> None:
    """Look for songs."""


def play(artist: str) -> None:
    """Play songs now."""


TOY = """
U: play [artist: Adele]
> play(artist=Adele)
S: Playing [artist: Adele].
U: stop
> stop()
S: Bye.

U: play something
> ask(argument=artist)
~ play()
S: Whose?
U: [artist: Adele]
> play(artist=Adele)
S: Playing [artist: Adele].

U: find [genre: pop]
> find(genre=pop)
S: There is [artist: Adele].
U: play that
> play(artist=Adele)
S: Playing [artist: Adele].
"""


@pytest.fixture(scope="module")
def domain() -> Domain:
    return domain_of("toy", Actions([find, play]))


@pytest.fixture(scope="module")
def lessons(domain: Domain) -> list[Lesson]:
    habits = Habits(turns=(2, 3), slip=0.0, paraphrase=0.0, filler=0.0, new_topic=0.0)
    script = read_script(TOY, "s")
    simulator = Simulator(documents(), domain.actions, script, habits=habits)
    return [Lesson(domain, dialogue) for dialogue in simulator.dialogues(70)]


@pytest.fixture(scope="module")
def manager(domain: Domain, lessons: list[Lesson]) -> DialogueManager:
    words = Words()
    examples = [*lessons_examples(lessons[:50], words)]
    return DialogueManager(fit(examples, words, DialogueTraining(60, 16, 1e-2)), words, domain)


def test_it_learns_what_is_wanted_next(manager: DialogueManager, lessons: list[Lesson]) -> None:
    right = total = 0
    for lesson in lessons[50:]:
        turns: list[AnnotatedTurn] = []
        wants: Action | None = None
        gold: Action | None = None
        for turn in lesson.dialogue.turns:
            if turn.speaker == "user":
                decision = manager.decide(turns, untagged(turn), wants)
                gold, wants = wanted(turn, gold), decision.wants
                total += 1
                right += decision.actions == turn.actions
                assert not [p for a in decision.actions for p in manager.domain.actions.problems(a)]
                turn = replace(turn, slots=decision.slots)
            turns.append(turn)
    assert right / total > 0.8


def test_it_is_the_same_after_a_file(manager: DialogueManager, tmp_path: Path) -> None:
    save_manager(manager, tmp_path / "m.safetensors")
    again = load_manager(tmp_path / "m.safetensors")
    turn = AnnotatedTurn("user", "play Abba")
    assert again.decide((), turn, None) == manager.decide((), turn, None)
    assert (tmp_path / "m.safetensors").stat().st_size < 1_500_000


def test_the_same_examples_and_seed_give_the_same_weights(lessons: list[Lesson]) -> None:
    found = []
    for _ in range(2):
        words = Words()
        examples = [*lessons_examples(lessons[:4], words)]
        found.append(fit(examples, words, DialogueTraining(2, 4)).state_dict())
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="found no file, expected a dialogue manager"):
        load_manager(tmp_path / "m.safetensors")
    (tmp_path / "m.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="the file is damaged"):
        load_manager(tmp_path / "m.safetensors")


def test_candidates_of_a_slot_are_what_was_said_before_and_choices() -> None:
    domain = domain_of("demo", actions(documents()))
    script = "U: [artist: Abba]\n> play(artist=Abba)\nS: [track: One] by [artist: Abba].\nU: more"
    turns = read_script(script, "s")[0].turns
    features = turn_features(domain, turns[:2], turns[2], Action("play", {"artist": "Abba"}))
    names = [slot.name for slot in domain.slots]
    artist = features.options[names.index("artist")]
    assert [c.kind for c in artist] == ["none", "keep", "span", "system", "dontcare"]
    order = features.options[names.index("sort")]
    assert [c.value for c in order if c.kind == "choice"] == ["newest", "oldest", "popular"]
    labels = turn_labels(domain, features, turns[2], Action("play", {"track": "One"}))
    track = names.index("track")
    options = zip(features.options[track], labels.right[track], strict=False)
    assert [option.kind for option, right in options if right] == ["system"]


def test_no_examples_are_refused() -> None:
    with pytest.raises(ValueError, match="found no user's turn"):
        fit([], Words())


def test_a_right_state_counts_and_one_error_is_one(manager: DialogueManager) -> None:
    text = AnnotatedTurn("user", "play Abba")
    decided = manager.decide((), text, None)
    turn = replace(text, actions=decided.actions, wants=decided.wants)
    state = {name: (value.upper() + "!",) for name, value in decided.wants.arguments.items()}

    def part(more: dict[str, tuple[str, ...]]) -> SgdDialogue:
        return SgdDialogue("dev", "toy", Dialogue("d", (turn,)), (state | more,), ())

    right = followed([part({})], lambda _: manager)["toy"]
    assert (right.joint, right.errors, right.turns) == (1, 0, 1)
    wrong = followed([part({"year": ("1999",)})], lambda _: manager)["toy"]
    assert (wrong.joint, wrong.argument_errors, wrong.action_errors) == (0, 1, 0)
