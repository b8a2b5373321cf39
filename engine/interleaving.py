"""One page of two states: the one in force and a staged challenger draft it in turns.

Each answers the search for itself, with its own plan, candidates and ranker. What is logged is what
can be learnt from honestly: the page as shown, who drafted what, and of the state in force its plan
and its candidates' features. The plan has no propensity, since the page is not its doing alone, so
that no off-policy estimate rests on it. What only the challenger brought has no features: like an
imported click outside the candidates it teaches the generators and the bandit, not the ranker.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.answering import Answer, answered, generator_of
from engine.config import EngineConfig
from engine.state import State
from rankers.interleaving import team_draft
from retrievers.base import Context

Team = Literal["incumbent", "challenger"]
TEAMS: tuple[Team, Team] = ("incumbent", "challenger")
"""By the numbers of `rankers.interleaving`."""


@dataclass(frozen=True, slots=True, eq=False)
class Challenger:
    """A staged state, the number of its snapshot, and the same of the one in force that it challenges."""

    snapshot: int
    state: State
    over: int
    incumbent: State


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One place of a page: whose answer the item is shown from, its index among the candidates there,
    and the team that gets the credit for it."""

    answer: Answer
    index: int
    team: Team | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """What is shown, best first.

    `first`: of the state in force, the indices of the candidates that are on the page, in its order;
    `interleaving`: what the log keeps of the draft, None where there was none; `notes` and `timings`:
    those of the answers it was made from.
    """

    places: tuple[Place, ...]
    first: NDArray[np.int64]
    notes: tuple[str, ...]
    timings: Mapping[str, float]
    interleaving: Mapping[str, Any] | None = None


def page_of(
    state: State,
    made: Answer,
    config: EngineConfig,
    given: Context,
    now: float,
    k: int,
    challenger: Challenger | None,
) -> Page:
    """The page of an answer of `state`, drafted with its challenger where there is one.

    Where that one fails the page is the answer's own, and a note says so; so it is, without a note,
    where the challenger challenges another state.
    """
    first = made.order[:k]
    alone = tuple(Place(made, index) for index in first.tolist())
    if challenger is None or challenger.incumbent is not state:
        return Page(alone, first, made.notes, made.timings)
    typed = made.query.typed
    try:
        theirs = answered(challenger.state, config, typed, given, now)
    except Exception as e:
        note = f"challenger: failed, not interleaved ({type(e).__name__}: {e})"
        return Page(alone, first, (*made.notes, note), made.timings)
    versions = (state.version, challenger.state.version)
    rng = generator_of(config.seed, versions, typed, given)
    places, first = _drafted(made, theirs, k, rng)
    spent = theirs.timings["total"]
    total = made.timings["total"] + spent
    return Page(
        places=places,
        first=first,
        notes=(*made.notes, *(f"challenger: {note}" for note in theirs.notes)),
        timings={**made.timings, "challenger": spent, "total": total},
        interleaving=logged(challenger, made, theirs, places),
    )


def _drafted(
    made: Answer, theirs: Answer, k: int, rng: np.random.Generator
) -> tuple[tuple[Place, ...], NDArray[np.int64]]:
    """The page, and the indices in `made` of what it has of it.

    An item of both is shown as the team that drafted it has it; without a team, as `made` has it.
    """
    answers = (made, theirs)
    orders = [one.candidates.docs[one.order] for one in answers]
    index = [
        dict(zip(docs.tolist(), one.order.tolist(), strict=True))
        for docs, one in zip(orders, answers, strict=True)
    ]
    page = team_draft(orders[0], orders[1], k, rng)
    places = []
    for doc, team in zip(page.docs.tolist(), page.teams.tolist(), strict=True):
        of = team if team >= 0 else int(doc not in index[0])
        places.append(Place(answers[of], index[of][doc], TEAMS[team] if team >= 0 else None))
    known = [index[0][doc] for doc in page.docs.tolist() if doc in index[0]]
    return tuple(places), np.array(known, np.int64)


def logged(
    challenger: Challenger, made: Answer, theirs: Answer, places: tuple[Place, ...]
) -> dict[str, Any]:
    """What the log keeps of a draft, and what is exported of it.

    {"incumbent": {"snapshot", "version", "depths"}, "challenger": {the same}, "teams"}: depths by
    generator, and the team of each item shown, None where a click on it is to nobody's credit.
    """

    def side(snapshot: int, state: State, answer: Answer) -> dict[str, Any]:
        depths = dict(zip(state.retrievers, answer.choice.depths.tolist(), strict=True))
        return {"snapshot": snapshot, "version": state.version, "depths": depths}

    return {
        "incumbent": side(challenger.over, challenger.incumbent, made),
        "challenger": side(challenger.snapshot, challenger.state, theirs),
        "teams": [one.team for one in places],
    }
