"""The demo's sample dialogues, and the simulator that makes many more of them."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

from conversation.base import Dialogue
from conversation.script import read_script
from conversation.simulator import HABITS, Habits, Simulator
from demo.actions import actions, finders
from retrievers.base import Document


def samples() -> tuple[Dialogue, ...]:
    """The dialogues of `dialogues/*.txt`, in the files' order."""
    scripts = [f for f in files("demo").joinpath("dialogues").iterdir() if f.name.endswith(".txt")]
    return tuple(
        dialogue
        for script in sorted(scripts, key=lambda script: script.name)
        for dialogue in read_script(script.read_text("utf-8"), script.name.removesuffix(".txt"))
    )


def simulator(documents: Sequence[Document], habits: Habits = HABITS) -> Simulator:
    """Two agents who talk about a catalogue as in the samples."""
    return Simulator(
        documents, actions(documents), samples(), finders=finders(documents), habits=habits
    )
