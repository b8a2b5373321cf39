"""Rewrites made of dialogues whose mentions are linked: a pronoun becomes the name that it stands for.

Regan et al. 2019, "A Dataset for Resolving Referring Expressions in Spoken Dialogue via Contextual Query
Rewrites", made theirs by hand; mudoco's links make many rougher ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conversation.json_lines import json_lines
from conversation.rewrite_data import RewriteExample
from conversation.rewrite_tokens import Token, keys, tokens
from retrievers.base import Turn

PRONOUNS = frozenset(
    [
        "it",
        "that",
        "this",
        "them",
        "they",
        "he",
        "she",
        "him",
        "her",
        "his",
        "their",
        "one",
        "these",
        "those",
    ]
    + [
        f"{which} {what}"
        for which in ("this", "that", "the")
        for what in ("song", "one", "artist", "album", "band")
    ]
)
POSSESSIVE = frozenset(("his", "their", "its"))
Mention = tuple[int, str]


def read_linked(path: Path) -> list[RewriteExample]:
    """Examples of mudoco's `dialogues`: turns whose references all have a name, and turns without any."""
    return [example for _, dialogue in json_lines(path) for example in _of(dialogue)]


def _of(dialogue: Mapping[str, Any]) -> list[RewriteExample]:
    parent: dict[Mention, Mention] = {}

    def root(mention: Mention) -> Mention:
        while parent.setdefault(mention, mention) != mention:
            mention = parent[mention]
        return mention

    said: list[Turn] = []
    found: list[RewriteExample] = []
    named: dict[Mention, str] = {}
    group = " ".join(keys(dialogue["turns"][0]["utterance"]))
    for number, turn in enumerate(dialogue["turns"]):
        text = turn["utterance"]
        for pair in turn["links"]:
            if len(pair) != 2:
                continue
            one, other = ((end["turn"], end["text"]) for end in pair)
            if named.get(root(one)) is None and root(other) in named:
                named[root(one)] = named[root(other)]
            parent[root(other)] = root(one)
        if number and number % 2 == 0:
            rewritten = _resolved(text, turn, root, named)
            if rewritten is not None:
                found.append(
                    RewriteExample(
                        f"{dialogue['dialog_id']}-linked-{turn['number']}", group, tuple(said), text, rewritten,
                        "linked", dialogue["domain"],
                    )
                )  # fmt: skip
        for mentions in turn["named_entities"].values():
            for mention in mentions:
                if (
                    any(word[0].isupper() for word in mention.split())
                    and mention.lower() not in PRONOUNS
                    and mention != "I"
                ):
                    here = root((turn["number"], mention))
                    first = next((w for w in mention.split()), "")
                    if first.lower() not in ("this", "that", "the", "my", "your", "it"):
                        named.setdefault(here, mention)
        said.append(Turn("user" if number % 2 == 0 else "system", text))
    return found


def _resolved(
    text: str, turn: Mapping[str, Any], root: Any, named: Mapping[Mention, str]
) -> str | None:
    read = tokens(text)
    mentions = {
        m
        for group in (turn["named_entities"], turn["references"])
        for ms in group.values()
        for m in ms
    }
    linked = {
        end["text"] for pair in turn["links"] for end in pair if end["turn"] == turn["number"]
    }
    edits: list[tuple[int, int, str]] = []
    for mention in sorted(mentions | linked, key=lambda m: (-len(m), m)):
        low = mention.lower()
        if low not in PRONOUNS:
            continue
        place = _where(read, mention)
        if place is None or any(a < place[1] and place[0] < b for a, b, _ in edits):
            continue
        if low == "one":
            place = _with_order(read, place)
        name = named.get(root((turn["number"], mention))) if mention in linked else None
        if name is None:
            return None
        edits.append((*place, name + (" 's" if low in POSSESSIVE else "")))
    for start, end, name in sorted(edits, reverse=True):
        text = text[:start] + name + text[end:]
    return text


ORDER = frozenset(["the", "first", "second", "third", "last", "other", "same", "that", "this"])


def _with_order(read: list[Token], place: tuple[int, int]) -> tuple[int, int]:
    """`one` with the words that say which."""
    start = place[0]
    for token in reversed(read):
        if token.end <= start:
            if token.key not in ORDER:
                break
            start = token.start
    return start, place[1]


def _where(read: list[Token], mention: str) -> tuple[int, int] | None:
    wanted = [token.text for token in tokens(mention)]
    have = [token.text for token in read]
    for at in range(len(have) - len(wanted) + 1):
        if have[at : at + len(wanted)] == wanted:
            return read[at].start, read[at + len(wanted) - 1].end
    return None
