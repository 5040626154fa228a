"""What every metric starts from: the open amount of every invoice at any past day, sales, and the level of a figure.

A metric is asked for a day ``at`` (default: the view's ``as_of``) and computed from facts dated before that day, as
they are known in the view: a figure of last March is *restated* from today's knowledge. For what was believed in March
take ``ledger.as_of(march)``. Amounts are integer minor units; every result has one row per currency (and level).
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property

import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances

LEVELS = ("entity_id", "segment", "parent_id", "customer_id")
CUSTOMER_LEVELS = LEVELS[1:]  # of facts that belong to a customer and to no entity: cash, contacts
SALE_KINDS = ("invoice", "debit_note")  # interest and fees are owed, but they are not sales


@dataclass(frozen=True)
class Books:
    """A view prepared for metrics; build it once and ask many metrics."""

    view: View
    _memory: dict[tuple[object, ...], pl.DataFrame] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def customers(self) -> pl.DataFrame:
        """customer_id, name, segment, parent_id; one row per customer that has an invoice, blanks where unknown."""
        known = self.view.table("customers").select("customer_id", "name", "segment", "parent_id")
        return (
            self.view.table("invoices")
            .select("customer_id")
            .unique()
            .join(known, on="customer_id", how="left")
            .with_columns(pl.col("segment", "parent_id").fill_null(""))
            .sort("customer_id")
        )

    @cached_property
    def invoices(self) -> pl.DataFrame:
        """``invoice_balances`` with every level filled (blank where unknown), ``item`` (row number) and ``is_sale``."""
        return (
            invoice_balances(self.view)
            .join(self.customers.drop("name"), on="customer_id", how="left", maintain_order="left")
            .with_columns(
                pl.col("entity_id").fill_null(""),
                pl.col("kind").fill_null("invoice").is_in(SALE_KINDS).alias("is_sale"),
            )
            .with_row_index("item")
        )

    @cached_property
    def events(self) -> pl.DataFrame:
        """Every change of an open amount: item, day, delta_minor, levels, currency, issued_on, due_on.

        The sum of ``delta_minor`` over the days before ``at`` is the open amount at the start of ``at``, never below
        0 per invoice. Money that came before the invoice counts from the day of issue.
        """
        about = self.invoices.select("item", "invoice_id", "issued_on", "amount_minor")
        paid = self.view.table("allocations").filter(
            pl.col("reversed_on").is_null() | (pl.col("reversed_on") > pl.col("applied_on"))
        )
        moves = pl.concat(
            paid.filter(pl.col(day).is_not_null()).select(
                "invoice_id", pl.col(day).alias("day"), (sign * pl.col("amount_minor")).alias("applied_minor")
            )
            for day, sign in (("applied_on", 1), ("reversed_on", -1))
        ).join(about, on="invoice_id", how="inner")
        columns = ("item", "amount_minor", "day", "applied_minor")
        steps = pl.concat(
            [
                about.with_columns(
                    pl.col("issued_on").alias("day"), pl.lit(0, pl.Int64()).alias("applied_minor")
                ).select(columns),
                moves.with_columns(pl.max_horizontal("day", "issued_on").alias("day")).select(columns),
            ]
        ).sort("item", "day", maintain_order=True)
        # The rows of an item stand together, so one running sum less its value before the item serves all of them.
        first = pl.col("item").ne_missing(pl.col("item").shift(1))
        running = pl.col("applied_minor").cum_sum()
        before = pl.when(first).then(running - pl.col("applied_minor")).forward_fill()
        left = (pl.col("amount_minor") - running + before).clip(lower_bound=0)
        changes = (
            steps.with_columns(left.alias("left_minor"), first.alias("first"))
            .with_columns(
                (pl.col("left_minor") - pl.when("first").then(0).otherwise(pl.col("left_minor").shift(1))).alias(
                    "delta_minor"
                )
            )
            .select("item", "day", "delta_minor")
        )
        return changes.join(
            self.invoices.select("item", *LEVELS, "currency", "issued_on", "due_on"), on="item", how="left"
        )

    def open_items(self, at: date | None = None) -> pl.DataFrame:
        """Invoices open at the start of ``at``: item, open_minor (> 0), days_late, levels, currency, dates."""
        day = at or self.view.as_of
        return (
            self.events.filter(pl.col("day") < day)
            .group_by("item")
            .agg(
                pl.col("delta_minor").sum().alias("open_minor"),
                pl.col(*LEVELS, "currency", "issued_on", "due_on").first(),
            )
            .filter(pl.col("open_minor") > 0)
            .with_columns((pl.lit(day) - pl.col("due_on")).dt.total_days().alias("days_late"))
            .sort("item")
        )

    def groups(self, by: Sequence[str] = ()) -> pl.DataFrame:
        """The rows of a result: every level value and currency that has an invoice, sorted."""
        keys = [*by, "currency"]
        return self._kept("groups", by, lambda: self.invoices.select(keys).unique().sort(keys))

    def _kept(self, what: str, by: Sequence[str], make: Callable[[], pl.DataFrame], *more: object) -> pl.DataFrame:
        """``make()``, computed once: many measures ask for the same sums."""
        key = (what, tuple(by), *more)
        if key not in self._memory:
            self._memory[key] = make()
        return self._memory[key]

    def _moves(self, by: Sequence[str]) -> pl.DataFrame:
        """The events of each group summed by due date and day: group (row number in ``groups``), due_on, day, delta."""
        numbered = self.groups(by).with_row_index("group")
        keys = [*by, "currency"]
        return self._kept(
            "moves",
            by,
            lambda: (
                self.events.select(*keys, "due_on", "day", "delta_minor")
                .join(numbered, on=keys, how="inner", nulls_equal=True)
                .group_by("group", "due_on", "day")
                .agg(pl.col("delta_minor").sum())
            ),
        )

    def receivables(self, at: date | None = None, by: Sequence[str] = ()) -> pl.DataFrame:
        """Per group receivable_minor and past_due_minor at the start of ``at`` (due before that day = past due)."""
        day = at or self.view.as_of
        return self._kept("receivables", by, lambda: self._receivables(day, by), day)

    def _receivables(self, day: date, by: Sequence[str]) -> pl.DataFrame:
        amount = pl.col("delta_minor")
        sums = (
            self._moves(by)
            .filter(pl.col("day") < day)
            .group_by("group")
            .agg(
                amount.sum().alias("receivable_minor"),
                amount.filter(pl.col("due_on") < day).sum().alias("past_due_minor"),
            )
        )
        return (
            self.groups(by)
            .with_row_index("group")
            .join(sums, on="group", how="left", maintain_order="left")
            .with_columns(pl.col("receivable_minor", "past_due_minor").fill_null(0))
            .drop("group")
        )

    def monthly_sales(self, day: date, by: Sequence[str] = ()) -> pl.DataFrame:
        """Per group and calendar month (its first day) sales_minor, invoices issued before ``day`` only."""
        running = month_start(day)
        months = self._kept("months", by, lambda: self._months(by, pl.lit(value=True)))
        whole = months.filter(pl.col("month") < running)
        if running == day:
            return whole
        part = pl.col("issued_on").is_between(running, day, closed="left")
        return pl.concat([whole, self._kept("month", by, lambda: self._months(by, part), day)])

    def _months(self, by: Sequence[str], issued: pl.Expr) -> pl.DataFrame:
        return (
            self.invoices.filter(pl.col("is_sale") & issued)
            .group_by(*by, "currency", pl.col("issued_on").dt.month_start().alias("month"))
            .agg(pl.col("amount_minor").sum().alias("sales_minor"))
        )

    def sales(self, start: date, end: date, by: Sequence[str] = ()) -> pl.DataFrame:
        """Per group sales_minor: invoices and debit notes issued in [start, end)."""
        return self._kept("sales", by, lambda: self._sales(start, end, by), start, end)

    def _sales(self, start: date, end: date, by: Sequence[str]) -> pl.DataFrame:
        sums = (
            self.invoices.filter(pl.col("is_sale") & pl.col("issued_on").is_between(start, end, closed="left"))
            .group_by(*by, "currency")
            .agg(pl.col("amount_minor").sum().alias("sales_minor"))
        )
        return self.fill(sums, by, "sales_minor")

    def fill(self, sums: pl.DataFrame, by: Sequence[str], *amounts: str) -> pl.DataFrame:
        """``sums`` for every group of the book, 0 where nothing happened, sorted by group.

        A group that has no invoice (a credit or a promise that names none) stays, so that parts add up to the whole.
        """
        keys = [*by, "currency"]
        return (
            self.groups(by)
            .join(sums, on=keys, how="full", coalesce=True, nulls_equal=True)
            .with_columns(pl.col(*amounts).fill_null(0))
            .sort(keys)
        )

    def starts_after(self, day: date, *, slack_days: int = 7) -> bool:
        """Whether the books begin more than a week after ``day``, so that a period from then on is not covered."""
        first = self.first_issued_on()
        return first is None or (first - day).days > slack_days

    def first_issued_on(self) -> date | None:
        """Issue date of the oldest invoice."""
        first = self.invoices.get_column("issued_on").min()
        return first if isinstance(first, date) else None


Source = View | Books


def books_of(source: Source) -> Books:
    """``source`` itself when it is prepared, else the prepared view."""
    return source if isinstance(source, Books) else Books(source)


def check_levels(by: Sequence[str], allowed: Sequence[str] = LEVELS) -> None:
    """Raises ValueError when ``by`` names a level that this figure does not have."""
    wrong = [level for level in by if level not in allowed]
    if wrong:
        raise ValueError(f"this figure has no level {wrong[0]!r}; levels: {', '.join(allowed)}")


def add_months(day: date, months: int) -> date:
    """The same day of another month, or that month's last day (31 March - 1 month = 28 or 29 February)."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def month_start(day: date) -> date:
    """First day of the month of ``day``."""
    return day.replace(day=1)


def trend_days(at: date, months: int = 12) -> tuple[date, ...]:
    """The last ``months`` month starts before ``at`` and ``at`` itself, oldest first."""
    latest = month_start(at - timedelta(days=1))
    return (*(add_months(latest, -back) for back in range(months - 1, -1, -1)), at)


def result(frame: pl.DataFrame, name: str, value: pl.Expr, *why_not: tuple[pl.Expr, str]) -> pl.DataFrame:
    """``frame`` with the figure ``name`` and ``missing``: null and the first reason that holds, else value and "".

    A null condition counts as not holding; a value that is not finite never passes.
    """
    reason = pl.lit("")
    for condition, text in reversed(why_not):
        reason = pl.when(condition.fill_null(value=False)).then(pl.lit(text)).otherwise(reason)
    figured = frame.with_columns(reason.alias("missing")).with_columns(
        pl.when(pl.col("missing") == "").then(value).otherwise(None).alias(name)
    )
    return figured.select(pl.exclude("missing"), "missing")
