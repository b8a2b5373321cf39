"""The tables that the demo prints."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from rich.table import Table

from demo.comparison import FIXED, LTRR, MINMAX, ORACLE, RRF, Compared
from demo.listeners import INTENTS, PAGE
from demo.listening import Observed, Round
from demo.telling import INTENT_NAMES, REASONS, failures, plan_words
from engine import Response

MARKS = {
    "bm25": "b", "fuzzy": "f", "dense": "d", "structured": "s", "memory": "m", "personal": "p", "discovery": "n",
    "popular": "★",
}  # fmt: skip
"""Generators as the tables name them; the number behind is a rank, or the depth asked for."""
LABELS = {
    LTRR: "ltrr (all of them, learnt)", RRF: "RRF of all", MINMAX: "min-max fusion of all",
    FIXED: "best fixed plan (in hindsight) + its ranker",
    ORACLE: "oracle plan (knows what is wanted)",
}  # fmt: skip


def side_by_side(old: Response, new: Response) -> Table:
    """The first five results of a search before and after."""
    table = Table(title=f"“{new.query.typed}”", title_justify="left", title_style="bold")
    for name in ("before learning", "after"):
        table.add_column(name, width=38, no_wrap=True)
        table.add_column("found by", width=15, no_wrap=True, style="dim")
    for place in range(5):
        table.add_row(*_line(old, place), *_line(new, place))
    table.add_section()
    table.add_row(*_plan(old), *_plan(new), style="dim")
    return table


def _line(response: Response, place: int) -> tuple[str, str]:
    if place >= len(response.hits):
        return "", ""
    hit = response.hits[place]
    artist = ", ".join(hit.document.values("artist"))
    found = " ".join(f"{MARKS.get(name, name)}{at.rank}" for name, at in hit.sources.items())
    named = f"{hit.document.title} – {artist}" if artist else hit.document.title
    return f"{named} ({hit.document.type})", found


def _plan(response: Response) -> tuple[str, str]:
    asked = " ".join(f"{MARKS.get(name, name)}{d}" for name, d in response.plan.items() if d)
    return f"asked {asked or 'none'}", f"→ {response.candidates}"


def over_time(history: Sequence[Round]) -> Table:
    """Success of each round, as the listeners saw it."""
    table = _table(f"success@{PAGE} over time, in %", "searches", *INTENTS, "all", "candidates")
    sizes = [len(done.searched) for done in history]
    for done, end, size in zip(history, accumulate(sizes), sizes, strict=True):
        of = {i: [s.place > 0 for s in done.searched if s.wish.intent == i] for i in INTENTS}
        of["all"] = [s.place > 0 for s in done.searched]
        shares = [f"{100 * np.mean(found):.0f}" if found else "" for found in of.values()]
        mean = np.mean([s.candidates for s in done.searched])
        table.add_row(f"{end - size + 1:,}–{end:,}", *shares, f"{mean:.1f}")
    return table


def comparison(compared: Compared) -> Table:
    """All systems, the best first."""
    table = _table(
        f"the next {len(compared.intents):,} searches, answered after learning",
        "system", "success@1", f"success@{PAGE}", "candidates", "ltrr is ahead by",
    )  # fmt: skip
    for name in sorted(compared.places, key=lambda n: -compared.success(n)):
        lead, reach = (100.0 * figure for figure in compared.lead(name))
        table.add_row(
            LABELS.get(name, name), f"{100 * compared.success(name, 1):.1f}%",
            f"{100 * compared.success(name):.1f}%", f"{compared.candidates[name]:.1f}",
            "" if name == LTRR else f"{lead:+.1f} ± {reach:.1f}",
            style="bold" if name == LTRR else "dim" if name == ORACLE else "",
        )  # fmt: skip
    return table


def by_intent(compared: Compared, names: Sequence[str], tested: Sequence[Observed]) -> Table:
    """What each intent gets: quality, cost and plan, beside the best of the other systems."""
    table = _table(
        "the same searches by what was wanted",
        "wanted", "searches", "success@1", f"success@{PAGE}", "best other", "candidates", "plan",
    )  # fmt: skip
    others = [name for name in compared.places if name not in (LTRR, ORACLE)]
    for intent, label in INTENT_NAMES.items():
        of = [one.searched for one in tested if one.searched.wish.intent == intent]
        if not of:
            continue
        best = max(others, key=lambda name: compared.success(name, intent=intent))
        table.add_row(
            label, f"{len(of)}", f"{100 * compared.success(LTRR, 1, intent):.1f}%",
            f"{100 * compared.success(LTRR, intent=intent):.1f}%",
            f"{100 * compared.success(best, intent=intent):.1f}% {best}",
            f"{np.mean([one.candidates for one in of]):.1f}", plan_words(names, of),
        )  # fmt: skip
    return table


def failing(tested: Sequence[Observed]) -> Table:
    """Where it still fails, and for which reason."""
    full = int(tested[0].state.ladder[-1])
    table = _table(
        "where it still fails, in searches",
        "wanted", "failed", *(why.format(full=full) for why in REASONS.values()),
    )  # fmt: skip
    counted = failures(tested)
    for intent, label in INTENT_NAMES.items():
        of = sum(one.searched.wish.intent == intent for one in tested)
        if intent in counted:
            missed = counted[intent]
            failed = sum(missed.values())
            table.add_row(label, f"{failed} of {of}", *(str(missed[why]) for why in REASONS))
    return table


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(first)
    for other in others:
        table.add_column(other, justify="left" if other == "plan" else "right")
    return table
