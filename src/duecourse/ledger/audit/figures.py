"""The figures of one currency's baseline: which measures are shown, under which name, with which inputs beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from duecourse.ledger import metrics
from duecourse.ledger.audit.model import Figure, Unit
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.definitions import definition

Measure = Callable[..., pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure to show: column ``column`` of what ``measure`` gives, with ``inputs`` out of the same row.

    ``only`` names the value of a column for a measure that gives several rows per group.
    """

    key: str
    label: str
    unit: Unit
    measure: Measure
    column: str
    inputs: tuple[str, ...] = ()
    options: tuple[tuple[str, int], ...] = ()
    only: tuple[str, str] | None = None

    def rows(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of what ``measure`` gave that this figure is about."""
        return frame if self.only is None else frame.filter(pl.col(self.only[0]) == self.only[1])


_AR = ("receivable_minor", "past_due_minor")
_OVER_SALES = (*_AR, "sales_minor")

SHOWN = (
    Shown("receivable", "Receivables", "minor", metrics.past_due_share, "receivable_minor"),
    Shown("past_due", "Past due", "minor", metrics.past_due_share, "past_due_minor"),
    Shown("past_due_share", "Past-due share", "share", metrics.past_due_share, "past_due_share", _AR),
    Shown("sales", "Credit sales of 90 days", "minor", metrics.dso_simple, "sales_minor"),
    Shown("dso_simple", "DSO, simple", "days", metrics.dso_simple, "dso_days", _OVER_SALES),
    Shown("dso_countback", "DSO, count-back", "days", metrics.dso_countback, "dso_days", ("receivable_minor",)),
    Shown("dso_true", "DSO, true", "days", metrics.dso_true, "dso_true_days"),
    Shown("best_possible_dso", "Best-possible DSO", "days", metrics.best_possible_dso, "best_possible_dso_days",
          _OVER_SALES),
    Shown("average_days_delinquent", "Average days delinquent", "days", metrics.average_days_delinquent,
          "average_days_delinquent_days", _OVER_SALES),
    Shown("cei", "Collection effectiveness index", "percent", metrics.cei, "cei_percent",
          ("opening_minor", *_OVER_SALES)),
    Shown("turnover", "Receivables turnover", "ratio", metrics.receivables_turnover, "turnover", ("sales_minor",)),
    Shown("days_to_pay", "Days to pay", "days", metrics.days_to_pay, "days_to_pay_days", ("cleared", "cleared_minor")),
    Shown("days_to_pay_km_median", "Days to pay, Kaplan-Meier median", "days", metrics.kaplan_meier_median,
          "km_median_days", ("invoices",)),
    Shown("days_beyond_terms", "Days beyond terms", "days", metrics.days_beyond_terms, "days_beyond_terms_days",
          ("cleared", "cleared_minor")),
    Shown("at_risk_rate", "At-risk rate, 90+ days", "share", metrics.at_risk_rate, "at_risk_share",
          ("amount_minor", "reached_minor"), (("each_month", False),)),
    Shown("cure_rate", "Cure rate, 30 days", "share", metrics.cure_rate, "cure_rate",
          ("delinquent_minor", "cured_minor")),
    *(
        Shown(f"roll_rate_{bucket}", f"Roll rate {bucket} to {following}", "share", metrics.roll_rates, "roll_rate",
              ("from_minor", "to_minor"), only=("from_bucket", bucket))
        for bucket, following in zip(metrics.BUCKETS[:4], (*metrics.BUCKETS[1:4], "91-120"), strict=True)
    ),
    Shown("late_share", "Paid late, by count", "share", metrics.late_share, "late_count_share",
          ("invoices", "late_invoices"), (("more_than_days", 0),)),
    Shown("dilution", "Dilution", "share", metrics.dilution, "dilution",
          ("credited_minor", "deducted_minor", "written_off_minor", "sales_minor")),
    Shown("bad_debt_ratio", "Bad-debt ratio", "share", metrics.bad_debt_ratio, "bad_debt_ratio",
          ("written_off_minor", "sales_minor")),
    Shown("unapplied_share", "Unapplied cash", "share", metrics.unapplied_share, "unapplied_share",
          ("unapplied_minor", "unidentified_minor", "receipts_minor")),
    Shown("top_customer_share", "Largest customer", "share", metrics.top_share, "top_share",
          ("top_minor", "receivable_minor"), (("top", 1),)),
    Shown("top_10_share", "Ten largest customers", "share", metrics.top_share, "top_share",
          ("top_minor", "receivable_minor"), (("top", 10),)),
    Shown("hhi", "Concentration (HHI)", "index", metrics.hhi, "hhi", ("customers",)),
    Shown("promise_kept_count", "Promises kept, by count", "share", metrics.promise_kept_rate, "kept_count_share",
          ("promises", "kept", "part_kept", "broken")),
    Shown("promise_kept_amount", "Promises kept, by amount", "share", metrics.promise_kept_rate, "kept_amount_share",
          ("promised_minor", "arrived_minor")),
    Shown("dispute_cycle", "Dispute time, median", "days", metrics.dispute_cycle, "dispute_days_median",
          ("closed", "open")),
    Shown("dispute_cycle_p90", "Dispute time, P90", "days", metrics.dispute_cycle, "dispute_days_p90", ("closed",)),
    Shown("favour_ratio", "Disputes in the customer's favour", "share", metrics.dispute_cycle, "favour_ratio",
          ("decided",)),
    Shown("days_deductions_outstanding", "Days deductions outstanding", "days", metrics.days_deductions_outstanding,
          "days_deductions_outstanding", ("open_disputed_minor", "opened_minor")),
    Shown("contact_to_cash", "Contact to cash, median", "days", metrics.contact_to_cash, "contact_to_cash_days",
          ("contacted", "paid")),
    Shown("collection_rate", "Contacted customers that paid within 14 days", "share",
          metrics.collection_effectiveness_rate, "collection_rate", ("contacted", "paid")),
    Shown("response_rate", "Messaged customers that responded within 7 days", "share", metrics.response_rate,
          "response_rate", ("contacted", "paid")),
    Shown("accounts_worked_per_day", "Accounts worked per day", "ratio", metrics.accounts_worked_per_day,
          "accounts_per_day", ("worked", "days_with_contacts")),
    Shown("touchless_share", "Paid without human action", "share", metrics.touchless_share, "touchless_share",
          ("cleared", "touched")),
    Shown("cost_per_unit_collected", "Cost per unit collected", "share", metrics.cost_per_unit_collected,
          "cost_per_unit", ("minutes", "contacts", "cost_minor", "collected_minor")),
)  # fmt: skip


def figures(currency: str, frames: dict[str, pl.DataFrame]) -> tuple[Figure, ...]:
    """Every figure of ``SHOWN`` for one currency, out of the frames of ``company_frames``."""
    return tuple(_figure(shown, frames[_frame_key(shown)], currency) for shown in SHOWN)


def company_frames(books: Books, *, hourly_cost_minor: int | None) -> dict[str, pl.DataFrame]:
    """Every measure of ``SHOWN`` once, for all currencies."""
    frames: dict[str, pl.DataFrame] = {}
    for shown in SHOWN:
        if _frame_key(shown) in frames:
            continue
        options: dict[str, int | None] = dict(shown.options)
        if shown.measure is metrics.cost_per_unit_collected:
            options["hourly_cost_minor"] = hourly_cost_minor
        frames[_frame_key(shown)] = shown.measure(books, **options)
    return frames


def _frame_key(shown: Shown) -> str:
    return f"{shown.measure.__name__}{shown.options}"


_NO_ROW = {
    "at_risk_rate": "no month has fallen due long enough ago (90 days after its last due date)",
    "favour_ratio": "no dispute of the last 12 months was decided",
}


def _figure(shown: Shown, frame: pl.DataFrame, currency: str) -> Figure:
    about = definition(shown.measure)
    frame = shown.rows(frame)
    rows = frame.filter(pl.col("currency") == currency) if "currency" in frame.columns else frame
    row = rows.row(0, named=True) if rows.height else {}
    value = row.get(shown.column)
    missing = "" if value is not None else (row.get("missing") or _NO_ROW.get(shown.key, "nothing to measure"))
    return Figure(
        key=shown.key,
        label=shown.label,
        value=value,
        unit=shown.unit,
        missing=missing,
        formula=about.formula,
        caution=about.caution,
        inputs={name: row.get(name) for name in shown.inputs},
    )
