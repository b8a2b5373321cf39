"""The command `ltrr`. Every module of this package that has a `group` adds its commands."""

from __future__ import annotations

import importlib
import os
import pkgutil
from importlib.metadata import version
from typing import Annotated

import typer

import cli
from cli.refusing import Commands

# Read when numpy is first imported: its many small products gain nothing from threads that wait for
# each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Read when LightGBM is: its threads meet after every small step, and those that wait for one whose
# core is busy elsewhere must not burn theirs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

FIRST = ("indexing", "importing", "searching", "feedback", "learning")
"""Groups in the order of a first use; those of other modules follow by name."""

app = typer.Typer(
    name="ltrr",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ltrr {version('ltrr')}")
        raise typer.Exit


@app.callback()
def ltrr(
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """A search engine whose retrieval learns from what people click.

    A first round: [bold]ltrr index[/] a catalogue, [bold]ltrr search[/] it, tell it what was
    clicked with [bold]ltrr feedback[/], then [bold]ltrr learn[/].
    """


def _place(name: str) -> tuple[int, str]:
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


for _name in sorted((module.name for module in pkgutil.iter_modules(cli.__path__)), key=_place):
    if _name == "main":
        continue
    _group = getattr(importlib.import_module(f"cli.{_name}"), "group", None)
    if isinstance(_group, typer.Typer):
        app.add_typer(_group)
