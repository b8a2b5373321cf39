"""Names, times and errands that fill the slots of scenes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib import resources

import numpy as np

HE, SHE, THEY = ("him", "he", "his"), ("her", "she", "her"), ("them", "they", "their")
FORMS = ("him", "he", "his")
TRIES = 50
"""Draws until a name is neither part of one taken nor has it as a part."""

Filled = Mapping[str, str]
"""What fills a slot by its form; "" is the whole."""


@cache
def kinds() -> Mapping[str, tuple[str, ...]]:
    """The lists of `scene_words.txt`."""
    text = resources.files("conversation").joinpath("scene_words.txt").read_text("utf-8")
    found = {}
    for line in text.splitlines():
        kind, colon, names = line.partition(":")
        if colon and not line.startswith("#"):
            found[kind] = tuple(name.strip() for name in names.split("|"))
    return found


@cache
def small(kind: str) -> frozenset[str]:
    """The names of a kind in small letters."""
    return frozenset(name.lower() for name in kinds()[kind])


def fill(slot: str, rng: np.random.Generator, taken: Collection[str]) -> Filled:
    """Something for a slot such as `p` or `song2`, apart from what is taken already."""
    kind = slot.rstrip("23")
    made = _made(kind, rng)
    for _ in range(TRIES):
        if not any(made[""] in other or other in made[""] for other in taken):
            break
        made = _made(kind, rng)
    return made


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """One of them, all as likely."""
    return options[int(rng.integers(len(options)))]


def _made(kind: str, rng: np.random.Generator) -> Filled:
    if kind in ("p", "q", "r"):
        return _person(rng, 0.3)
    if kind == "artist":
        return _person(rng, 0.8) if rng.random() < 0.55 else _band(rng)
    if kind in ("song", "album"):
        return {"": _song(rng)}
    if kind == "time":
        hour = int(rng.integers(1, 13))
        return {"": pick((f"{hour} PM", f"{hour} : 30", f"{hour} AM", f"{hour} : 00 pm", "noon", "in an hour"), rng)}  # fmt: skip
    if kind == "n":
        return {"": str(int(rng.integers(2, 30)))}
    if kind == "street":
        street = pick(kinds()["street name"], rng), pick(kinds()["street"], rng)
        return {"": f"{int(rng.integers(10, 9999))} {street[0]} {street[1]}"}
    if kind == "room":
        return {"": f"conference room {int(rng.integers(1, 12)) * 100}"}
    return {"": pick(kinds()[kind], rng)}


def _band(rng: np.random.Generator) -> Filled:
    name = pick(kinds()["band"], rng).replace("{}", pick(kinds()["word"], rng).title())
    return {"": name, **dict(zip(FORMS, THEY if rng.random() < 0.8 else HE, strict=True))}


def _song(rng: np.random.Generator) -> str:
    words = [pick(kinds()["word"], rng) for _ in range(int(rng.integers(1, 4)))]
    if len(words) > 1 and rng.random() < 0.5:
        words.insert(int(rng.integers(1, len(words))), pick(kinds()["small word"], rng))
    return " ".join(words).title() if rng.random() < 0.85 else " ".join(words)


def _person(rng: np.random.Generator, full: float) -> Filled:
    """A person, with the last name in a share `full`; one in seven has a name that nobody has."""
    woman = rng.random() < 0.5
    first = pick(kinds()["woman" if woman else "man"], rng)
    if rng.random() < 0.15:
        first = "".join(pick(kinds()["syllable"], rng) for _ in range(int(rng.integers(2, 4)))).title()  # fmt: skip
    last = pick(kinds()["last"], rng)
    name = f"{first} {last}" if rng.random() < full else first
    if rng.random() < 0.08:
        name = f"{pick(kinds()['title'], rng)} {first}"
    elif rng.random() < 0.08:
        name = f"my {pick(kinds()['relation'], rng)}" + (f" {first}" if rng.random() < 0.5 else "")
    forms = dict(zip(FORMS, SHE if woman else HE, strict=True))
    return {"": name, "first": first, "last": last, **forms}
