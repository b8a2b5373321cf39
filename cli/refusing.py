"""How every command fails: one line on standard error and exit code 2, never a traceback."""

from __future__ import annotations

import errno
import json
from typing import Any

import typer
from rich.text import Text
from typer.core import TyperGroup

from cli.output import problems

REFUSED = 2
INTERRUPTED = 130
"""128 + SIGINT, as shells have it."""
WANTS_JSON = "ltrr.json"


def remember_json(context: typer.Context, wanted: bool) -> bool:
    """Callback of `--json`, so that an error is JSON too."""
    context.meta[WANTS_JSON] = wanted
    return wanted


class Commands(TyperGroup):
    """The commands of `ltrr`, with one way to fail.

    `LtrrError` is the engine's own. Generators, policies and rankers know nothing of the engine
    and refuse with ValueError; a model that can't be had is an OSError or ImportError.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as e:
            self._fail(ctx, "interrupted; what was recorded before is kept")
            raise typer.Exit(INTERRUPTED) from e
        except OSError as e:
            if e.errno == errno.EPIPE:
                raise
            where = f"{e.filename}: " if e.filename else ""
            self._fail(ctx, f"{where}{e.strerror or e}")
            raise typer.Exit(REFUSED) from e
        except (ValueError, ImportError) as e:
            self._fail(ctx, str(e))
            raise typer.Exit(REFUSED) from e
        except Exception as e:
            # Imported here so that --help need not wait for the engine.
            from engine.errors import LtrrError

            if not isinstance(e, LtrrError):
                raise
            self._fail(ctx, str(e))
            raise typer.Exit(REFUSED) from e

    @staticmethod
    def _fail(ctx: Any, message: str) -> None:
        line = " ".join(message.split())
        if ctx.meta.get(WANTS_JSON):
            typer.echo(json.dumps({"error": line}, ensure_ascii=False), err=True)
            return
        problems().print(Text.assemble(("error: ", "bold red"), (line, "red")), soft_wrap=True)
