"""The shape of a data audit: what ``duecourse check`` found, as dataclasses that turn into plain JSON.

Units are in the names: ``_minor`` is integer minor units of the currency that the same record names, ``_days`` days,
``share`` a number between 0 and 1. Nothing is ever summed across currencies. A number that could not be computed is
None and the field ``missing`` beside it says why ("n/a because ..."); NaN and infinity never occur.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

Unit = Literal["days", "share", "minor", "count", "ratio", "percent", "index"]
Severity = Literal["error", "warning", "note"]
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Figure:
    """One metric with all that its tooltip needs.

    ``unit`` says how to print ``value``: days (one decimal), share (0..1, print as percent), minor (integer minor
    units of the record's currency), count, ratio (e.g. turns a year), percent (0..100, used by CEI alone) or index
    (HHI, 0..1). ``missing`` is empty exactly when ``value`` is not None. ``inputs`` are the numbers that went in.
    """

    key: str
    label: str
    value: float | int | None
    unit: Unit
    missing: str
    formula: str
    caution: str
    inputs: dict[str, float | int | str | None]


@dataclass(frozen=True, slots=True)
class ColumnFill:
    """How complete one column is: ``filled`` of ``rows`` visible rows hold a value (blank text is not a value)."""

    column: str
    required: bool
    filled: int
    share: float | None


@dataclass(frozen=True, slots=True)
class TableFill:
    """One table of the ledger: visible rows, first and last own date, completeness of each column of the contract.

    ``rows`` 0 means that the table is absent or empty; ``what_it_would_give`` says what that costs. ``versions`` is
    the number of older versions and voided rows that the view does not show.
    """

    table: str
    rows: int
    versions: int
    first_on: date | None
    last_on: date | None
    columns: tuple[ColumnFill, ...]
    what_it_would_give: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind of wrong or doubtful rows: ``rows`` of ``of`` rows of ``table``.

    ``code`` is stable (e.g. ``due_before_issue``), ``what`` a sentence, ``examples`` up to 5 row descriptions,
    ``amount_minor`` currency -> amount concerned (empty where no amount applies), ``rule`` the check that would have
    kept these rows out at the source, ``cure`` what to do with them now.
    """

    code: str
    table: str
    severity: Severity
    what: str
    rows: int
    of: int
    examples: tuple[str, ...]
    amount_minor: dict[str, int]
    rule: str
    cure: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Rows that the reader refused before the audit: one line per file, column and expectation."""

    file: str
    column: str
    expected: str
    rows: int
    example: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One rung of the fall-back ladder (terms, book, customer_history, model, season).

    ``needs`` and ``have`` are sentences; ``reached`` whether this book has enough; ``gives`` what the rung makes
    possible; ``gap_costs`` what is lost while it is not reached (empty when it is).
    """

    name: str
    needs: str
    have: str
    reached: bool
    gives: str
    gap_costs: str


@dataclass(frozen=True, slots=True)
class History:
    """How much past the book holds and how far it carries. ``rung`` is the highest of terms .. model reached."""

    first_issued_on: date | None
    last_issued_on: date | None
    first_cleared_on: date | None
    last_cleared_on: date | None
    months_of_clearings: float
    invoices: int
    cleared: int
    open: int
    customers: int
    customers_with_history: int
    rung: str
    ladder: tuple[Rung, ...]


@dataclass(frozen=True, slots=True)
class RecordingDelay:
    """Days between a row's own date and the day the books learnt of it (``recorded_at``), one table.

    ``two_clocks`` is False where every row was recorded at the start of its own day, which is what a missing
    ``recorded_at`` becomes: then nothing is known about delays. ``before`` counts rows recorded before their own date.
    """

    table: str
    rows: int
    two_clocks: bool
    same_day_share: float | None
    p50_days: float | None
    p90_days: float | None
    max_days: int | None
    before: int
    missing: str


@dataclass(frozen=True, slots=True)
class WeekdayCount:
    """Invoices that cleared on one weekday (1 = Monday .. 7 = Sunday), all currencies; share of all clearings."""

    weekday: int
    name: str
    cleared: int
    share: float | None


@dataclass(frozen=True, slots=True)
class AgeingBucket:
    """Open amount by days past due: bucket is current, 1-30, 31-60, 61-90 or 91+. Shares are of the open amount."""

    bucket: str
    invoices: int
    open_minor: int
    share: float | None


@dataclass(frozen=True, slots=True)
class LateShare:
    """Share of invoices later than ``more_than_days`` (0, 5, 30, 60; 89 stands for "90 days or more").

    Only invoices whose outcome can be known are counted: due within the last 12 months and at least
    ``more_than_days`` + 1 days before ``as_of``. ``label`` is what to print ("late", "> 5 days" ... "90+ days").
    """

    label: str
    more_than_days: int
    invoices: int
    late_invoices: int
    count_share: float | None
    amount_share: float | None
    missing: str


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """Measures at the start of one month (``month`` = its first day), restated from what is known today.

    Days and CEI percent; None where the month does not support the measure.
    """

    month: date
    receivable_minor: int
    past_due_minor: int
    sales_minor: int
    dso_simple_days: float | None
    dso_countback_days: float | None
    best_possible_dso_days: float | None
    average_days_delinquent_days: float | None
    cei_percent: float | None
    days_to_pay_days: float | None
    days_beyond_terms_days: float | None


@dataclass(frozen=True, slots=True)
class LateDrivers:
    """Who drives lateness. Late cash = amount of invoices that cleared late or are past due, due in the last 12 months.

    ``invoices_for_80`` of ``late_invoices`` late invoices (largest first) carry 80 % of it, ``customers_for_80`` of
    ``late_customers`` customers. ``curve`` = (share of late customers, share of late cash) points, largest first,
    at most 101 points, for a Pareto chart. ``top`` = the largest customers, ready to print.
    """

    late_minor: int
    late_invoices: int
    late_customers: int
    invoices_for_80: int | None
    customers_for_80: int | None
    curve: tuple[tuple[float, float], ...]
    top: tuple[LateCustomer, ...]
    missing: str


@dataclass(frozen=True, slots=True)
class LateCustomer:
    """One customer's part in the late cash; ``late_money_days`` = sum of late amount x days late (minor x days)."""

    customer_id: str
    name: str | None
    late_minor: int
    share: float | None
    late_invoices: int
    late_money_days: int


@dataclass(frozen=True, slots=True)
class Concentration:
    """One customer's share of the open receivables, largest first (at most 20)."""

    customer_id: str
    name: str | None
    open_minor: int
    share: float


@dataclass(frozen=True, slots=True)
class ContactOrder:
    """How an order of contacts agrees with the behaviour rank (who causes most late money-days, 12 months).

    ``order`` is ``present`` (from logged outgoing activities of the last 90 days), ``oldest_first`` or
    ``largest_first`` (the two usual orders, computed from the open book, so that there is something to compare with
    even without activities). ``spearman`` in -1..1, ``top_overlap`` = customers that both top lists of
    ``top_size`` (at most 20) share.
    """

    order: str
    customers: int
    spearman: float | None
    top_size: int
    top_overlap: int | None
    missing: str


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """Days to pay of one customer against terms, cleared invoices of the last 12 months and what is open now.

    ``terms_days`` = median of due - issued; ``days_to_pay_days`` = ADP (amount-weighted, cleared only);
    ``km_median_days`` = Kaplan-Meier median of issue -> paid with open invoices as censored, beside it;
    ``days_beyond_terms_days`` amount-weighted days late; ``dso_trend_days`` count-back DSO at the last 12 month
    starts and ``as_of`` (13 values, None where fewer than 3 invoices in the window); ``lateness_trend_days`` the days
    beyond terms of what was paid in the 3 months before each of these days (None where nothing was).
    """

    customer_id: str
    name: str | None
    cleared: int
    open_invoices: int
    open_minor: int
    past_due_minor: int
    terms_days: float | None
    days_to_pay_days: float | None
    km_median_days: float | None
    days_beyond_terms_days: float | None
    late_count_share: float | None
    late_minor: int
    dso_days: float | None
    dso_trend_days: tuple[float | None, ...]
    lateness_trend_days: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class CurrencyBook:
    """The baseline of the receivables in one currency; every amount in it is minor units of ``currency``.

    ``figures`` keys, in printing order: receivable, past_due, past_due_share, sales, dso_simple, dso_countback,
    dso_true, best_possible_dso, average_days_delinquent, cei, turnover, days_to_pay, days_to_pay_km_median,
    days_beyond_terms, at_risk_rate, cure_rate, roll_rate_BUCKET (four), late_share, dilution, bad_debt_ratio,
    unapplied_share, top_customer_share, top_10_share, hhi, promise_kept_count, promise_kept_amount, dispute_cycle,
    dispute_cycle_p90, favour_ratio, days_deductions_outstanding, contact_to_cash, collection_rate, response_rate,
    accounts_worked_per_day, touchless_share, cost_per_unit_collected.
    ``customers`` is sorted by late_minor descending; ``customers_left_out`` says how many more there are.
    """

    currency: str
    exponent: int
    figures: tuple[Figure, ...]
    ageing: tuple[AgeingBucket, ...]
    late: tuple[LateShare, ...]
    trend: tuple[TrendPoint, ...]
    drivers: LateDrivers
    concentration: tuple[Concentration, ...]
    contact_orders: tuple[ContactOrder, ...]
    customers: tuple[CustomerRow, ...]
    customers_left_out: int


@dataclass(frozen=True, slots=True)
class Audit:
    """All that ``duecourse check`` found in one ledger as known at the start of ``as_of``.

    ``rows_read`` = ``rows_accepted`` + ``rows_refused`` for the whole input. ``faults`` holds only kinds that occur,
    worst first. ``verdict`` is one sentence; ``notes`` are things the reader should know (what was assumed, what was
    not looked at). ``snapshot_id`` identifies the audited facts: the frozen baseline that later reports compare with.
    """

    as_of: date
    snapshot_id: str
    verdict: str
    notes: tuple[str, ...]
    rows_read: int
    rows_accepted: int
    rows_refused: int
    refused: tuple[Refused, ...]
    tables: tuple[TableFill, ...]
    faults: tuple[Fault, ...]
    fault_kinds_checked: int
    history: History
    recording: tuple[RecordingDelay, ...]
    weekdays: tuple[WeekdayCount, ...]
    books: tuple[CurrencyBook, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers (6 decimals) and text (dates as ISO text), ready for ``json.dumps``."""
        plain: dict[str, Any] = _plain(self)
        return plain


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field of the dataclasses above
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float):  # sums of fractions differ in the last bits from run to run; nobody reads those
        return round(value, DECIMALS) if math.isfinite(value) else None
    return value.isoformat() if isinstance(value, date) else value
