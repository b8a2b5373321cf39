"""What a conversation says of what was found, and of what is done with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversation.actions import ASK, ASK_WHICH, DONTCARE, MORE, STOP
from conversation.base import Action, AnnotatedTurn, Slot
from retrievers.base import Document

PLAY = "play"
"""The action that is done with one item."""
SORT = "sort"
"""The argument that says which comes first, and nothing of an item."""
NAMED, EITHER, CHOICES = 3, 2, 5
"""Results that an answer names; that a question of which one names; that one chooses from."""
LONGEST = 200
"""Characters of a name, at most."""
BY = ("artist", "artists", "author", "authors", "creator", "brand")
"""Metadata that says whose work an item is."""
APART = ("version", "edition", "album", "year")
"""Metadata that tells items of one name apart, the first that does."""


@dataclass(frozen=True, slots=True)
class About:
    """An item that something is done with, or that can be chosen, and what it is called then."""

    document: Document
    text: str


@dataclass(frozen=True, slots=True)
class Said:
    """The system's turn. `about`: the item that is played, or those that can be chosen from, where
    it plays or asks which one."""

    turn: AnnotatedTurn
    about: tuple[About, ...] = ()


def said_of(actions: Sequence[Action], found: Sequence[Document]) -> Said:
    """What is said of actions and of what was found; of several the first that says something."""
    for action in actions:
        argument = str(next(iter(action.arguments.values()), ""))
        if action.name == STOP:
            return Said(AnnotatedTurn("system", "Bye.", (), tuple(actions)))
        if action.name == ASK:
            asks = f"Which {argument.replace('_', ' ') or 'one'}?"
            return Said(AnnotatedTurn("system", asks, (), tuple(actions)))
        if action.name == MORE:
            return Said(AnnotatedTurn("system", "Anything else?", (), tuple(actions)))
        if action.name == ASK_WHICH and found:
            same = [d for d in found if d.title.casefold() == argument.casefold()] or found
            names = _names_apart(same[:CHOICES])
            turn = _told("Do you mean ", names[:EITHER], " or ", "?", actions)
            return Said(turn, tuple(map(About, same, (name.text for name in names))))
        if action.name == PLAY:
            fitting = _fitting(found, action.arguments)
            if fitting is not None:
                return playing(fitting, actions)
    if not found:
        return Said(AnnotatedTurn("system", "I found nothing.", (), tuple(actions)))
    named = list({name.text: name for name in map(_name, found[:NAMED])}.values())
    return Said(_told("I found ", named, " and ", ".", actions))


def playing(document: Document, actions: Sequence[Action] = (Action(PLAY),)) -> Said:
    """What is said of one item that is played."""
    name = _name(document)
    return Said(_told("Playing ", [name], "", ".", actions), (About(document, name.text),))


def agreement(document: Document, arguments: Mapping[str, str]) -> int | None:
    """How many arguments the kind, title and metadata of an item agree with; None where one is
    against it. What is not known of an item is neither."""
    agree = 0
    for name, value in arguments.items():
        if name == "kind":
            known: tuple[str, ...] = () if document.type is None else (document.type,)
        elif name == document.type:
            known = (document.title,)
        else:
            known = document.values(name)
        if known and value != DONTCARE:
            if value.casefold() not in map(str.casefold, known):
                return None
            agree += 1
    return agree


def _fitting(found: Sequence[Document], arguments: Mapping[str, str]) -> Document | None:
    """What agrees with most arguments, and none is against; of equals the first. Where something in
    particular is wanted and nothing agrees with any of it, None."""
    agreements = [agreement(document, arguments) for document in found]
    best = max((n for n in agreements if n is not None), default=None)
    particular = any(n != SORT and value != DONTCARE for n, value in arguments.items())
    if best is None or (best == 0 and particular):
        return None
    return found[agreements.index(best)]


def called(document: Document) -> str:
    """A title and whose work it is."""
    by = next((", ".join(document.values(key)) for key in BY if document.values(key)), "")
    title = document.title or document.id
    return f"{title} by {by}" if by else title


@dataclass(frozen=True, slots=True)
class _Name:
    """What an item is called, and the fields that stand in it."""

    text: str
    slots: tuple[Slot, ...]


def _names_apart(documents: Sequence[Document]) -> list[_Name]:
    """Names, with what tells items apart that would be called the same."""
    plain = [_name(document) for document in documents]
    told = []
    for document, name in zip(documents, plain, strict=True):
        same = [d for d, n in zip(documents, plain, strict=True) if n.text == name.text]
        telling = (key for key in APART if len({d.values(key) for d in same}) == len(same) > 1)
        told.append(_name(document, next(telling, None)))
    return told


def _name(document: Document, apart: str | None = None) -> _Name:
    title = document.title or document.id
    parts = [("", document.type or "title", title)]
    parts += [(" by ", key, value) for key in BY for value in document.values(key)][:1]
    if apart is not None:
        parts += [(" (", apart, value) for value in document.values(apart)][:1]
    text, slots = "", []
    for before, name, value in parts:
        text += before
        shown = value[:LONGEST]
        slots.append(Slot(name, shown, len(text), len(text) + len(shown)))
        text += shown + (")" if before == " (" else "")
    return _Name(text, tuple(slots))


def _told(
    head: str, names: Sequence[_Name], last: str, end: str, actions: Sequence[Action]
) -> AnnotatedTurn:
    """A turn that names items, with their slots where they stand in it."""
    text, slots = head, []
    for place, name in enumerate(names):
        if place:
            text += last if place == len(names) - 1 else ", "
        slots += [Slot(s.name, s.value, s.start + len(text), s.end + len(text)) for s in name.slots]
        text += name.text
    return AnnotatedTurn("system", text + end, tuple(slots), tuple(actions))
