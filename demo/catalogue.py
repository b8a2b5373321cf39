"""The demo's music catalogue: `catalog/*.txt`, written by hand, read into documents.

A line is one item, its fields split by ` | `; a list is split by commas, or by semicolons where it
holds one (`feat Earth, Wind & Fire;`). `#` starts a comment line.

    Artist: NAME | since YEAR | COUNTRY | LANGUAGE | GENRES | POPULARITY
    Album: TITLE | YEAR [| GENRES]          of the artist above
    - TITLE | POPULARITY [| YEAR]           of the album above; under `Singles:` the year is due
    Playlist: TITLE | POPULARITY | DESCRIPTION      also Station, Podcast

Any line may end in named fields: `also`, `cover of`, `era`, `feat`, `genre`, `language`, `mood`,
`version`. A track without genres has its album's, an album without has its artist's.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from retrievers.base import Document

MOODS = (
    *("happy", "melancholic", "energetic", "calm", "romantic", "dark"),
    *("angry", "dreamy", "nostalgic", "uplifting", "party", "focus"),
)
VERSIONS = ("live", "acoustic", "remix", "remaster", "demo", "instrumental")

_LISTS = {"feat": "featured", "mood": "mood", "genre": "genre", "also": "also"}
_SINGLE = {"cover of": "cover_of", "version": "version", "language": "language", "era": "decade"}
_NAMED = re.compile(rf"({'|'.join((*_LISTS, *_SINGLE))}) +(.+)")
_ALLOWED = {"artist": {"also"}, "album": {"genre", "also", "language"}} | {
    "track": {"featured", "mood", "genre", "also", "cover_of", "version", "language"}
}
_HEAD = re.compile(r"(Artist|Album|Playlist|Station|Podcast|Singles):\s*(.*)|-\s+(.*)")
# Letters that Unicode does not decompose into a Latin one and a mark.
_LATIN = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"}
    | {"'": "", "’": "", "&": " and "}
)


@dataclass(slots=True)
class _Item:
    where: str
    type: str
    title: str
    metadata: dict[str, Any]
    artist: _Item | None
    tracks: list[_Item] = field(default_factory=list)

    @property
    def identity(self) -> tuple[Any, ...]:
        """What must be unique; artists reuse titles, so albums have their year, tracks a version."""
        owner = self.artist.title.casefold() if self.artist else None
        key = {"album": "year", "track": "version"}.get(self.type, "")
        return self.type, owner, self.title.casefold(), self.metadata.get(key)

    @property
    def names(self) -> tuple[str, ...]:
        return self.title, *self.metadata.get("also", ())


def catalogue(folder: Traversable | None = None) -> tuple[Document, ...]:
    """Every artist, album, track, playlist, station and podcast of `folder`, in the files' order.

    Ids look like `album:imagine-dragons/evolve`. An album's popularity is the mean of its artist's
    and its best track's. Raises ValueError, naming file and line, where a line cannot be read or
    an item stands twice.
    """
    root = files("demo").joinpath("catalog") if folder is None else folder
    texts = sorted((file.name, file) for file in root.iterdir() if file.name.endswith(".txt"))
    items = [item for name, file in texts for item in _items(name, file.read_text("utf-8"))]
    first: dict[tuple[Any, ...], _Item] = {}
    for item in items:
        if (earlier := first.setdefault(item.identity, item)) is not item:
            raise ValueError(f"{item.where}: {item.title!r} stands already at {earlier.where}")
        if item.type == "album" and item.artist:
            own = item.artist.metadata["popularity"]
            best = max((track.metadata["popularity"] for track in item.tracks), default=own)
            item.metadata["popularity"] = (own + best) / 2
    return tuple(
        Document(name, item.title, item.metadata.pop("description", ""), item.type, item.metadata)
        for item, name in zip(items, _ids(items), strict=True)
    )


def slug(names: Sequence[str]) -> str:
    """The first name that can be spelt in ASCII, as `lower-case-words`; else a hash of the first."""
    for name in names:
        spelt = unicodedata.normalize("NFKD", name.casefold().translate(_LATIN))
        spelt = "".join(letter for letter in spelt if not unicodedata.combining(letter))
        foreign = any(letter.isalnum() and not letter.isascii() for letter in spelt)
        if not foreign and (words := re.findall(r"[a-z0-9]+", spelt)):
            return "-".join(words)
    return hashlib.sha256(names[0].encode()).hexdigest()[:8]


def _ids(items: Sequence[_Item]) -> list[str]:
    """One id an item. Where slugs clash, the oldest plain version keeps the short one."""
    rows: dict[str, int] = {}
    ages = [("version" in item.metadata, item.metadata.get("year", 0)) for item in items]
    for row in sorted(range(len(items)), key=ages.__getitem__):
        item = items[row]
        own = "/".join(slug(part.names) for part in (item.artist, item) if part)
        version, year = item.metadata.get("version", ""), str(item.metadata.get("year", ""))
        for ends in ((), (version,), (year,), (version, year)):
            if (name := f"{item.type}:" + "-".join(filter(None, (own, *ends)))) not in rows:
                rows[name] = row
                break
        else:
            raise ValueError(f"{item.where}: another title gives the id {own!r}; add an `also`")
    return sorted(rows, key=rows.__getitem__)


def _items(name: str, text: str) -> Iterator[_Item]:
    artist: _Item | None = None
    album: _Item | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            if not (head := _HEAD.fullmatch(line.strip())):
                raise ValueError("expected `Artist:`, `Album:`, `Singles:`, `- ` or a comment")
            kind = (head[1] or "track").lower()
            if kind in ("album", "singles", "track") and artist is None:
                raise ValueError(f"{kind} without an artist above it")
            if kind == "singles":
                album = None
                continue
            item = _item(f"{name}:{number}", kind, head[2] or head[3] or "", artist, album)
        except ValueError as error:
            raise ValueError(f"{name}:{number}: {error}, found {line!r}") from error
        if kind != "track":
            artist = item if kind == "artist" else item.artist
            album = item if kind == "album" else None
        elif album:
            album.tracks.append(item)
        yield item


def _item(where: str, kind: str, body: str, artist: _Item | None, album: _Item | None) -> _Item:
    title, *parts = (part.strip() for part in body.split(" | "))
    fixed = {"artist": 5, "album": 1, "track": 1}.get(kind, 2)
    plain, found = parts[:fixed], dict[str, Any]()
    for part in parts[fixed:]:
        if not (named := _NAMED.fullmatch(part)):
            plain.append(part)
            continue
        key = _LISTS.get(named[1]) or _SINGLE[named[1]]
        if key not in _ALLOWED.get(kind, {"genre", "mood", "decade", "also"}) or key in found:
            raise ValueError(f"`{named[1]}` does not belong here or stands twice")
        found[key] = _names(named[2]) if named[1] in _LISTS else named[2]
    metadata: dict[str, Any] = {"type": kind}
    if artist and kind in ("album", "track"):
        above = (album if album and kind == "track" else artist).metadata
        metadata["artist"] = artist.title
        metadata |= {key: above[key] for key in ("genre", "language", "country")}
    if album and kind == "track":
        metadata |= {"album": album.title, "year": album.metadata["year"]}
    match kind, plain:
        case "artist", [since, country, language, genres, popularity]:
            metadata |= {"year": _year(since.removeprefix("since ")), "genre": _names(genres)}
            metadata |= {"country": country, "language": language}
        case "album", [year, *genres] if len(genres) <= 1:
            popularity = "0"  # set when its tracks are known
            metadata |= {"year": _year(year)} | ({"genre": _names(genres[0])} if genres else {})
        case "track", [popularity] if album:
            pass
        case "track", [popularity, year]:
            metadata["year"] = _year(year)
        case "playlist" | "station" | "podcast", [popularity, description]:
            metadata["description"] = description
        case _:
            raise ValueError(f"{kind} with fixed fields {plain} (a single needs a year)")
    if not title or not popularity.isdecimal() or int(popularity) > 100:
        raise ValueError(f"expected a title and a popularity of 0 to 100, not {popularity!r}")
    metadata |= {"popularity": int(popularity)} | found
    if "year" in metadata:
        metadata["decade"] = f"{metadata['year'] // 10 * 10}s"
    version = metadata.get("version", "live")
    if not {*metadata.get("mood", ())} <= {*MOODS} or version not in VERSIONS:
        raise ValueError(f"a mood is not of {MOODS} or a version not of {VERSIONS}")
    return _Item(where, kind, title, metadata, artist if kind in ("album", "track") else None)


def _names(text: str) -> list[str]:
    parts = text.split(";" if ";" in text else ",")
    return [part.strip() for part in parts if part.strip()]


def _year(text: str) -> int:
    if not re.fullmatch(r"1\d{3}|20\d{2}", text):
        raise ValueError(f"expected a year in place of {text!r}")
    return int(text)
