"""``duecourse VERB LEDGER [options]``: finds the verb, runs it, and turns every error into its exit code and cure.

Verbs are imported only when they are called, so that ``duecourse --help`` starts at once and a missing library
breaks only the verbs that need it.
"""

from __future__ import annotations

import importlib
import os
import sys

import click

from duecourse import __version__
from duecourse.core.errors import DuecourseError

# verb -> module; the order is the order of a first day with the program.
VERBS = {
    "run": "run", "import": "import_", "check": "check", "train": "train", "score": "score", "plan": "plan",
    "forecast": "forecast", "backtest": "backtest", "evaluate": "evaluate",
    "simulate": "simulate", "serve": "serve", "manage": "manage", "doctor": "doctor",
}  # fmt: skip


class Verbs(click.Group):
    """A command group whose commands are modules, loaded when named."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Verbs in the order in which a new user meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of one verb, or None when there is no such verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"duecourse.cli.{VERBS[cmd_name]}")
        command = getattr(module, VERBS[cmd_name])
        assert isinstance(command, click.Command)  # noqa: S101 - a verb module without its command is our bug
        return command


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="duecourse")
def cli() -> None:
    """Gets companies paid in due course: who will pay when, whom to contact today and why, and how wrong it may be.

    LEDGER is a ledger directory or an export (CSV, XLSX, Parquet), which is imported on the fly.
    """


def main() -> None:
    """Entry point. Exit codes: 0 done, 2 wrong usage, 3 bad input, 4 not enough data, 1 anything else."""
    # OpenMP threads that spin while they wait make training ten times slower on a machine that has other work too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except DuecourseError as error:
        click.echo(f"duecourse: {error}", err=True)
        sys.exit(error.exit_code)
    except MemoryError:
        click.echo("duecourse: out of memory; give the machine more memory or import a shorter history", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(f"duecourse: {error.filename or 'input or output'}: {error.strerror or error}", err=True)
        sys.exit(1)
    except Exception as error:
        if os.environ.get("DUECOURSE_DEBUG"):
            raise
        click.echo(
            f"duecourse: this is a fault of the program, not of your data: {type(error).__name__}: {error}\n"
            "Run again with DUECOURSE_DEBUG=1 for the full trace, and please report it.",
            err=True,
        )
        sys.exit(1)
