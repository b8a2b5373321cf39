"""Who the listeners are: their languages, era, genres, artists and favourites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from demo.rates import ARTISTS, ENGLISH_TOO, FAVOURITES, GENRES, MOTHER_TONGUE, OF_THE_ERA
from demo.shelves import Shelves


@dataclass(slots=True)
class Listener:
    """Tastes, and what was played so far, newest last. `tracks` are those of the artists,
    `favourites` some of them, the dearest first; `others` are the artists' albums, and playlists,
    stations and podcasts of the genres; `era` is empty where the catalogue has no decades.
    """

    name: str
    languages: tuple[str, ...]
    era: str
    genres: tuple[str, ...]
    artists: tuple[str, ...]
    tracks: list[int]
    favourites: list[int]
    others: list[int]
    played: list[int] = field(default_factory=list)


def draw_listener(name: str, shelves: Shelves, rng: np.random.Generator) -> Listener:
    """A listener; what the catalogue does not say of its tracks limits no taste."""
    languages = _languages(shelves, rng)
    own = shelves.rows("language", languages[:1]) or set(shelves.tracks)
    sizes = {g: len(rows & own) for g, rows in sorted(shelves.genres.items())}
    genres = _some(GENRES, {genre: size for genre, size in sizes.items() if size}, rng)
    pool = shelves.rows("language", languages) or set(shelves.tracks)
    pool &= {row for genre in genres for row in shelves.genres[genre]} or pool
    eras = {decade: len(shelves.rows("decade", [decade]) & pool) for decade in shelves.decades}
    era = next(iter(_some(1, {decade: size for decade, size in eras.items() if size}, rng)), "")
    of_era = shelves.rows("decade", [era])
    dated, understood = set(shelves.artists(of_era)), set(shelves.artists(own))
    fit = {
        artist: (OF_THE_ERA if artist in dated else 1.0)
        * (MOTHER_TONGUE if artist in understood else 1.0)
        for artist in shelves.artists(pool)
    }
    artists = tuple(sorted(_some(ARTISTS, fit, rng)))
    tracks = sorted({row for artist in artists for row in shelves.of_artist(artist)} or pool)
    weight = shelves.weight[tracks] * [OF_THE_ERA if row in of_era else 1.0 for row in tracks]
    count = min(FAVOURITES, len(tracks))
    chosen = rng.choice(len(tracks), size=count, replace=False, p=weight / weight.sum())
    favourites = [tracks[i] for i in chosen.tolist()]
    others = _others(shelves, artists, genres)
    return Listener(name, languages, era, genres, artists, tracks, favourites, others)


def _others(shelves: Shelves, artists: tuple[str, ...], genres: tuple[str, ...]) -> list[int]:
    mine, kinds = set(artists), set(genres)
    return [
        row
        for row in shelves.others
        if (artist := shelves.artist(row)) in mine
        or (not artist and kinds.intersection(shelves.documents[row].values("genre")))
    ]


def _languages(shelves: Shelves, rng: np.random.Generator) -> tuple[str, ...]:
    """The mother tongue, and often English. What has no words (`zxx`) needs no language."""
    spoken = {lang: n for lang, n in sorted(shelves.languages.items()) if lang != "zxx"}
    languages = _some(1, spoken, rng)
    if not languages:
        return ()
    english = languages != ("en",) and bool(rng.random() < ENGLISH_TOO)
    return (*languages, *(("en",) if english else ()), "zxx")


def _some(count: int, weights: Mapping[str, float], rng: np.random.Generator) -> tuple[str, ...]:
    """Up to `count` different keys, drawn in proportion to their weights."""
    names = list(weights)
    if not names:
        return ()
    weight = np.array(list(weights.values()), np.float64)
    count = min(count, len(names))
    chosen = rng.choice(len(names), size=count, replace=False, p=weight / weight.sum())
    return tuple(names[i] for i in chosen.tolist())
