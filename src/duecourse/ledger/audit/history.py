"""How far the past of a book carries: the fall-back ladder, what each rung needs, and when clearings happen."""

from __future__ import annotations

from datetime import date

import polars as pl

from duecourse.ledger.audit.evidence import Evidence
from duecourse.ledger.audit.model import History, Rung, WeekdayCount

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAYS_PER_MONTH = 365.25 / 12
BOOK_CLEARED = 50
MODEL_CLEARED, MODEL_MONTHS = 500, 6.0
SEASON_INVOICES, SEASON_MONTHS = 5_000, 24.0


def history(evidence: Evidence) -> History:
    """The span of the book and the rungs of the ladder it reaches (50 paid, 500 over 6 months, 24 months)."""
    invoices = evidence.books.invoices
    paid = invoices.filter(pl.col("closed_as") == "paid")
    first, last = _ends(paid, "cleared_on")
    months = (last - first).days / DAYS_PER_MONTH if first and last else 0.0
    ladder = _ladder(paid, invoices.height, months)
    reached = [rung.name for rung in ladder if rung.reached and rung.name != "season"]
    first_issued, last_issued = _ends(invoices, "issued_on")
    return History(
        first_issued_on=first_issued,
        last_issued_on=last_issued,
        first_cleared_on=first,
        last_cleared_on=last,
        months_of_clearings=months,
        invoices=invoices.height,
        cleared=paid.height,
        open=int((invoices.get_column("open_minor") > 0).sum()),
        customers=invoices.get_column("customer_id").n_unique() if invoices.height else 0,
        customers_with_history=paid.get_column("customer_id").n_unique() if paid.height else 0,
        rung=reached[-1],
        ladder=ladder,
    )


def _ends(frame: pl.DataFrame, column: str) -> tuple[date | None, date | None]:
    low, high = frame.get_column(column).min(), frame.get_column(column).max()
    return (low, high) if isinstance(low, date) and isinstance(high, date) else (None, None)


def _ladder(paid: pl.DataFrame, invoices: int, months: float) -> tuple[Rung, ...]:
    cleared, customers = paid.height, paid.get_column("customer_id").n_unique() if paid.height else 0
    have = f"{cleared:,} paid invoices over {months:.1f} months"
    book = cleared >= BOOK_CLEARED
    model = cleared >= MODEL_CLEARED and months >= MODEL_MONTHS
    return (
        Rung("terms", "nothing but open invoices with due dates", f"{invoices:,} invoices", reached=True,
             gives="due date plus a prior that is shipped with the program, in wide bands", gap_costs=""),
        _rung("book", f"at least {BOOK_CLEARED} paid invoices", have, book,
              "the delays of this book by terms and amount, instead of a shipped prior",
              f"{BOOK_CLEARED - cleared} paid invoices more and bands become this book's own"),
        _rung("customer_history", f"at least {BOOK_CLEARED} paid invoices, and one of the customer",
              f"{have}, of {customers:,} customers", book and customers > 0,
              "each customer's own habit, weighed n/(n+5) against the book",
              "every customer looks like the average one: a late payer cannot be told from a prompt one"),
        _rung("model", f"at least {MODEL_CLEARED} paid invoices over {MODEL_MONTHS:.0f} months, and a lower error than "
              "customer_history in this book's own backtest", have, model,
              "pay-days, joint payments, weekdays, size and trend; the backtest then decides whether it is used",
              _model_gap(cleared, months)),
        _rung("season", f"at least {SEASON_INVOICES:,} invoices over {SEASON_MONTHS:.0f} months",
              f"{invoices:,} invoices, {have}", invoices >= SEASON_INVOICES and months >= SEASON_MONTHS,
              "yearly season and own tuning",
              "a December that is always slow looks like deterioration; compare with the same month by hand"),
    )  # fmt: skip


def _rung(name: str, needs: str, have: str, reached: bool, *texts: str) -> Rung:
    gives, gap = texts
    return Rung(name, needs, have, reached=reached, gives=gives, gap_costs="" if reached else gap)


def _model_gap(cleared: int, months: float) -> str:
    lacking = []
    if cleared < MODEL_CLEARED:
        lacking.append(f"{MODEL_CLEARED - cleared:,} paid invoices")
    if months < MODEL_MONTHS:
        lacking.append(f"{MODEL_MONTHS - months:.1f} months")
    return f"{' and '.join(lacking)} more are needed; until then signals between invoices of a customer are not used"


def weekday_pattern(evidence: Evidence) -> tuple[WeekdayCount, ...]:
    """How many invoices were paid in full on each weekday, Monday to Sunday."""
    paid = evidence.books.invoices.filter(pl.col("closed_as") == "paid")
    counts = dict(paid.group_by(pl.col("cleared_on").dt.weekday().alias("weekday")).len().rows())
    total = paid.height
    return tuple(
        WeekdayCount(number, name, int(counts.get(number, 0)), counts.get(number, 0) / total if total else None)
        for number, name in enumerate(WEEKDAYS, 1)
    )
