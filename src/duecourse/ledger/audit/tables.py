"""What is there: tables, how full their columns are, how late facts reach the books, what the reader refused."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

import polars as pl

from duecourse.core.errors import Problem
from duecourse.ledger.audit.evidence import Evidence
from duecourse.ledger.audit.model import ColumnFill, RecordingDelay, Refused, TableFill
from duecourse.ledger.schema import TABLES, Table

_GIVES = {
    "invoices": "everything starts from it",
    "customers": "names, parents, segments, credit limits, collectors",
    "contacts": "whom to write to or call, in which language and time zone, with which consent",
    "invoice_lines": "what was sold; disputes by product",
    "credits": "dilution, and reminders that net what is owed back",
    "payments": "unapplied cash, payment methods, joint payments, settlement lags",
    "allocations": "when each invoice was paid: without it there is no payment history at all",
    "activities": "contact order, response rates, cost per unit collected, touchless share",
    "promises": "promise kept rate, and silence until a promise is due",
    "plans": "instalments that are not due yet are not asked for",
    "disputes": "dispute time, and disputed amounts that leave the queue",
    "decisions": "what was chosen and with which chance: needed to learn from it",
}
_CLOCKS = ("invoices", "payments", "allocations", "credits", "disputes", "promises", "activities")


def table_fills(evidence: Evidence) -> tuple[TableFill, ...]:
    """One line per table of the contract, in its order; absent tables have 0 rows."""
    return tuple(_table_fill(evidence, table) for table in TABLES.values())


def _table_fill(evidence: Evidence, table: Table) -> TableFill:
    frame = evidence.table(table.name)
    filled = _filled(frame, table)
    first, last = _span(frame, table)
    return TableFill(
        table=table.name,
        rows=frame.height,
        versions=max(evidence.ledger.table(table.name).height - frame.height, 0),
        first_on=first,
        last_on=last,
        columns=tuple(
            ColumnFill(name, column.required, filled[name], filled[name] / frame.height if frame.height else None)
            for name, column in table.by_name.items()
            if name != "voided_at"
        ),
        what_it_would_give=_GIVES[table.name],
    )


def _filled(frame: pl.DataFrame, table: Table) -> dict[str, int]:
    """Column -> rows with a value; blank text and empty lists are none."""
    counts = []
    for name, dtype in table.dtypes.items():
        column = pl.col(name)
        if dtype == pl.String:
            holds = column.str.contains(r"\S").fill_null(value=False)
        elif isinstance(dtype, pl.List):
            holds = column.list.len().fill_null(0) > 0
        else:
            holds = column.is_not_null()
        counts.append(holds.sum().alias(name))
    row = frame.select(counts).row(0, named=True)
    return {name: int(count or 0) for name, count in row.items()}


def _span(frame: pl.DataFrame, table: Table) -> tuple[date | None, date | None]:
    if table.known_from is None or frame.height == 0:
        return None, None
    values = frame.get_column(table.known_from)
    return _day(values.min()), _day(values.max())


def _day(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def recording_delays(evidence: Evidence) -> tuple[RecordingDelay, ...]:
    """Days from each row's own date to its recording, for the tables whose rows have both."""
    return tuple(_delay(evidence.table(name), TABLES[name]) for name in _CLOCKS)


def _delay(frame: pl.DataFrame, table: Table) -> RecordingDelay:
    own = table.known_from or ""
    is_time = table.by_name[own].kind == "timestamp"
    own_day = pl.col(own).dt.date() if is_time else pl.col(own)
    own_moment = pl.col(own) if is_time else pl.col(own).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    rows = frame.filter(pl.col(own).is_not_null() & pl.col("recorded_at").is_not_null()).select(
        (pl.col("recorded_at").dt.date() - own_day).dt.total_days().alias("days"),
        (pl.col("recorded_at") != own_moment).alias("apart"),
    )
    if rows.height == 0:
        return RecordingDelay(table.name, 0, two_clocks=False, same_day_share=None, p50_days=None, p90_days=None,
                              max_days=None, before=0, missing=f"the table {table.name} is empty")  # fmt: skip
    days = rows.get_column("days")
    two_clocks = bool(rows.get_column("apart").any())
    return RecordingDelay(
        table=table.name,
        rows=rows.height,
        two_clocks=two_clocks,
        same_day_share=float((days == 0).sum()) / rows.height,
        p50_days=days.quantile(0.5, interpolation="linear"),
        p90_days=days.quantile(0.9, interpolation="linear"),
        max_days=int(days.to_list()[0]) if rows.height == 1 else int(days.sort(descending=True)[0]),
        before=int((days < 0).sum()),
        missing="" if two_clocks else "no time of recording is given: every row is taken as known on its own day",
    )


def refused_rows(problems: tuple[Problem, ...]) -> tuple[Refused, ...]:
    """The reader's problems counted by file, column and expectation, most rows first."""
    counts = Counter((problem.file, problem.column or "", problem.expected) for problem in problems)
    first: dict[tuple[str, str, str], str] = {}
    for problem in problems:
        first.setdefault((problem.file, problem.column or "", problem.expected), str(problem))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Refused(*key, rows=count, example=first[key]) for key, count in ordered)


def refused_row_count(problems: tuple[Problem, ...]) -> int:
    """How many rows were refused: a row with two problems counts once, a problem without a row number not at all."""
    return len({(problem.file, problem.row) for problem in problems if problem.row is not None})
