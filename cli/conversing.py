"""`ltrr train-conversation`: the model with which conversations are understood."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.arguments import Json
from cli.output import counted, duration, print_facts, print_json, problems, screen, watched

group = typer.Typer()


@group.command("train-conversation")
def train_conversation(
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="DIR", show_default=False, help="Where the model goes."
        ),
    ],
    dialogues: Annotated[
        list[Path] | None,
        typer.Option(
            "--dialogues",
            metavar="PATH",
            show_default=False,
            help="Dialogues to learn from too, as often as there are: files or folders of mudoco, "
            "alexa-cqr, canard or sgd-music, or in the layout of conversation/dialogues_file.py.",
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            show_default=False,
            help="Train this part alone: tagger, rewriter or dialogue \\[default: all].",
        ),
    ] = None,
    simulate: Annotated[
        int | None,
        typer.Option(
            min=100,
            metavar="N",
            show_default=False,
            help="Simulated dialogues for every part \\[default: by part].",
        ),
    ] = None,
    steps: Annotated[
        int, typer.Option(min=1, metavar="N", help="Batches of the dialogue manager's training.")
    ] = 4000,
    seed: Annotated[int, typer.Option(help="The same seed, the same files.")] = 0,
    json: Json = False,
) -> None:
    """Train tagger, rewriter and dialogue manager for the demo's conversations.

    They learn from dialogues that two agents play out over the demo's catalogue, and
    from those named. At most half an hour on two cores.

    [dim]ltrr train-conversation --out build/conversation[/]

    [dim]ltrr train-conversation --dialogues data/mudoco --part rewriter --out build/mine[/]
    """
    from conversation.layouts import read_layout
    from demo.conversing import PARTS, Schooling
    from demo.conversing import train_conversation as trained

    parts = tuple(part or PARTS)
    if unknown := [name for name in parts if name not in PARTS]:
        raise typer.BadParameter(
            f"found {unknown[0]!r}, expected one of {', '.join(PARTS)}", param_hint="--part"
        )
    started = time.perf_counter()
    named = [read_layout(path) for path in dialogues or ()]
    sizes: dict[str, Any] = {} if simulate is None else dict.fromkeys(PARTS, simulate)
    schooling = Schooling(steps=steps, seed=seed, named=named, parts=parts, **sizes)
    console = problems()
    found = trained(out, schooling, console.print, progress=watched())
    facts = {
        name: f"{path} ({path.stat().st_size / 1e6:.2f} MB)" for name, path in found.files.items()
    }
    tried = found.rehearsed
    if json:
        print_json({"files": found.files, "read": [read.layout for read in named], "tried": tried})
        return
    screen().print(f"Trained in {duration(time.perf_counter() - started)}")
    for path, read in zip(dialogues or (), named, strict=True):
        facts[str(path)] = (
            f"{read.layout}: {counted(len(read.dialogues) + len(read.lessons), 'dialogue')}, "
            f"{counted(len(read.rewrites), 'rewrite')}"
        )
    if tried is not None:
        facts["tried on"] = (
            f"{counted(tried.turns, 'turn')} of dialogues never seen: the next actions right in "
            f"{tried.actions / max(tried.turns, 1):.1%}, with arguments in "
            f"{tried.whole / max(tried.turns, 1):.1%}"
        )
    print_facts(screen(), facts)
