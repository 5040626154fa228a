"""What every verb shares: reading LEDGER, writing results atomically, progress, and the JSON summary."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import polars as pl

from duecourse.core.errors import BadInput, NotEnoughData, Problem, UsageError
from duecourse.ledger.as_of import Ledger

if TYPE_CHECKING:
    from duecourse.ledger.importing import ImportResult

Function = TypeVar("Function", bound=Callable[..., Any])


class IsoDate(click.ParamType[date]):
    """An ISO date (2026-11-21) as an option value."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: ANN401
        """The date; fails with what was expected."""
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date; expected YYYY-MM-DD, for example 2026-11-21", param, ctx)


ledger_argument = click.argument("ledger", type=click.Path(path_type=Path))
as_of_option = click.option(
    "--as-of", type=IsoDate(), metavar="DATE", help="The morning to look from; nothing recorded on or after it is seen."
)
out_option = click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Directory for the results; created."
)
force_option = click.option("--force", is_flag=True, help="Replace results that are already in --out.")
format_option = click.option(
    "--format", "file_format", type=click.Choice(["parquet", "csv"]), default="parquet", show_default=True,
    help="Form of result tables.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print a machine-readable summary on stdout.")
seed_option = click.option(
    "--seed", type=int, default=0, show_default=True, help="Seed; same input and seed, same bytes."
)
threads_option = click.option(
    "--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Threads; they never change a result."
)


@dataclass(frozen=True)
class Source:
    """A ledger and where it came from; ``imported`` is set when an export was read on the fly."""

    ledger: Ledger
    problems: tuple[Problem, ...]
    imported: ImportResult | None


def read_source(path: Path, *, skip_bad_rows: bool = False, quiet: bool = False) -> Source:
    """The ledger at ``path``: a ledger directory, or an export that is imported on the fly with its guesses printed.

    Raises BadInput for a missing path, a strict-form violation, or an export that cannot be read without an answer.
    """
    if "://" in str(path):
        raise UsageError("reading a running installation by its database URL needs the web application; give a file")
    if not path.exists():
        raise BadInput(f"{path}: no such file or directory; expected a ledger directory or an export file")
    if path.is_dir():
        from duecourse.ledger.load import load_ledger

        loaded = load_ledger(path, skip_bad_rows=skip_bad_rows)
        if loaded.problems and not quiet:
            note(f"{len(loaded.problems)} bad rows were skipped", quiet=quiet)
        return Source(loaded.ledger, loaded.problems, None)
    from duecourse.ledger.importing import import_on_the_fly

    result = import_on_the_fly(path, skip_bad_rows=skip_bad_rows)
    for guess in result.guesses:
        note(f"guessed: {guess}", quiet=quiet)
    return Source(result.ledger, result.problems, result)


def resolve_as_of(as_of: date | None, ledger: Ledger) -> date:
    """``as_of`` as given, else the day after the last recorded fact. Raises NotEnoughData for an empty ledger."""
    if as_of is not None:
        return as_of
    last = ledger.last_known()
    if last is None:
        raise NotEnoughData("the ledger holds no invoices or payments; import an export first")
    return last + timedelta(days=1)


def refuse_existing(out: Path, *, force: bool) -> None:
    """Stop before any work when results would be overwritten. Raises UsageError."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out} is a file; --out names a directory")
    if out.is_dir() and any(out.iterdir()) and not force:
        raise UsageError(f"{out} already holds results; choose another --out or pass --force to replace them")


@contextmanager
def result_directory(out: Path, *, force: bool) -> Iterator[Path]:
    """A temporary directory that becomes ``out`` only when the block ends without an error.

    Files in ``out`` that the block does not write again stay (a second verb may add its results with --force).
    """
    refuse_existing(out, force=force)
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        yield work
        work.chmod(0o755)
        if not out.exists():
            work.rename(out)
            return
        for item in sorted(work.iterdir()):
            target = out / item.name
            if target.is_dir():
                shutil.rmtree(target)
            item.replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_frames(directory: Path, frames: Mapping[str, pl.DataFrame], file_format: str) -> None:
    """Each frame as ``name.parquet`` or ``name.csv`` in ``directory``."""
    for name, frame in frames.items():
        if file_format == "csv":
            (directory / f"{name}.csv").write_text(csv_text(frame), encoding="utf-8")
        else:
            frame.write_parquet(directory / f"{name}.parquet", compression="zstd", statistics=True)


# A spreadsheet takes a cell that begins with one of these for a formula (OWASP ASVS 5.0, 1.2.10).
_FORMULA_START = r"^[=+\-@\t\r\x00]"


def csv_text(frame: pl.DataFrame) -> str:
    """The frame as CSV for spreadsheets: lists joined by ``;``, text cells that look like formulas made harmless."""
    columns = []
    for name, dtype in frame.schema.items():
        column = pl.col(name)
        if isinstance(dtype, pl.List):
            column = column.list.join(";")
        if isinstance(dtype, pl.List) or dtype == pl.String:
            column = pl.when(column.str.contains(_FORMULA_START)).then(pl.lit("'") + column).otherwise(column)
        elif isinstance(dtype, pl.Datetime):
            column = column.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        columns.append(column.alias(name))
    return str(frame.select(columns).write_csv())


def note(text: str, *, quiet: bool = False) -> None:
    """One line for the person at the terminal, on stderr so that stdout stays machine-readable."""
    if not quiet:
        click.echo(text, err=True)


@contextmanager
def step(label: str, *, quiet: bool = False) -> Iterator[None]:
    """Shows a step of long work while it runs and its duration when it is done; plain lines when not on a terminal."""
    live = sys.stderr.isatty() and not quiet
    if live:
        click.echo(f"  {label} ...", err=True, nl=False)
    start = time.perf_counter()
    yield
    done = f"  {label}: {time.perf_counter() - start:.1f} s"
    if live:
        click.echo(f"\r{done}      ", err=True)
    else:
        note(done, quiet=quiet)


def print_summary(summary: Mapping[str, Any], *, as_json: bool, text: str) -> None:
    """The end of a verb on stdout: ``text`` for people or ``summary`` as one JSON object."""
    click.echo(json.dumps(summary, default=_jsonable, indent=2, ensure_ascii=False) if as_json else text)


def _jsonable(value: object) -> str:
    if isinstance(value, date | datetime | Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
