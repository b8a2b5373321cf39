"""How well it is told which words of an utterance are which field.

    python -m demo.tagging --out build/tagging [--sgd DIR]

Trains a tagger from simulated dialogues about the demo's catalogue and measures it on others: all user
turns, and those that name something no turn of training named. With the music services of Schema-Guided
Dialogue also on real turns of its part dev, about a catalogue of what its services returned: by the
tagger that has seen simulated dialogues alone, and by one that has also seen the part train.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from conversation.base import AnnotatedTurn, Dialogue, Slot
from conversation.sgd import SgdDialogue, read_sgd
from conversation.tag_features import Past, field_of
from conversation.tag_training import Example, examples, fields_of, slots_of, train
from conversation.tagger import Tagger
from demo.catalogue import catalogue
from demo.samples import simulator
from retrievers.base import Document, Reading, Turn
from retrievers.query_words import WORD
from retrievers.structured import Structured

DIALOGUES, TESTED = 10_000, 500
SEED, TEST_SEED = 20_001, 20_002
MUSIC = {
    "song_name": "track",
    "artist": "artist",
    "album": "album",
    "genre": "genre",
    "year": "year",
}
"""Slots of Schema-Guided Dialogue's music services, as the demo calls them."""

Marks = set[tuple[int, int, str]]


def heard_by(documents: Sequence[Document]) -> Structured:
    """The gazetteer of a catalogue."""
    structured = Structured()
    structured.add(np.arange(len(documents), dtype=np.int32), documents)
    return structured


def heard_in(
    structured: Structured, dialogues: Sequence[Dialogue], *, progress: bool = False
) -> tuple[tuple[str, ...], list[Example]]:
    """The fields named in dialogues about a catalogue, and their users' turns to learn from."""
    fields = fields_of(dialogues)
    given = tqdm(dialogues, desc="hearing", unit=" dialogues", disable=not progress)
    return fields, examples(given, fields, structured.hear)


@dataclass(frozen=True, slots=True)
class Told:
    """Spans told of user turns: right, wrong and missed; turns with all right, turns, and milliseconds
    a turn (p50)."""

    right: int
    wrong: int
    missed: int
    exact: int
    turns: int
    ms: float

    @property
    def f1(self) -> float:
        """Of spans with their fields."""
        return 2 * self.right / max(2 * self.right + self.wrong + self.missed, 1)


def tell(
    structured: Structured,
    tagger: Tagger | None,
    dialogues: Iterable[Dialogue],
    fields: Iterable[str],
    wanted: Callable[[AnnotatedTurn], bool] = lambda _: True,
) -> Told:
    """Read the wanted user turns, with a tagger or by rules alone; `fields` count."""
    kept, counts, exact, spent = set(fields), np.zeros(3, np.int64), 0, []
    for dialogue in dialogues:
        turns: list[Turn] = []
        named: list[list[str]] = []
        for turn in dialogue.turns:
            if turn.speaker == "user" and wanted(turn):
                started = time.perf_counter()
                heard = structured.hear(turn.text)
                labelled = tagger.label(heard, Past.of(turns, named)) if tagger else None
                read = structured.readings(heard, labelled)
                spent.append(time.perf_counter() - started)
                gold = {mark for mark in map(_mark, slots_of(turn, heard)) if mark[2] in kept}
                told = {mark for mark in _marks(read) if mark[2] in kept}
                counts += (len(gold & told), len(told - gold), len(gold - told))
                exact += gold == told
            turns.append(Turn(turn.speaker, turn.text))
            named.append([slot.name for slot in turn.slots])
    ms = float(np.median(spent)) * 1000.0 if spent else 0.0
    right, wrong, missed = counts.tolist()
    return Told(right, wrong, missed, exact, len(spent), ms)


def _mark(slot: Slot) -> tuple[int, int, str]:
    """Where a slot ends is what counts of one that excludes: "no live" names "live"."""
    field = field_of(slot.name)
    excludes = slot.name.startswith("not_")
    return (-1 if excludes else slot.start, slot.end, field)


def _marks(read: Sequence[Reading]) -> Marks:
    spans = read[0].spans if read else ()
    return {
        (-1 if s.field.startswith("-") else s.start, s.end, field_of(s.field))
        for s in spans
        if field_of(s.field) != WORD
    }


def songs_of(parts: Iterable[SgdDialogue]) -> list[Document]:
    """What music services returned, each song, album and artist once."""
    found: dict[str, Document] = {}
    for part in parts:
        for result in part.results:
            facts = {MUSIC[key]: value for key, value in result.items() if key in MUSIC}
            title, artist, album = (facts.get(key, "") for key in ("track", "artist", "album"))
            metadata: dict[str, object] = {
                key: facts[key] for key in ("artist", "album") if key in facts
            }
            metadata["genre"] = [facts["genre"]] if "genre" in facts else []
            if facts.get("year", "").isdecimal():
                metadata["year"] = int(facts["year"])
            found.setdefault(
                f"track:{artist}/{title}",
                Document(f"track:{artist}/{title}", title, "", "track", metadata),
            )
            found.setdefault(f"artist:{artist}", Document(f"artist:{artist}", artist, "", "artist"))
            found.setdefault(
                f"album:{artist}/{album}",
                Document(f"album:{artist}/{album}", album, "", "album", {"artist": artist}),
            )
    return list(found.values())


def renamed(dialogue: Dialogue) -> Dialogue:
    """With the slots of a music service named as the demo's, others left out."""
    turns = tuple(
        AnnotatedTurn(
            turn.speaker,
            turn.text,
            tuple(
                Slot(MUSIC[s.name], s.value, s.start, s.end) for s in turn.slots if s.name in MUSIC
            ),
        )
        for turn in dialogue.turns
    )
    return Dialogue(dialogue.id, turns)


def main(arguments: Sequence[str] | None = None) -> None:
    """Simulate, train, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m demo.tagging", description=__doc__)
    parser.add_argument("--out", type=Path, metavar="DIR", default=Path("build/tagging"))
    parser.add_argument("--dialogues", type=int, default=DIALOGUES)
    parser.add_argument("--sgd", type=Path, metavar="DIR", help="a folder of sgd-music")
    given = parser.parse_args(arguments)
    documents = catalogue()
    simulated, structured = simulator(documents), heard_by(documents)
    training = list(simulated.dialogues(given.dialogues, SEED))
    test = list(simulated.dialogues(TESTED, TEST_SEED))
    fields, own = heard_in(structured, training, progress=True)
    tagger = train(own, fields, progress=True)
    given.out.mkdir(parents=True, exist_ok=True)
    tagger.save(given.out)
    tagger = Tagger.load(given.out)
    seen = {(s.name, s.value) for d in training for turn in d.turns for s in turn.slots}

    def is_new(turn: AnnotatedTurn) -> bool:
        return any((slot.name, slot.value) not in seen for slot in turn.slots)

    table = Table(title="spans told in user turns", title_justify="left")
    for header in ("turns of", "by", "turns", "F1", "all right", "ms a turn (p50)"):
        table.add_column(header, justify="left" if header in ("turns of", "by") else "right")

    def row(name: str, by: str, told: Told) -> None:
        exact = f"{100 * told.exact / max(told.turns, 1):.1f}%"
        table.add_row(name, by, f"{told.turns}", f"{told.f1:.3f}", exact, f"{told.ms:.2f}")

    for by, one in (("rules", None), ("tagger", tagger)):
        row("simulated dialogues", by, tell(structured, one, test, fields))
        row("… with an unseen name", by, tell(structured, one, test, fields, is_new))
    if given.sgd:
        parts = [part for part in read_sgd(given.sgd) if part.service.startswith("Music")]
        real = heard_by(songs_of(parts))
        dev = [renamed(part.dialogue) for part in parts if part.split == "dev"]
        known = [renamed(part.dialogue) for part in parts if part.split == "train"]
        others = examples(known, tagger.fields, real.hear)
        both = train([*own, *others], fields, progress=True)
        shared = set(MUSIC.values()) & set(fields)
        for by, one in (("rules", None), ("tagger", tagger), ("tagger, train too", both)):
            row("sgd-music, dev", by, tell(real, one, dev, shared))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
