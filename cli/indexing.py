"""`ltrr index`: from a catalogue to an index."""

from __future__ import annotations

import time
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.arguments import DRAWN, Drawn, Foresight, Json
from cli.output import (
    command,
    counted,
    duration,
    print_facts,
    print_json,
    print_next,
    screen,
    watched,
)

if TYPE_CHECKING:
    from engine import EngineConfig, SearchEngine

group = typer.Typer()


@group.command("index")
def index(
    corpus: Annotated[
        Path,
        typer.Argument(
            metavar="CORPUS",
            show_default=False,
            help="Documents in BEIR's layout: corpus.jsonl(.gz), or a folder with one.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", metavar="DIR", show_default=False, help="Where the index is made."
        ),
    ],
    budget: Annotated[
        float | None,
        typer.Option(
            show_default=False,
            help="Candidates a search may send to the ranker in the mean \\[default: 80].",
        ),
    ] = None,
    generators: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,…",
            show_default=False,
            help="Candidate generators, of bm25, fuzzy, dense, structured, memory, "
            "personal, discovery, popular \\[default: all].",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FOLDER",
            show_default=False,
            help="A sentence-transformers model for the dense generator \\[default: MiniLM].",
        ),
    ] = None,
    conversation: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            show_default=False,
            help="What ltrr train-conversation made, to understand queries within a conversation.",
        ),
    ] = None,
    foresight: Foresight = True,
    drawn: Drawn = DRAWN,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    json: Json = False,
) -> None:
    """Index a catalogue, one JSON document a line.

    A document is {"_id": "t1", "title": "…", "text": "…", "metadata": {"type":
    "track", "artist": "…"}}; only _id is required. DIR must not hold an index yet.

    [dim]ltrr index corpus.jsonl.gz --out build/music[/]

    [dim]ltrr index corpus.jsonl --out build/quick --generators bm25,fuzzy,memory[/]
    """
    started = time.perf_counter()
    config = _config(budget, generators, model, seed, foresight, drawn)
    with _built(corpus, out, config, conversation) as engine:
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
        if json:
            print_json({"folder": out, "seconds": seconds, "bytes": size} | _contents(engine))
        else:
            _report(engine, out, seconds, size)


def _config(
    budget: float | None,
    generators: str | None,
    model: str | None,
    seed: int,
    foresight: bool,
    drawn: float,
) -> EngineConfig:
    from engine import BadInput, EngineConfig

    config = EngineConfig(seed=seed)
    names = config.generators
    if generators is not None:
        names = tuple(name.strip() for name in generators.split(",") if name.strip())
    if model is not None and "dense" not in names:
        raise BadInput(f"--model: {model!r} is for the generator dense, which is not among {names}")
    if model is not None and (model.startswith((".", "/", "~")) or Path(model).is_dir()):
        # Absolute, so that it is found again from wherever the index is opened.
        place = Path(model).expanduser().resolve()
        if not place.is_dir():
            raise BadInput(
                f"--model: no folder {place}; expected one of a sentence-transformers model"
            )
        model = str(place)
    return EngineConfig(
        seed=seed,
        generators=names,
        budget=config.budget if budget is None else budget,
        generator_options={} if model is None else {"dense": {"encoder": model}},
        foresight=foresight,
        drawn=drawn,
    )


def _built(
    corpus: Path, out: Path, config: EngineConfig, conversation: Path | None
) -> SearchEngine:
    from engine import BadDocuments, SearchEngine

    try:
        return SearchEngine.build(
            corpus, folder=out, config=config, conversation=conversation, progress=watched()
        )
    except BadDocuments as e:
        if str(corpus) in str(e) or str(out) in str(e):
            raise
        raise BadDocuments(f"{corpus}: {e}") from e


def _contents(engine: SearchEngine) -> dict[str, object]:
    catalog = engine.state.catalog
    codes = Counter(catalog.types[catalog.alive].tolist())
    types = {name: codes[code] for code, name in enumerate(catalog.type_names) if codes[code]}
    return {
        "documents": len(engine),
        "types": dict(sorted(types.items(), key=lambda item: (-item[1], item[0]))),
        "fields": sorted(catalog.fields),
        "generators": list(engine.state.retrievers),
        "budget": engine.config.budget,
    }


def _report(engine: SearchEngine, out: Path, seconds: float, size: int) -> None:
    console = screen()
    from engine.plain import plain

    contents = plain(_contents(engine))
    console.print(f"Indexed {counted(len(engine), 'document')} in {duration(seconds)} into {out}")
    types = ", ".join(f"{name} {count:,}" for name, count in contents["types"].items())
    print_facts(
        console,
        {
            "types": types or "none (metadata.type gives a document its type)",
            "filters": ", ".join(contents["fields"]),
            "generators": ", ".join(contents["generators"]),
            "budget": f"{engine.config.budget:g} candidates a search in the mean",
            "on disk": f"{size / 1e6:,.1f} MB",
        },
    )
    print_next(console, "Next:", command("ltrr", "search", str(out), _example(engine)))


def _example(engine: SearchEngine) -> str:
    """A title to search for; preferably one that needs no escapes in a shell."""
    first = islice(engine.state.catalog.documents(), 100)
    titles = [document.title for _, document in first if document.title]
    return next((t for t in titles if t.replace(" ", "").isalnum()), (titles or ["…"])[0])
