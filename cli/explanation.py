"""The way of a search, drawn: rewrite, plan, generators, features, rank; and why an item is missing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from cli.output import counted
from cli.results import about, differ, name_of, summary

if TYPE_CHECKING:
    from engine import Document, Explanation, Hit, Missing, Response

NOTICED = 1e-6
"""Shares of a click below which a price only keeps out what is expected to bring nothing at all."""
BUDGET_MET = "candidates are free: the budget is met at any depth"


def print_explanation(console: Console, response: Response, explanation: Explanation) -> None:
    """A tree in the order in which the search went."""
    root = Tree(Text(response.query.typed or "(empty query)", style="bold"), guide_style="dim")
    query = response.query
    rewritten = query.text != query.typed
    root.add(
        Text.assemble(
            ("rewrite  ", "bold"),
            f"“{query.typed}” → “{query.text}”" if rewritten else "none, searched as typed",
        )
    )
    root.add(_plan(explanation))
    root.add(_generators(response, explanation))
    ranking = root.add(
        Text.assemble(("ranking  ", "bold"), f"by {explanation.ranker}, {summary(response)}")
    )
    kinds = differ(response.hits)
    for hit in response.hits:
        _hit(ranking, hit, kinds, explanation.contributions.get(hit.id, {}))
    if not response.hits:
        ranking.add(Text("nothing found"))
    if explanation.meanings:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in explanation.meanings.items())
        root.add(Text.assemble(("meanings   ", "bold"), f"the page serves {shares}"))
    console.print(root)


def _plan(explanation: Explanation) -> Tree:
    price = f"{explanation.price:.2g} a candidate"
    if explanation.price < NOTICED:
        price = f"next to nothing, {price}" if explanation.price else BUDGET_MET
    plan = Tree(Text.assemble(("plan     ", "bold"), f"for a query of kind {explanation.kind}"))
    table = _columns("generator", "depth", "expected gain", "of it bonus", "probability")
    for step in explanation.steps:
        table.add_row(
            Text(step.generator),
            str(step.depth) if step.depth else "not asked",
            _number(step.gain),
            _number(step.bonus),
            f"{step.propensity:.3f}",
        )
    plan.add(table)
    plan.add(Text(f"price: {price}"))
    plan.add(Text(f"probability of the whole plan: {explanation.propensity:.3f}"))
    return plan


def _generators(response: Response, explanation: Explanation) -> Tree:
    asked = [step for step in explanation.steps if step.depth]
    drawn = sum(step.found for step in asked)
    dropped = f", {explanation.dropped:,} dropped before ranking" if explanation.dropped else ""
    generators = Tree(
        Text.assemble(
            ("retrieval  ", "bold"),
            f"{drawn:,} drawn, {counted(response.candidates, 'distinct candidate')}{dropped}",
        )
    )
    table = _columns("generator", "found", "of", "ms")
    for step in asked:
        table.add_row(Text(step.generator), str(step.found), str(step.depth), f"{step.ms:.1f}")
    generators.add(table if asked else Text("no generator was asked"))
    return generators


def _hit(ranking: Tree, hit: Hit, kind: bool, contributions: Mapping[str, float]) -> None:
    document, by = hit.document, about(hit.document, kind)
    node = ranking.add(
        Text.assemble(
            f"{hit.rank}  ",
            (name_of(document), "bold"),
            f"  {by}" if by else "",
            (f"  {hit.id}", "cyan"),
            (f"  score {hit.score:.3f}", "dim"),
        )
    )
    found = sorted(hit.sources.items(), key=lambda item: item[1].rank)
    node.add(
        Text(
            "found by " + ", ".join(f"{n} at {s.rank} (score {s.score:.3g})" for n, s in found),
        )
    )
    if contributions:
        node.add(Text("score mostly from " + _signed(contributions)))


def _signed(contributions: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:+.2f}" for name, value in contributions.items())


def print_missing(console: Console, missing: Missing, document: Document | None) -> None:
    """The reason in words, then where each generator has the item and how deep it was asked."""
    title = name_of(document) if document else ""
    console.print(Text.assemble((missing.item, "cyan"), (f"  {title}" if title else "", "bold")))
    console.print(missing.message[:1].upper() + missing.message[1:])
    if missing.ranks:
        table = _columns("generator", "has it at rank", "was asked for")
        for name, rank in missing.ranks.items():
            depth = missing.depths.get(name, 0)
            table.add_row(
                Text(name), "–" if rank is None else f"{rank:,}", str(depth) if depth else "nothing"
            )
        console.print(table)
    if missing.against:
        console.print("Against it, compared with the last item shown: " + _signed(missing.against))


def _columns(first: str, *others: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _number(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:.3f}"
