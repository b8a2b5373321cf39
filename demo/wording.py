"""What a listener types: the words that name what is meant, and how they come out."""

from __future__ import annotations

import numpy as np

from benchmarks.keyboard import plain, prefix, slip, swapped, without_a_word
from demo.rates import BESIDE_A_KIND, NICKNAME, TITLE_ALONE, TITLE_FIRST, TYPED
from demo.shelves import GENRES, Shelves


def typed(text: str, rng: np.random.Generator) -> str:
    """The text in small letters, as fingers in a hurry put it."""
    text = text.lower()
    how = str(rng.choice(list(TYPED), p=list(TYPED.values())))
    if how == "slip":
        return slip(plain(text), rng)
    if how == "plain":
        return plain(text)
    if how == "exact":
        return text
    change = {"prefix": prefix, "swapped": swapped, "short": without_a_word}[how]
    return change(text, rng)


def artist_name(shelves: Shelves, artist: str, rng: np.random.Generator) -> str:
    """The artist's name, or a nickname where there is one."""
    called = shelves.called(artist)
    if called and rng.random() < NICKNAME:
        return called[int(rng.integers(len(called)))]
    return artist


def item_name(shelves: Shelves, row: int, rng: np.random.Generator) -> str:
    """The title, by itself or with the artist."""
    title, artist = shelves.documents[row].title, shelves.artist(row)
    if not artist or rng.random() < TITLE_ALONE:
        return title
    artist = artist_name(shelves, artist, rng)
    return f"{title} {artist}" if rng.random() < TITLE_FIRST else f"{artist} {title}"


def kind_of_music(shelves: Shelves, row: int, rng: np.random.Generator) -> str:
    """One or two of the item's moods, genres and decade; its title where it has none."""
    kinds = shelves.kinds(row)
    if not kinds:
        return shelves.documents[row].title
    field, value = kinds[int(rng.integers(len(kinds)))]
    others = [other for key, other in kinds if key != field]
    if others and rng.random() < BESIDE_A_KIND:
        return f"{value} {others[int(rng.integers(len(others)))]}"
    return value


def genre_of(shelves: Shelves, row: int) -> str:
    """The item's first genre; empty where it has none."""
    document = shelves.documents[row]
    return next((value for key in GENRES for value in document.values(key)), "")


def other_words(shelves: Shelves, intent: str, row: int, rng: np.random.Generator) -> str:
    """A second try: by name with the artist, a kind of music by two of its words; as it is meant."""
    document, artist = shelves.documents[row], shelves.artist(row)
    kinds = [value for _, value in shelves.kinds(row)]
    if intent in ("topic", "new") and len(kinds) > 1:
        return " ".join(kinds[i] for i in rng.choice(len(kinds), size=2, replace=False)).lower()
    return f"{artist} {document.title}".strip().lower()
