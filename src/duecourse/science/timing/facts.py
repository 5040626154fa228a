"""``Facts``: the books of one ``View`` as NumPy arrays in epoch days, ordered for as-of questions without Python loops.

Everything that timing computes for a landmark day s reads only facts whose known-day lies before s, so the same
functions serve training rows in the past, the open invoices of today and the new invoices of a backtest.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import key_codes
from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances
from duecourse.science.timing.part_payments import PartPayments, part_payments
from duecourse.science.timing.signals import Signals, signals_from_view

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
TextArray = npt.NDArray[np.object_]

NEVER = 10_000_000  # an epoch day beyond every calendar: "not within what is known"
_KEY_SPAN = 4 * NEVER  # room for one customer's days in a combined (customer, day) key
_KEY_SHIFT = NEVER  # days before 1970 must not run into the customer before
EPOCH = date(1970, 1, 1)


def epoch_day(day: date) -> int:
    """Days from 1970-01-01 to ``day``."""
    return (day - EPOCH).days


def calendar_date(day: int) -> date:
    """The date of an epoch day."""
    return EPOCH + timedelta(days=int(day))


def customer_day_key(customer: IntArray, day: IntArray) -> IntArray:
    """One sortable number per (customer code, epoch day); days from -NEVER to 2 x NEVER keep their order."""
    result: IntArray = customer.astype(np.int64) * _KEY_SPAN + (day + _KEY_SHIFT)
    return result


@dataclass(frozen=True)
class Disputes:
    """Disputed stretches, one entry per dispute: row into Facts, days [from_day, to_day), whether the whole amount."""

    invoice: IntArray
    from_day: IntArray
    to_day: IntArray
    known: IntArray
    whole: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Facts:
    """One entry per visible invoice, sorted by invoice_id; days are epoch days, NEVER where it has not happened.

    ``known`` is the day the books learnt of the invoice, ``visible_from`` the first day as of which another invoice
    may see it (recorded and issued before). ``paid_on`` is the event (first day cash reached 95 % of the undisputed
    amount), ``paid_known`` the day the books learnt of it; ``closed_on``/``closed_known`` the end of the open balance
    by whatever means; ``censored_on`` the closing day of a credited invoice. A written-off invoice is ``written_off``
    and stays at risk. ``customer`` and ``group`` (entity, kind, currency) are codes into ``customer_ids`` and
    ``groups`` (sorted text); ``country`` is one text per customer, "" where unknown.

    ``cleared`` lists the paid invoices by (customer, paid_known, paid_on, invoice), ``cleared_key`` their
    ``customer_day_key`` of (customer, paid_known): the past of a customer as of day s is the slice
    ``history(customer, s)``.
    """

    as_of: int
    invoice_id: TextArray
    customer: IntArray
    customer_ids: TextArray
    country: TextArray
    group: IntArray
    groups: tuple[str, ...]
    issue: IntArray
    due: IntArray
    known: IntArray
    visible_from: IntArray
    paid_on: IntArray
    paid_known: IntArray
    closed_on: IntArray
    closed_known: IntArray
    censored_on: IntArray
    written_off: npt.NDArray[np.bool_]
    amount: FloatArray
    open_minor: IntArray
    currency: TextArray
    disputes: Disputes
    signals: Signals
    parts: PartPayments
    cleared: IntArray
    cleared_key: IntArray

    def __len__(self) -> int:
        return int(self.issue.shape[0])

    @cached_property
    def code(self) -> npt.NDArray[np.uint64]:
        """A 64-bit code of each invoice_id, which keys its random draws."""
        return key_codes(self.invoice_id.tolist())

    @property
    def terms(self) -> IntArray:
        """Days from issue to due of each invoice, as the dates themselves say."""
        return self.due - self.issue

    @cached_property
    def written_off_on(self) -> IntArray:
        """Closing day of each written-off invoice, NEVER for the others."""
        return np.where(self.written_off, self.closed_on, NEVER)

    @property
    def is_open(self) -> npt.NDArray[np.bool_]:
        """Invoices with an open balance at ``as_of``."""
        return self.closed_known >= NEVER

    def history(self, customer: IntArray, day: IntArray) -> tuple[IntArray, IntArray]:
        """[start, end) positions in ``cleared`` of what each customer is known to have paid before ``day``."""
        start = np.searchsorted(self.cleared_key, customer_day_key(customer, np.full_like(day, -NEVER)), side="left")
        end = np.searchsorted(self.cleared_key, customer_day_key(customer, day), side="left")
        return start.astype(np.int64), end.astype(np.int64)

    def last_cleared(self, customer: IntArray, day: IntArray, count: int) -> IntArray:
        """The last ``count`` invoices known to be paid before ``day``, newest first, as rows; -1 where there are fewer.

        Shape (n, count).
        """
        start, end = self.history(customer, day)
        position = end[:, None] - 1 - np.arange(count)[None, :]
        inside = position >= start[:, None]
        if not len(self.cleared):
            return np.full(position.shape, -1, dtype=np.int64)
        result: IntArray = np.where(inside, self.cleared[np.where(inside, position, 0)], -1)
        return result


def facts_from_view(view: View) -> Facts:
    """The facts of ``view``; whatever the row order of its files, equal books give equal arrays.

    Invoices over nothing, or over less, are left out: nobody waits for them.
    """
    frame = invoice_balances(view).filter(pl.col("amount_minor") > 0).sort("invoice_id")
    customer_ids, customer = _codes(frame.get_column("customer_id"))
    group_text = frame.select(
        pl.concat_str(pl.col("entity_id").fill_null(""), pl.col("kind").fill_null("invoice"), "currency", separator="|")
    ).to_series()
    group_names, group = _codes(group_text)
    issue, known = _days(frame, "issued_on"), _known_days(frame)
    paid_on, paid_known = _days(frame, "paid_on"), _days(frame, "paid_known_on")
    closed_as = frame.get_column("closed_as")
    closed_on, closed_known = _days(frame, "cleared_on"), _days(frame, "cleared_known_on")
    credited = (closed_as == "credited").fill_null(value=False).to_numpy()
    written_off = (closed_as == "written_off").fill_null(value=False).to_numpy()
    never_paid = credited | written_off
    paid_on, paid_known = np.where(never_paid, NEVER, paid_on), np.where(never_paid, NEVER, paid_known)
    cleared, cleared_key = _clearing_order(customer, paid_on, paid_known)
    return Facts(
        as_of=epoch_day(view.as_of),
        invoice_id=_text(frame.get_column("invoice_id")),
        customer=customer,
        customer_ids=customer_ids,
        country=_countries(view, customer_ids),
        group=group,
        groups=tuple(group_names.tolist()),
        issue=issue,
        due=_days(frame, "due_on"),
        known=known,
        visible_from=np.maximum(known, issue) + 1,
        paid_on=paid_on,
        paid_known=paid_known,
        closed_on=closed_on,
        closed_known=closed_known,
        censored_on=np.where(credited, closed_on, NEVER),
        written_off=written_off,
        amount=frame.get_column("amount_minor").to_numpy().astype(np.float64),
        open_minor=frame.get_column("open_minor").to_numpy().astype(np.int64),
        currency=_text(frame.get_column("currency")),
        disputes=_disputes(view, frame),
        signals=signals_from_view(view, frame),
        parts=part_payments(view, frame),
        cleared=cleared,
        cleared_key=cleared_key,
    )


def _countries(view: View, customer_ids: TextArray) -> TextArray:
    known = view.table("customers").select("customer_id", "country").unique("customer_id", keep="last")
    wanted = pl.DataFrame({"customer_id": pl.Series(customer_ids.tolist(), dtype=pl.String)})
    joined = wanted.join(known, on="customer_id", how="left", maintain_order="left")
    return _text(joined.get_column("country").fill_null(""))


def _clearing_order(customer: IntArray, paid_on: IntArray, paid_known: IntArray) -> tuple[IntArray, IntArray]:
    """Rows of the paid invoices by (customer, paid_known, paid_on, row) and their (customer, paid_known) keys."""
    paid = np.flatnonzero(paid_known < NEVER)
    order = np.lexsort((paid, paid_on[paid], paid_known[paid], customer[paid]))
    cleared = paid[order].astype(np.int64)
    return cleared, customer_day_key(customer[cleared], paid_known[cleared])


def _disputes(view: View, frame: pl.DataFrame) -> Disputes:
    """Disputes of visible invoices; one without an amount, or with at least the invoice's amount, is whole."""
    rows = frame.select("invoice_id", "amount_minor").with_row_index("row")
    table = (
        view.table("disputes")
        .join(rows, on="invoice_id", how="inner")
        .sort("row", "opened_on", "dispute_id")
        .with_columns((pl.coalesce("disputed_minor", "amount_minor") >= pl.col("amount_minor")).alias("whole"))
    )
    return Disputes(
        invoice=table.get_column("row").to_numpy().astype(np.int64),
        from_day=_days(table, "opened_on"),
        to_day=_days(table, "closed_on"),
        known=_known_days(table),
        whole=table.get_column("whole").to_numpy().astype(bool),
    )


def _codes(column: pl.Series) -> tuple[TextArray, IntArray]:
    """Sorted distinct texts and each row's position among them."""
    names = column.unique().sort()
    codes = column.to_frame("text").join(
        names.to_frame("text").with_row_index("code"), on="text", how="left", maintain_order="left"
    )
    return _text(names), codes.get_column("code").to_numpy().astype(np.int64)


def _text(column: pl.Series) -> TextArray:
    return np.array(column.to_list(), dtype=object)


def _days(frame: pl.DataFrame, column: str) -> IntArray:
    """Epoch days of a date column; null becomes NEVER."""
    days = frame.get_column(column).cast(pl.Date).to_physical().cast(pl.Int64).fill_null(NEVER)
    return days.to_numpy().astype(np.int64)


def _known_days(frame: pl.DataFrame) -> IntArray:
    """Day on which the first version of each row was recorded: the row is visible from the next day on."""
    days = frame.get_column("first_recorded_at").dt.date().to_physical().cast(pl.Int64).fill_null(-NEVER)
    return days.to_numpy().astype(np.int64)
