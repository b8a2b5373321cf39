"""Other words for the same: paraphrases, how values are spoken of, slips of the fingers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

Rng = np.random.Generator

ALIKE: tuple[tuple[str, ...], ...] = (
    ("play", "put on", "start playing"),
    ("find", "look for", "search for", "find me", "look up"),
    ("show me", "give me", "let me see", "list"),
    ("i want to", "i'd like to", "i would like to", "i wanna", "i am hoping to"),
    ("i want", "i'd like", "i need", "i am after"),
    ("can you", "could you", "would you", "will you", "can you please"),
    ("what about", "how about"),
    ("something", "anything"),
    ("song", "track", "tune"),
    ("songs", "tracks", "tunes"),
    ("movie", "film"),
    ("movies", "films"),
    ("yes", "yeah", "yep", "yup", "sure", "yes please"),
    ("no", "nope", "no thanks", "nah"),
    ("thanks", "thank you", "thanks a lot", "thank you so much", "cheers"),
    ("great", "good", "nice", "perfect", "awesome", "fine"),
    ("sounds", "seems", "looks"),
    ("i meant", "i mean", "i was thinking of"),
    ("actually", "sorry", "wait", "hmm"),
    ("when did it come out", "when was it released", "what year is it from", "how old is it"),
    ("who sings it", "who is it by", "who performs it", "who is singing"),
    ("released", "put out"),
    ("latest", "newest", "most recent"),
    ("another", "a different"),
    ("is that all", "that is all", "that's it", "that will be all", "nothing else"),
    ("goodbye", "bye", "see you"),
    ("right now", "now"),
    ("directed by", "from the director", "by director"),
)
"""English phrases that may stand for each other; of a meaning's samples each learns the others."""

OPENERS = ("please", "hey", "hi", "ok", "okay", "so", "um", "well", "alright")
CLOSERS = ("please", "thanks", "for me", "now", "if you can")
_GROUP = {phrase: group for group in ALIKE for phrase in group}
_PHRASE = re.compile(
    rf"(?<![\w{{])({'|'.join(sorted(map(re.escape, _GROUP), key=len, reverse=True))})(?![\w}}])",
    re.IGNORECASE,
)
_DECADE = re.compile(r"(\d\d)(\d)0s")
_TENS = {
    "2": "twenties",
    "3": "thirties",
    "4": "forties",
    "5": "fifties",
    "6": "sixties",
    "7": "seventies",
    "8": "eighties",
    "9": "nineties",
}


class Paraphrase:
    """Says each phrase of `ALIKE` otherwise with probability `rate`.

    The same phrase is changed in the same way wherever this is applied, so that a turn and its
    rewrite stay alike.
    """

    def __init__(self, rng: Rng, rate: float) -> None:
        self._rng, self._rate = rng, rate
        self._chosen: dict[str, str] = {}

    def __call__(self, template: str) -> str:
        """The template in other words."""
        return _PHRASE.sub(lambda found: self._other(found[0], True), template)

    def again(self, template: str) -> str:
        """The template with the phrases changed that have been changed before, no others."""
        return _PHRASE.sub(lambda found: self._other(found[0], False), template)

    def _other(self, found: str, more: bool) -> str:
        phrase = found.casefold()
        if phrase not in self._chosen and more:
            change = self._rng.random() < self._rate
            self._chosen[phrase] = _one(_GROUP[phrase], self._rng) if change else phrase
        new = self._chosen.get(phrase, phrase)
        if new == phrase:
            return found
        return new[0].upper() + new[1:] if found[0].isupper() else new


def padded(template: str, rng: Rng, rate: float) -> str:
    """The template with a filler before or after it, each with probability `rate`."""
    if rng.random() < rate:
        template = f"{_one(OPENERS, rng)} {template}"
    if rng.random() < rate and template[-1:] != "?":
        template = f"{template.rstrip('.!')} {_one(CLOSERS, rng)}"
    return template


_POLITE = re.compile(
    rf"^(?:(?:{'|'.join(OPENERS)}|(?:can|could|would|will) you|i(?:'d| would) like to|i want to)[ ,]+)+"
    r"|(?:[ ,]+(?:please|thanks|for me|now|if you can))+$",
    re.IGNORECASE,
)


def bare(text: str) -> str:
    """A request without the fillers and politeness around it."""
    return _POLITE.sub("", text.rstrip(".?!")) or text


def spoken(field: str, value: str, rng: Rng) -> str:
    """A value as people say it: decades without the century, titles without what is in brackets."""
    if decade := _DECADE.fullmatch(value):
        short = f"{decade[2]}0s"
        forms = [value, short, "'" + short]
        if decade[1] == "19" and decade[2] in _TENS:
            forms = [value, short, short, _TENS[decade[2]]]
        return _one(forms, rng) if decade[1] in ("19", "20") else value
    if field not in ("genre", "mood") and rng.random() < 0.8:
        value = re.sub(r"\s+[(\[][^()\[\]]*[)\]]$", "", value) or value
    return value


def slipped(text: str, rng: Rng) -> str:
    """One slip of the fingers inside a text of four characters or more: a letter left out, doubled,
    exchanged with the next or with its neighbour on the keyboard."""
    if len(text) < 4:
        return text
    at = int(rng.integers(1, len(text) - 1))
    match int(rng.integers(4)):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[: at + 1] + text[at] + text[at + 1 :]
        case 2:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case _:
            keys = "qwertyuiopasdfghjklzxcvbnm"
            place = keys.find(text[at].lower())
            near = keys[place - 1] if place > 0 else text[at]
            return text[:at] + near + text[at + 1 :]


def _one(options: Sequence[str], rng: Rng) -> str:
    return options[int(rng.integers(len(options)))]
