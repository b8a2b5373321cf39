"""`ltrr evaluate-dialogue`: how well a dialogue manager follows real dialogues."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from cli.arguments import Json
from cli.output import counted, print_json, screen, watched

if TYPE_CHECKING:
    from benchmarks.dialogue_measures import Followed
    from benchmarks.dialogue_study import Report

group = typer.Typer()

Development = Annotated[
    bool, typer.Option("--development", help="Measure on dialogues kept for developing instead.")
]


@group.command("evaluate-dialogue")
def evaluate_dialogue(
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            show_default=False,
            help="A folder of Schema-Guided Dialogue: dialogues.jsonl.gz and schema_*.json.",
        ),
    ],
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            show_default=False,
            help="Train on N dialogues alone, and on these and what is simulated from them.",
        ),
    ] = None,
    simulated: Annotated[
        int, typer.Option(min=1, metavar="N", help="With --samples: dialogues to simulate.")
    ] = 4000,
    steps: Annotated[int, typer.Option(min=1, metavar="N", help="Batches of training.")] = 4000,
    vectors: Annotated[
        bool,
        typer.Option(help="Words also by their frozen vectors, distilled from MiniLM."),
    ] = True,
    seed: Annotated[int, typer.Option(help="Of training, samples and simulation.")] = 0,
    development: Development = False,
    json: Json = False,
) -> None:
    """Measure a dialogue manager on dialogues it was not trained on.

    It trains on the part train and follows the part dev, turn by turn on its own
    state: is the whole state right (joint goal accuracy), is the next action? With
    --samples, errors after training on a few dialogues, with and without simulation.

    [dim]ltrr evaluate-dialogue data/sgd-music[/]

    [dim]ltrr evaluate-dialogue data/sgd-music --samples 20[/]
    """
    from benchmarks import dialogue_study as study
    from conversation.dialogue_training import DialogueTraining
    from conversation.sgd import is_sgd, read_domains, read_sgd

    if not is_sgd(data):
        raise typer.BadParameter(
            f"{data}: found no dialogues.jsonl.gz beside a schema_*.json, expected a folder of "
            f"Schema-Guided Dialogue",
            param_hint="DATA",
        )
    parts, domains = [*read_sgd(data)], read_domains(data)
    training = DialogueTraining(steps=steps, seed=seed)
    progress = _progress(steps) if watched() else None
    found, size = study.minilm_vectors() if vectors else (None, 0)
    if samples is not None:
        test = study.held_out(parts, 1 if development else 0)
        alone, more = study.study_samples(
            parts, domains, training, samples, simulated, test, found, size, progress
        )
        reports = {f"{samples} samples alone": alone, "and simulated ones": more}
    else:
        if development:
            parts = study.developing(parts)
        report = study.study_whole(parts, domains, training, found, size, progress)
        reports = {"trained on train": report}
    if json:
        print_json({name: _json(report) for name, report in reports.items()})
    else:
        _print(reports)


def _progress(steps: int) -> Any:
    from tqdm import tqdm

    bar = tqdm(total=steps, desc="training", unit=" batches")

    def progress(share: float) -> None:
        bar.n = round(share * steps)
        bar.refresh()

    return progress


def _services(report: Report) -> dict[str, Followed]:
    from benchmarks.dialogue_measures import together

    found = dict(sorted(report.by_service.items()))
    return found | {"all": together(found.values())}


def _json(report: Report) -> dict[str, Any]:
    return {
        "dialogues": report.dialogues,
        "turns": report.turns,
        "services": {
            service: {
                "seen": service in report.seen,
                "turns": counts.turns,
                "joint_goal_accuracy": counts.joint_goal_accuracy,
                "intent_accuracy": counts.intents / max(counts.turns, 1),
                "action_errors": counts.action_errors,
                "argument_errors": counts.argument_errors,
                "milliseconds": counts.median_milliseconds,
                "actions": {
                    name: {
                        "expected": counts.expected[name],
                        "f1": counts.f1(name),
                        "f1_with_arguments": counts.f1(name, whole=True),
                    }
                    for name in sorted(counts.expected)
                },
            }
            for service, counts in _services(report).items()
        },
    }


def _print(reports: dict[str, Report]) -> None:
    console = screen()
    for name, report in reports.items():
        of = f"{counted(report.dialogues, 'dialogue')}, {counted(report.turns, 'turn')}"
        console.print(f"\n{name} ({of})")
        table = _table("service", "", "turns", "joint goal", "intent", "errors", "ms")
        for service, counts in _services(report).items():
            seen = "" if service in report.seen or service == "all" else "never seen"
            table.add_row(
                f"  {service}",
                seen,
                f"{counts.turns:,}",
                f"{counts.joint_goal_accuracy:.3f}",
                f"{counts.intents / counts.turns:.3f}",
                f"{counts.action_errors:,} of actions, {counts.argument_errors:,} of arguments",
                f"{counts.median_milliseconds:.1f}",
            )
        console.print(table)
    last = _services([*reports.values()][-1])
    table = _table("action", "expected", *(f"F1 {service}" for service in last))
    for action in sorted({name for counts in last.values() for name in counts.expected}):
        row = [f"  {action}", str(max(counts.expected[action] for counts in last.values()))]
        for counts in last.values():
            known = counts.expected[action] or counts.done[action]
            whole = f"{counts.f1(action):.3f} ({counts.f1(action, whole=True):.3f})"
            row.append(whole if known else "")
        table.add_row(*row)
    console.print("\nActions: F1 by name, in brackets with the arguments")
    console.print(table)
    errors = [_services(report)["all"].errors for report in reports.values()]
    if len(errors) > 1:
        console.print(
            f"\nerrors of actions and arguments: {errors[0]:,} and {errors[1]:,}, "
            f"{1 - errors[1] / max(errors[0], 1):.1%} fewer"
        )


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for at, heading in enumerate(headings):
        table.add_column(
            f"  {heading}" if not at else heading, justify="left" if at < 2 else "right"
        )
    return table
