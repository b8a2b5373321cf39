"""Rewrites to learn from, made of the scenes in `scenes.txt`: calls, messages, reminders, music, weather, news.

A scene's turns and one thing that may be said then, its slots filled by chance, after another scene or none, in large
letters or small. What is written of real conversations is little; this is much, plain, and names all kinds of names.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from itertools import islice

import numpy as np

from conversation.rewrite_data import RewriteExample
from conversation.scene_names import fill
from retrievers.base import Turn

SLOT = re.compile(r"\{([\w.]+)\}")
SMALL, BEFORE, UNMARKED, ANYWHERE = 0.2, 0.45, 0.25, 0.12
"""Shares of dialogues in small letters, after another scene, with the final mark left out, and ending in what
may be said after any scene."""


@dataclass(slots=True)
class Scene:
    """Turns as (speaker, ways to say it), and what may follow as (query, rewrite)."""

    turns: list[tuple[str, list[str]]] = field(default_factory=list)
    queries: list[tuple[str, str]] = field(default_factory=list)


@cache
def read_scenes() -> tuple[Mapping[str, list[str]], list[Scene], list[tuple[str, str]]]:
    """The words and the scenes of `scenes.txt`, and what may be said after any."""
    words: dict[str, list[str]] = {}
    anywhere: list[tuple[str, str]] = []
    scenes = [Scene()]
    lines = resources.files("conversation").joinpath("scenes.txt").read_text("utf-8").splitlines()
    for line in lines:
        if line.startswith("#"):
            continue
        if not line.strip():
            scenes.append(Scene())
        elif line[0] in "=~":
            query, _, rewrite = line[1:].partition("=>")
            queries = anywhere if line[0] == "~" else scenes[-1].queries
            queries.append((query.strip(), rewrite.strip() or query.strip()))
        elif line[:2] in ("U:", "S:"):
            speaker = "user" if line[0] == "U" else "system"
            scenes[-1].turns.append((speaker, [way.strip() for way in line[2:].split("|")]))
        else:
            name, _, ways = line.partition(":")
            words[name] = [way.strip() for way in ways.split("|")]
    return words, [scene for scene in scenes if scene.queries], anywhere


def examples(count: int, rng: np.random.Generator) -> list[RewriteExample]:
    """That many examples, drawn with `rng`."""
    return list(islice(_examples(rng), count))


def _examples(rng: np.random.Generator) -> Iterator[RewriteExample]:
    words, scenes, anywhere = read_scenes()
    number = 0
    while True:
        scene = scenes[rng.integers(len(scenes))]
        turns: list[Turn] = []
        if rng.random() < BEFORE:
            earlier = scenes[rng.integers(len(scenes))]
            slots = _Slots(rng, words)
            turns += _said(earlier, slots, rng)
            turns.append(
                Turn("user", slots(earlier.queries[rng.integers(len(earlier.queries))][0]))
            )
            turns.append(Turn("system", slots("{ok} .")))
        slots = _Slots(rng, words)
        turns += _said(scene, slots, rng)
        said = anywhere if rng.random() < ANYWHERE else scene.queries
        asked, alone = said[rng.integers(len(said))]
        choice = int(rng.integers(1 << 30))
        query, rewrite = (slots(text, choice) for text in (asked, alone))
        heard = " ".join((*(turn.text for turn in turns), query))
        if any(one[""] in rewrite and one[""] not in heard for one in slots.drawn.values()):
            continue
        if rng.random() < UNMARKED:
            query, rewrite = query.rstrip(" .?"), rewrite.rstrip(" .?")
        if rng.random() < SMALL:
            turns = [Turn(turn.speaker, turn.text.lower()) for turn in turns]
            query, rewrite = query.lower(), rewrite.lower()
        number += 1
        yield RewriteExample(
            f"scene-{number}", f"scene-{number}", tuple(turns), query, rewrite, "scene", "scene"
        )


def _said(scene: Scene, slots: _Slots, rng: np.random.Generator) -> list[Turn]:
    return [
        Turn("system" if speaker == "system" else "user", slots(ways[rng.integers(len(ways))]))
        for speaker, ways in scene.turns
    ]


class _Slots:
    """Fills slots; what was drawn for a slot stays, what was drawn for words is drawn anew each time, or by
    `choice` the same in a query and its rewrite."""

    def __init__(self, rng: np.random.Generator, words: Mapping[str, list[str]]) -> None:
        self.rng, self.words = rng, words
        self.drawn: dict[str, Mapping[str, str]] = {}

    def __call__(self, text: str, choice: int | None = None) -> str:
        picked: dict[str, str] = {}

        def of(found: re.Match[str]) -> str:
            name = found.group(1)
            if name in self.words:
                if name not in picked:
                    key = [choice, zlib.crc32(name.encode())] if choice is not None else None
                    rng = self.rng if key is None else np.random.default_rng(key)
                    picked[name] = self.words[name][rng.integers(len(self.words[name]))]
                return picked[name]
            slot, _, form = name.partition(".")
            if slot not in self.drawn:
                self.drawn[slot] = fill(slot, self.rng, {v[""] for v in self.drawn.values()})
            return self.drawn[slot][form]

        while SLOT.search(text):
            text = SLOT.sub(of, text)
        return " ".join(text.split()).removeprefix(", ").removeprefix("? ").strip()
