from __future__ import annotations

from conversation.entity_classes import CLASSES, ORDINALS, common_words, entity_classes
from conversation.rewrite_tokens import tokens
from retrievers.base import Turn

COMMON = frozenset(
    ["play", "by", "or", "do", "you", "want", "the", "second", "one", "call", "which", "add"]
)


def classes(*turns: Turn) -> list[list[tuple[str, int]]]:
    read = [tokens(turn.text) for turn in turns]
    found = entity_classes(turns, read, COMMON)
    return [
        [(token.text, name) for token, name in zip(row, names, strict=True) if name]
        for row, names in zip(read, found, strict=True)
    ]


def test_names_are_told_apart_by_who_said_them_first_and_as_which() -> None:
    system = 1 + ORDINALS
    assert classes(
        Turn("user", "Play Believer by Dragons"),
        Turn("system", "Believer or Thunder or Radioactive ?"),
        Turn("user", "play Thunder"),
    ) == [
        [("Believer", 1), ("Dragons", 2)],
        [("Believer", 1), ("Thunder", system), ("Radioactive", system + 1)],
        [("Thunder", system)],
    ]


def test_a_part_of_a_name_is_that_name() -> None:
    assert classes(Turn("user", "call Paul Thompson"), Turn("system", "Thompson")) == [
        [("Paul", 1), ("Thompson", 1)],
        [("Thompson", 1)],
    ]


def test_small_letters_hide_no_rare_word_and_given_entities_count() -> None:
    assert classes(Turn("user", "play zxcvb")) == [[("zxcvb", 1)]]
    assert classes(Turn("user", "play believer", ("believer",))) == [[("believer", 1)]]


def test_names_past_the_last_ordinal_share_its_class() -> None:
    said = " or ".join(f"Name{i}x" for i in range(20))
    (row,) = classes(Turn("user", said))
    assert {name for _, name in row} == set(range(1, ORDINALS + 1))
    assert max(name for _, name in row) < CLASSES


def test_common_words_are_written_small_more_often_than_not() -> None:
    found = common_words(["the Song is good", "the song", "a song by Him", "Him Him", "him"])
    assert "song" in found
    assert "him" not in found
