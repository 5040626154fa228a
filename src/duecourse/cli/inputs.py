"""Reading LEDGER or EXPORT for a verb: a ledger directory, or export files with the options that settle doubts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, cast

import click

from duecourse.cli.common import Function, IsoDate, Source, csv_text, note, read_source
from duecourse.core.errors import UsageError
from duecourse.core.money import CURRENCIES
from duecourse.ledger.audit import Reading
from duecourse.ledger.audit.tables import refused_row_count
from duecourse.ledger.importing import ImportOptions, ImportResult, import_files, load_map
from duecourse.ledger.importing.maps import FIELDS
from duecourse.ledger.importing.outcome import DateOrder, DecimalMark

_ALL_FIELDS = tuple(sorted({name for names in FIELDS.values() for name in names}))


_READING_OPTIONS = (
    click.option(
        "--map", "map_name", metavar="MAP", help="A map.toml of an earlier import, or the name of a ready map."
    ),
    click.option("--currency", metavar="CODE", help="Currency where the file names none, for example USD."),
    click.option("--date-order", type=click.Choice(["dmy", "mdy", "ymd"]), help="How 3/4/2026 is to be read."),
    click.option("--decimal", type=click.Choice(["point", "comma"]), help="Decimal mark of the amounts."),
    click.option(
        "--default-terms", type=click.IntRange(0, 999), metavar="N", help="Days of credit without a due date."
    ),
    click.option("--exported-on", type=IsoDate(), metavar="DATE", help="Day of the export; dates what has no day."),
    click.option("--encoding", metavar="NAME", help="Encoding of a text file, for example cp1252."),
    click.option("--delimiter", metavar="CHAR", help="Column delimiter of a text file; 'tab' for a tabulator."),
    click.option("--sheet", metavar="NAME", help="Sheet of a workbook."),
    click.option(
        "--set", "constants", multiple=True, metavar="FIELD=VALUE", help="One value for a field in every row."
    ),
    click.option(
        "--confirm-names",
        type=click.Path(path_type=Path, exists=True, dir_okay=False),
        metavar="FILE",
        help="An edited customer_name_proposals.csv; rows with confirm = yes are merged.",
    ),
)


def reading_options(command: Function) -> Function:
    """The options that settle what a file leaves open; ``options_of`` turns them into ``ImportOptions``."""
    for option in reversed(_READING_OPTIONS):
        command = option(command)
    return command


def read_inputs(export: tuple[Path, ...], given: Mapping[str, Any], *, quiet: bool) -> Source:
    """One ledger directory, or one or more files of one export. Raises BadInput and UsageError as ``import`` does."""
    if len(export) == 1 and (export[0].is_dir() or not export[0].exists() or "://" in str(export[0])):
        return read_source(export[0], skip_bad_rows=given["skip_bad_rows"], quiet=quiet)
    column_map = load_map(given["map_name"]) if given["map_name"] else None
    result = import_files(export, column_map=column_map, options=options_of(given))
    for guess in result.guesses:
        note(f"  guessed: {guess}", quiet=quiet)
    return Source(result.ledger, result.problems, result)


def options_of(given: Mapping[str, Any]) -> ImportOptions:
    """Import options from the values of ``reading_options`` and ``--skip-bad-rows``. Raises UsageError."""
    currency = given["currency"].upper() if given["currency"] else None
    if currency and currency not in CURRENCIES:
        raise UsageError(f"--currency {currency} is not an ISO 4217 code such as USD, EUR or GBP")
    constants = {}
    for text in given["constants"]:
        name, mark, value = text.partition("=")
        if not mark or name not in _ALL_FIELDS:
            raise UsageError(f"--set {text}: expected FIELD=VALUE with FIELD one of {', '.join(_ALL_FIELDS)}")
        constants[name] = value
    delimiter = {"tab": "\t", "\\t": "\t"}.get(given["delimiter"] or "", given["delimiter"])
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii()):
        raise UsageError(f"--delimiter {delimiter!r}: expected one character, or tab")
    return ImportOptions(
        skip_bad_rows=given["skip_bad_rows"],
        currency=currency,
        encoding=given["encoding"],
        delimiter=delimiter,
        date_order=cast("DateOrder | None", given["date_order"]),
        decimal=cast("DecimalMark | None", given["decimal"]),
        sheet=given["sheet"],
        default_terms=given["default_terms"],
        exported_on=cast("date | None", given["exported_on"]),
        constants=constants,
        confirmed_names=given["confirm_names"],
    )


def reading_of(source: Source) -> Reading:
    """How many rows were read, accepted and refused on the way to ``source``."""
    if source.imported is not None:
        files = source.imported.files
        return Reading(sum(file.rows for file in files), sum(file.accepted for file in files), source.problems)
    accepted = sum(frame.height for frame in source.ledger.tables.values())
    return Reading(accepted + refused_row_count(source.problems), accepted, source.problems)


def write_notes(result: ImportResult, directory: Path) -> None:
    """The column map, the rows that are not in the ledger, and the proposals for one customer's spellings."""
    (directory / "map.toml").write_text(result.column_map.to_toml(), encoding="utf-8")
    (directory / "problems.csv").write_text(csv_text(result.problem_table), encoding="utf-8")
    if result.name_proposals.height:
        (directory / "customer_name_proposals.csv").write_text(csv_text(result.name_proposals), encoding="utf-8")
