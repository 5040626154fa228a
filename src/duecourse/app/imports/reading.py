"""Reading an import with the importer of the lower half: what it found, in a form that a page can show."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from duecourse.app.imports.models import Stage
from duecourse.core.errors import BadInput, Problem

if TYPE_CHECKING:
    from duecourse.ledger.importing import ImportOptions, ImportResult, TableMap

SHOWN_PROBLEMS, SHOWN_INVOICES = 100, 12
FIELDS_OF_OPTIONS = {
    "--currency": "Currency", "--date-order": "How 3/4/2026 reads", "--decimal": "Decimal mark",
    "--default-terms": "Days of credit", "--exported-on": "Day of the export",
    "--skip-bad-rows": "Go on without rows that cannot be used", "--map": "Columns",
}  # fmt: skip


def storable(found: Any) -> Any:  # noqa: ANN401 - JSON
    """The same without NUL, which PostgreSQL cannot keep; people see the sign for what cannot be shown."""
    if isinstance(found, dict):
        return {storable(key): storable(value) for key, value in found.items()}
    if isinstance(found, list | tuple):
        return [storable(one) for one in found]
    return found.replace("\0", "\N{REPLACEMENT CHARACTER}") if isinstance(found, str) else found


def read(files: Sequence[Path], answers: Mapping[str, Any], into: Path) -> tuple[Stage, dict[str, Any]]:
    """Read the files as ``answers`` say; writes the ledger to ``into`` when it can be loaded.

    Gives READY, ASKS (a person must settle a doubt) or REFUSED, and what to show: tables with their columns, guesses,
    counts per file, problems, and the first invoices. Raises nothing for bad files: that is what it is asked to find.
    """
    from duecourse.ledger.importing import ColumnMap, NeedsAnswer, import_files
    from duecourse.ledger.write import write_ledger

    options = options_of(answers)
    found: dict[str, Any] = {"tables": []}
    try:
        tables = [columns_of(file, options, answers) for file in files]
        found["tables"] = [shown for shown, _ in tables]
        chosen = ColumnMap("chosen", tuple(table for _, table in tables)) if answers.get("columns") else None
        result = import_files(files, column_map=chosen, options=options)
    except BadInput as error:
        stage = Stage.ASKS if isinstance(error, NeedsAnswer) else Stage.REFUSED
        return stage, {**found, "says": error.what, **_problems(error.problems)}
    shutil.rmtree(into, ignore_errors=True)
    write_ledger(result.ledger, into)
    return Stage.READY, {**found, **_result(result)}


def options_of(answers: Mapping[str, Any]) -> ImportOptions:
    """The importer's options from the answers of the form."""
    from duecourse.ledger.importing import ImportOptions

    exported_on = answers.get("exported_on")
    return ImportOptions(
        skip_bad_rows=bool(answers.get("skip_bad_rows")),
        currency=answers.get("currency") or None,
        date_order=answers.get("date_order") or None,
        decimal=answers.get("decimal") or None,
        default_terms=answers.get("default_terms"),
        exported_on=date.fromisoformat(exported_on) if exported_on else None,
    )


def columns_of(file: Path, options: ImportOptions, answers: Mapping[str, Any]) -> tuple[dict[str, Any], TableMap]:
    """The headers of a file and which field each holds: as a person chose, else as the importer finds it."""
    from duecourse.ledger.importing.columns import complete, detect, is_known_header, ready_map_for
    from duecourse.ledger.importing.layout import plain_rows
    from duecourse.ledger.importing.maps import FIELDS
    from duecourse.ledger.importing.reading import read_table

    raw = plain_rows(read_table(file, options, is_known_header))
    ready = ready_map_for(raw)
    table = complete(ready[1].resolved(raw.headers, raw.file), raw) if ready else detect(raw)
    chosen = answers.get("columns", {}).get(raw.file)
    if chosen is not None:
        columns = {name: (header,) for name, header in chosen.items() if header in raw.headers}
        table = replace(table, columns=columns, signature=tuple(header for (header,) in columns.values()))
    shown = {
        "file": raw.file, "rows": table.rows, "headers": list(raw.headers), "fields": list(FIELDS[table.rows]),
        "columns": {name: headers[0] for name, headers in table.columns.items()},
    }  # fmt: skip
    return shown, table


def _problems(problems: Sequence[Problem]) -> dict[str, Any]:
    shown = [{**asdict(one), "cure": _for_page(one.cure)} for one in problems[:SHOWN_PROBLEMS]]
    return {"problems": shown, "problem_count": len(problems)}


def _for_page(cure: str) -> str:
    """The cure in the words of the form, where the importer names an option of the command line."""
    option = re.search(r"--[a-z-]+", cure)
    if option is None:
        return cure
    label = FIELDS_OF_OPTIONS.get(option[0])
    return f"settle it below: {label}" if label else "settle it below"


def _result(result: ImportResult) -> dict[str, Any]:
    """What a reading that can be loaded found."""
    ledger = result.ledger
    names = dict(ledger.table("customers").select("customer_id", "name").iter_rows())
    first = ledger.table("invoices").sort("issued_on", "invoice_id", descending=[True, False]).head(SHOWN_INVOICES)
    invoices = [
        {
            "invoice_id": row["invoice_id"], "customer": names.get(row["customer_id"]) or row["customer_id"],
            "issued_on": row["issued_on"].isoformat(), "due_on": row["due_on"].isoformat(),
            "amount_minor": row["amount_minor"], "currency": row["currency"],
        }
        for row in first.iter_rows(named=True)
    ]  # fmt: skip
    table = result.problem_table
    left_out = [
        {"file": row["file"], "row": row["row"], "column": row["column"], "value": row["value"],
         "expected": row["expected"], "cure": _for_page(row["cure"] or "")}
        for row in table.head(SHOWN_PROBLEMS).iter_rows(named=True)
    ]  # fmt: skip
    return {
        "says": "", "files": [asdict(one) for one in result.files],
        "guesses": [{"subject": one.subject, "taken": one.taken, "why": one.why} for one in result.guesses],
        "counts": {name: frame.height for name, frame in ledger.tables.items() if frame.height},
        "invoices": invoices, "problems": left_out, "problem_count": table.height,
    }  # fmt: skip
