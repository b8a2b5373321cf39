"""Moves that any task has: answers, consent, thanks, wishes in the words of the declared actions.

A handful of samples shows a handful of ways to say yes. What a move is for can be told from what it
follows and leads to, whatever the task: then there are words for it here. And every declared action
can be wished for in its own words, with any of its arguments, whether a sample does so or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from conversation.actions import (
    ASK,
    CONFIRM,
    DONTCARE,
    INFORM,
    MORE,
    OFFER,
    PROPOSE,
    STOP,
    Actions,
    Declared,
)
from conversation.general_phrases import (
    CARELESS,
    PHRASES,
    SLOT_PHRASES,
    TITLE_PHRASES,
    TOLD,
    WISHES,
)
from conversation.moves import START, After, Doing, Moves, Own, Source, SystemMove, UserMove
from conversation.words import plain_words

_CUT = re.compile(r"[,.(]| by | with | optionally| based | on the | of the | in a ")
MOST = 3
"""Arguments that a wish brings along, at most."""


def purpose(move: UserMove) -> str | None:
    """What a move is for, a key of `PHRASES`; None where its own words are needed."""
    after = {name.split(":")[0] for name in move.after[0]}
    next = {doing.name for doing in move.actions}
    open = [own for own in move.own if own.fixed is None]
    if len(open) < len(move.own) or len(next) != 1:
        return None
    if len(open) == 1:
        if open[0].recall and not after & {ASK, CONFIRM}:
            return "select"
        return "give" if ASK in after and not open[0].recall else None
    if open or not after:
        return None
    constants = [s for doing in move.actions for n, s in doing.arguments if s.kind == "constant"]
    if next == {INFORM}:
        return "fact"
    if next == {STOP}:
        return "end" if after & {MORE, PROPOSE} else "thanks"
    if next == {MORE}:
        return "decline" if PROPOSE in after else "thanks"
    if next == {OFFER}:
        return "another"
    if CONFIRM in after:
        return None if constants or next == {CONFIRM} else "consent"
    if PROPOSE in after:
        return None if constants and next != {CONFIRM} else "agree"
    return "accept" if next == {PROPOSE} else None


def words_for(move: UserMove) -> Sequence[str]:
    """Other words for a move, none where its own are needed."""
    key = purpose(move)
    if key == "fact":
        facts = [s.value for doing in move.actions for n, s in doing.arguments if n == "argument"]
        return [p.format(" ".join(plain_words(facts[0]))) for p in PHRASES["fact"]] if facts else ()
    return PHRASES.get(key or "", ())


class GeneralMoves:
    """Moves made of the declared actions: wishes, answers to questions, other choices."""

    def __init__(self, actions: Actions, moves: Moves) -> None:
        self.user: dict[After, list[UserMove]] = {}
        self.system: dict[tuple[str, ...], list[SystemMove]] = {}
        self._moves = moves
        for action in actions.by_name.values():
            self._wishes(action)
            self._answers(action)
        for move in [move for named in moves.system.values() for move in named]:
            if move.actions and move.actions[0].startswith(CONFIRM):
                self._other_choices(move, actions)
                self._corrections(move, actions)
            elif move.after[1] and len(move.actions) == 1:
                self._looking_on(move, actions)

    def _wishes(self, action: Declared) -> None:
        names = [p.name for p in action.parameters if p.name in self._moves.open]
        for count in range(min(MOST, len(names)) + 1):
            for chosen in combinations(names, count):
                for at, text in enumerate(_wishes(action, chosen)):
                    own = tuple(Own(name) for name in chosen)
                    self._add(START, text, own, action, chosen, keeps=False)
                    left = [p.name for p in action.parameters if not p.required]
                    left = [name for name in left if name in self._moves.open - {*chosen}]
                    if left and at % 3 == 0:
                        free = left[at % len(left)]
                        said = CARELESS[at % len(CARELESS)].format(" ".join(plain_words(free)))
                        self._add(START, f"{text}, {said}", own, action, chosen, False, free)

    def _answers(self, action: Declared) -> None:
        for parameter in action.parameters:
            name = parameter.name
            asking = f"{ASK}:{name}:{action.name}"
            words = " ".join(plain_words(name))
            for text in (f"Which {words}?", f"What {words} would you like?", f"What {words}?"):
                move = SystemMove((asking,), text, (), "")
                self.system.setdefault((asking,), []).append(move)
            if name in self._moves.open:
                after = ((asking,), 0, "")
                given = [name, *(p for p in action.required if p != name)]
                for text in PHRASES["give"]:
                    self._add(after, text, (Own(name),), action, given[:1], keeps=True)

    def _other_choices(self, confirming: SystemMove, actions: Actions) -> None:
        """No, with subtitles; no, on the kitchen speaker."""
        told = {*confirming.actions[0].split(":")[1:]}
        for parameter in (p for a in actions.by_name.values() for p in a.parameters):
            if not told & {*parameter.choices}:
                continue
            said = next(each for each in parameter.choices if each in told)
            for choice in parameter.choices:
                self._confirming(confirming, said, choice)
                argument = (parameter.name, Source("constant", value=choice))
                for text in _choosing(parameter.name, choice):
                    doing = Doing(CONFIRM, True, (argument,))
                    owner = next(a for a in actions.by_name.values() if parameter in a.parameters)
                    wants = Doing(owner.name, True, (argument,))
                    after = confirming.after
                    move = UserMove(after, text, (), None, (), (doing,), wants, frozenset())
                    self.user.setdefault(after, []).append(move)

    def _corrections(self, confirming: SystemMove, actions: Actions) -> None:
        """No, another one."""
        for name in {field for field, _, fixed in confirming.slots if fixed is None}:
            for action in (a for a in actions.by_name.values() if a.confirmed):
                if action.parameter(name):
                    own = (name, Source("own", 0))
                    added = self._moves.defaults.get(action.name, {})
                    rest = tuple((n, Source("confirmed")) for n in added)
                    doings = (Doing(CONFIRM, True, (own, *rest)),)
                    self._say(
                        confirming.after, "correct", name, doings, Doing(action.name, True, (own,))
                    )

    def _looking_on(self, found: SystemMove, actions: Actions) -> None:
        """Something else, by what was named or what it is; a fact of what was found."""
        finds = [a for a in actions.by_name.values() if not a.confirmed]
        if found.actions[0] not in (OFFER, *(a.name for a in finds)):
            return
        for action in finds:
            for parameter in action.parameters:
                name = parameter.name
                if name in self._moves.open:
                    wants = Doing(action.name, True, ((name, Source("own", 0)),))
                    self._say(found.after, "more", name, (wants,), wants)

    def _say(
        self, after: After, purpose: str, name: str, doings: tuple[Doing, ...], wants: Doing
    ) -> None:
        for text in PHRASES[purpose]:
            move = UserMove(after, text, (Own(name),), None, (), doings, wants, frozenset({name}))
            found = self.user.setdefault(after, [])
            if move not in found:
                found.append(move)

    def _confirming(self, move: SystemMove, said: str, choice: str) -> None:
        """The system's question with another choice, where it names it by its own words."""
        text = re.sub(re.escape(said), choice, move.text, flags=re.IGNORECASE)
        does = tuple(name.replace(f":{said}", f":{choice}") for name in move.actions)
        if text != move.text and does != move.actions:
            other = SystemMove(does, text, move.slots, move.type)
            self.system.setdefault(does, []).append(other)

    def _add(
        self,
        after: After,
        text: str,
        own: tuple[Own, ...],
        action: Declared,
        given: Sequence[str],
        keeps: bool,
        free: str = "",
    ) -> None:
        arguments = tuple((name, Source("own", at)) for at, name in enumerate(given))
        if free:
            arguments += ((free, Source("constant", value=DONTCARE)),)
        missing = [name for name in action.required if name not in given]
        wants = Doing(action.name, keeps, arguments)
        if missing and not keeps:
            asked = (("argument", Source("constant", value=missing[0])),)
            doing = Doing(ASK, False, asked)
        elif action.confirmed:
            closed = tuple(
                (name, Source("constant", value=value))
                for name, value in self._moves.defaults.get(action.name, {}).items()
                if name not in given
            )
            doing = Doing(CONFIRM, keeps, (*arguments, *closed))
        else:
            doing = wants
        move = UserMove(after, text, own, None, (), (doing,), wants, frozenset())
        self.user.setdefault(after, []).append(move)


def _wishes(action: Declared, chosen: Sequence[str]) -> Iterator[str]:
    """Sentences that wish for an action with some arguments: I want to find movies with genre {0}."""
    verb, *nouns = plain_words(action.name)
    thing = " ".join(nouns)
    short = {name: " ".join(plain_words(name)) for name in chosen}
    told = _CUT.split(action.description.lower())[0].strip()
    sayings = [wish.format(verb=verb, thing=thing) for wish in WISHES.get(verb, WISHES["do"])]
    if told:
        sayings += [wish.format(told) for wish in TOLD]
    for said in sayings:
        if not chosen:
            yield said
            continue
        for phrases in (SLOT_PHRASES, TITLE_PHRASES):
            parts = [phrases[(len(said) + at) % len(phrases)] for at in range(len(chosen))]
            filled = [
                part.replace("NAME", short[name]).replace("VALUE", f"{{{at}}}")
                for at, (part, name) in enumerate(zip(parts, chosen, strict=True))
            ]
            yield " ".join([said, *filled]).replace(" ,", ",").replace(" .", ".")


def _choosing(name: str, choice: str) -> Iterable[str]:
    words = " ".join(plain_words(name))
    if choice in ("True", "False"):
        has = "with" if choice == "True" else "without"
        return [f"no, {has} {words}", f"{has} {words} please", f"I want it {has} {words}"]
    return [
        *(f"no, {choice}", f"no, on the {choice}", f"{choice} please", f"use the {choice}"),
        *(f"I want it on the {choice}", f"no, on my {choice} please", f"make it {choice}"),
    ]
