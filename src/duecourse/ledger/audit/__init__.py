"""The audit of a ledger before anything is computed from it: data faults, reach of the history, baseline measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from duecourse.core.errors import Problem
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.audit.baseline import currency_books
from duecourse.ledger.audit.evidence import Check, Evidence
from duecourse.ledger.audit.history import history, weekday_pattern
from duecourse.ledger.audit.invoice_checks import INVOICE_CHECKS
from duecourse.ledger.audit.model import Audit, Fault, History, RecordingDelay
from duecourse.ledger.audit.money_checks import MONEY_CHECKS
from duecourse.ledger.audit.people_checks import PEOPLE_CHECKS
from duecourse.ledger.audit.tables import recording_delays, refused_rows, table_fills
from duecourse.ledger.metrics import Books
from duecourse.ledger.schema import TABLES

__all__ = ["CHECKS", "Audit", "Reading", "audit", "find_faults"]

CHECKS: tuple[Check, ...] = (*INVOICE_CHECKS, *MONEY_CHECKS, *PEOPLE_CHECKS)
CUSTOMERS_LIMIT = 5_000
_RANK = {"error": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Reading:
    """What happened while the input was read: all rows, those that are in the ledger, and problems of the others."""

    rows_read: int
    rows_accepted: int
    problems: Sequence[Problem] = ()


def audit(
    ledger: Ledger,
    as_of: date,
    *,
    reading: Reading | None = None,
    hourly_cost_minor: int | None = None,
    customers_limit: int = CUSTOMERS_LIMIT,
) -> Audit:
    """The audit of ``ledger`` as known at the start of ``as_of``.

    ``reading`` tells what the reader refused (None: nothing). ``hourly_cost_minor`` is the cost of an hour of
    collection work, for the cost per unit collected. At most ``customers_limit`` customers per currency are listed.
    Works on empty books and on broken rows; never raises for what the data hold.
    """
    books = Books(ledger.as_of(as_of))
    evidence = Evidence(ledger, books)
    faults = find_faults(evidence)
    past = history(evidence)
    delays = recording_delays(evidence)
    rows = sum(frame.height for frame in ledger.tables.values())
    counted = reading or Reading(rows, rows)
    return Audit(
        as_of=as_of,
        snapshot_id=books.view.snapshot_id,
        verdict=_verdict(faults, past, counted.rows_read - counted.rows_accepted),
        notes=_notes(evidence, delays),
        rows_read=counted.rows_read,
        rows_accepted=counted.rows_accepted,
        rows_refused=counted.rows_read - counted.rows_accepted,
        refused=refused_rows(tuple(counted.problems)),
        tables=table_fills(evidence),
        faults=faults,
        fault_kinds_checked=len(CHECKS),
        history=past,
        recording=delays,
        weekdays=weekday_pattern(evidence),
        books=currency_books(books, hourly_cost_minor=hourly_cost_minor, customers_limit=customers_limit),
    )


def find_faults(evidence: Evidence) -> tuple[Fault, ...]:
    """Every kind of fault that occurs, errors first, then by number of rows."""
    found = [fault for check in CHECKS if (fault := check.run(evidence)) is not None]
    return tuple(sorted(found, key=lambda fault: (_RANK[fault.severity], -fault.rows, fault.code)))


def _verdict(faults: tuple[Fault, ...], past: History, refused: int) -> str:
    if past.invoices == 0:
        return "There is no invoice to audit: nothing was known before this day."
    kinds = {severity: [fault for fault in faults if fault.severity == severity] for severity in _RANK}
    parts = []
    if refused:
        parts.append(f"{refused:,} row{' was' if refused == 1 else 's were'} refused")
    for severity in ("error", "warning"):
        if kinds[severity]:
            count = sum(fault.rows for fault in kinds[severity])
            kind = "kind" if len(kinds[severity]) == 1 else "kinds"
            parts.append(f"{len(kinds[severity])} {kind} of {severity} in {count:,} row{'' if count == 1 else 's'}")
    data = ", ".join(parts) if parts else "no fault was found in the data"
    return f"{data[0].upper()}{data[1:]}. The history carries to the rung {past.rung!r}."


def _notes(evidence: Evidence, delays: tuple[RecordingDelay, ...]) -> tuple[str, ...]:
    notes = ["Receivables are gross: unapplied cash and free credits are not netted."]
    currencies = evidence.books.groups().get_column("currency").drop_nulls().to_list()
    if len(currencies) > 1:
        notes.append(f"{len(currencies)} currencies ({', '.join(currencies)}) are shown apart and never added up.")
    if evidence.holds("invoices") and not any(delay.two_clocks for delay in delays):
        notes.append(
            "No row says when it was recorded, so every fact counts as known on its own day: back-dated entries "
            "cannot be seen, and a backtest on these books is a little too good."
        )
    absent = [
        name
        for name in TABLES
        if name in ("payments", "credits", "activities", "promises", "disputes") and not evidence.holds(name)
    ]
    if absent:
        notes.append(f"Not in the books: {', '.join(absent)}. What they would give stands beside each table.")
    return tuple(notes)
