"""Queries as the catalogue spells them."""

from __future__ import annotations

import pytest

from retrievers.base import Query, Reading, Span
from retrievers.respelling import PROBABLE, respelt


def reading(*spans: tuple[int, int, str, str], probability: float = 0.9) -> Reading:
    return Reading(tuple(Span(*span) for span in spans), probability)


@pytest.mark.parametrize(
    ("text", "found", "expected"),
    [
        ("alternativee rocl", reading((0, 17, "genre", "alternative rock")), "alternative rock"),
        ("sad beleiver live", reading((4, 12, "track", "Believer")), "sad Believer live"),
        (
            "happi rok 1980s",
            reading((6, 9, "genre", "rock"), (0, 5, "mood", "happy"), (10, 15, "year", "1980..1989")),
            "happy rock 1980s",
        ),
        ("not rok", reading((4, 7, "-genre", "rock")), "not rok"),
        ("newest songs", reading((0, 6, "order", "newest"), (7, 12, "type", "track")), "newest songs"),
        ("tropicl", reading((0, 7, "word", "tropical")), "tropicl"),
        ("rok", reading((0, 3, "genre", "rock"), probability=PROBABLE - 0.01), "rok"),
    ],
)  # fmt: skip
def test_what_the_best_reading_names_is_spelt_as_there(
    text: str, found: Reading, expected: str
) -> None:
    other = reading((0, 1, "genre", "polka"), probability=0.2)
    assert respelt(Query(text, readings=(found, other))) == expected


def test_what_is_not_read_stays() -> None:
    assert respelt(Query("rok")) == "rok"
    assert respelt(Query("")) == ""
