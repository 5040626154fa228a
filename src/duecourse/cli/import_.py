"""``duecourse import FILE... --out LEDGER``: any export becomes a ledger directory, with its map and its guesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import polars as pl

from duecourse.cli.common import (
    csv_text,
    force_option,
    format_option,
    json_option,
    note,
    print_summary,
    refuse_existing,
    result_directory,
)
from duecourse.cli.inputs import options_of, reading_options, write_notes
from duecourse.core.errors import BadInput, Problem
from duecourse.ledger.importing import ImportResult, NeedsAnswer, import_files, load_map
from duecourse.ledger.schema import TABLES


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Ledger directory; created.")
@reading_options
@click.option("--skip-bad-rows", is_flag=True, help="Go on without the rows that cannot be used; they are listed.")
@click.option(
    "--problems", type=click.Path(path_type=Path), metavar="FILE", help="Write bad rows here even on failure."
)
@force_option
@format_option
@json_option
def import_(files: tuple[Path, ...], out: Path, force: bool, file_format: str, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - the options that settle a doubt
    """Reads exports (CSV, XLSX, Parquet) into a ledger directory.

    Give files that belong together in one call: an invoice list and the list of its payments. Everything the files do
    not say outright is printed as a guess, or asked for with the option that answers it. Ready maps fit the exports of
    QuickBooks Online, Xero, NetSuite, Odoo, ERPNext and Tryton by themselves.
    """
    refuse_existing(out, force=force)
    column_map = load_map(given["map_name"]) if given["map_name"] else None
    try:
        result = import_files(files, column_map=column_map, options=options_of(given))
    except NeedsAnswer:
        raise
    except BadInput as error:
        if given["problems"] and error.problems:
            _write_problems(given["problems"], error.problems)
        raise
    _write(result, out, force=force, file_format=file_format)
    print_summary(_summary(result, out), as_json=as_json, text=_text(result, out))


def _write(result: ImportResult, out: Path, *, force: bool, file_format: str) -> None:
    from duecourse.ledger.write import write_ledger

    with result_directory(out, force=force) as work:
        write_ledger(result.ledger, work / "ledger", format="csv" if file_format == "csv" else "parquet")
        for table in sorted((work / "ledger").iterdir()):
            table.rename(work / table.name)
        (work / "ledger").rmdir()
        write_notes(result, work)
        written = {item.name for item in work.iterdir()}
    # With --force the directory may hold tables of an earlier import that this one does not have.
    for name in (
        *(f"{table}.{form}" for table in TABLES for form in ("csv", "parquet")),
        "customer_name_proposals.csv",
    ):
        if name not in written:
            (out / name).unlink(missing_ok=True)


def _write_problems(path: Path, problems: tuple[Problem, ...]) -> None:
    rows = [(p.file, p.row, p.column, p.value, p.expected, p.cure) for p in problems]
    frame = pl.DataFrame(rows, schema=["file", "row", "column", "value", "expected", "cure"], orient="row")
    path.write_text(csv_text(frame), encoding="utf-8")
    note(f"{len(rows):,} problems are listed in {path}")


def _summary(result: ImportResult, out: Path) -> dict[str, Any]:
    return {
        "ledger": out,
        "tables": {name: frame.height for name, frame in sorted(result.ledger.tables.items())},
        "files": [
            {
                "file": one.file,
                "rows_are": one.rows_are,
                "rows": one.rows,
                "accepted": one.accepted,
                "refused": one.refused,
                "duplicates": one.duplicates,
                "left_out": one.left_out,
            }
            for one in result.files
        ],
        "map": result.column_map.name,
        "columns": [
            {
                "file": table.file,
                "rows": table.rows,
                "columns": {name: head[0] for name, head in table.columns.items()},
                "constants": dict(table.constants),
                "date_order": table.date_order,
                "decimal": table.decimal,
            }
            for table in result.column_map.tables
        ],
        "guesses": [{"subject": g.subject, "taken": g.taken, "why": g.why, "change": g.change} for g in result.guesses],
        "problems": result.problem_table.height,
        "name_proposals": result.name_proposals.height,
        "last_known": result.ledger.last_known(),
    }


def _text(result: ImportResult, out: Path) -> str:
    lines: list[str] = []
    for table in result.column_map.tables:
        lines.append(f"{table.file}: one row per {table.rows.removesuffix('s')}, columns")
        width = max((len(name) for name in table.columns), default=0)
        for name, heads in table.columns.items():
            sure = f"  ({table.confidence[name]:.0%} sure)" if name in table.confidence else ""
            lines.append(f"  {name:<{width}}  <- {heads[0]}{sure}")
        lines += [f"  {name:<{width}}  =  {value}" for name, value in table.constants.items()]
    lines.append("Guessed or taken for granted:")
    lines += [f"  - {guess}" for guess in result.guesses] or ["  nothing"]
    for one in result.files:
        lines.append(
            f"{one.file}: {one.rows:,} rows = {one.accepted:,} accepted + {one.refused:,} refused + "
            f"{one.duplicates:,} duplicates + {one.left_out:,} left out"
        )
    counts = {name: frame.height for name, frame in result.ledger.tables.items()}
    lines.append("Ledger: " + ", ".join(f"{count:,} {name}" for name, count in counts.items() if count))
    if result.problem_table.height:
        lines.append(f"Rows that are not in the ledger, each with its reason: {out / 'problems.csv'}")
    if result.name_proposals.height:
        lines.append(
            f"{result.name_proposals.height:,} customers look like spellings of another one. Write yes or no in "
            f"{out / 'customer_name_proposals.csv'} and import again with --confirm-names"
        )
    lines.append(f"Column map, to edit and use again with --map: {out / 'map.toml'}")
    lines.append(f"Next: duecourse check {out}")
    return "\n".join(lines)
