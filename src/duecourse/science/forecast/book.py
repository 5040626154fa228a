"""What enters the forecast from the books: open items with their curves, and the past that coming invoices copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.calendar import NO_DAYS, epoch_day
from duecourse.ledger.as_of import View
from duecourse.ledger.balances import invoice_balances
from duecourse.science.forecast.inflow import volume_by_group
from duecourse.science.forecast.inflow_draws import PastInvoices
from duecourse.science.forecast.issued import NOT_PAID, WEEK, IssuedHistory
from duecourse.science.forecast.open_book import OpenItems
from duecourse.science.forecast.parts import open_parts, paid_dilution, payable_shares, payers
from duecourse.science.forecast.plans import end_of_wait, instalments_kept, pieces
from duecourse.science.forecast.shocks import Floats, Integers
from duecourse.science.timing.events import resolution_days
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.promises import arrival_days, kept_curve, promise_book

__all__ = ["ADDITIONAL", "curve_table", "open_items", "past_invoices", "payers"]

ADDITIONAL = "is_additional"  # column of invoices to come that are expected on top of the usual business
_PART = {
    "row": pl.Int64(), "invoice_id": pl.String(), "draw_key": pl.String(), "due_on": pl.Date(),
    "amount_minor": pl.Int64(),
}  # fmt: skip


def open_items(view: View, curves: pl.DataFrame, *, payable: pl.DataFrame | None = None) -> dict[str, OpenItems]:
    """Open items by currency: what may still arrive of each, and its payment curve.

    An invoice gives one item for its plain part (open less disputed, planned and what is here already, times one minus
    the customer's dilution), one for a disputed part, and one per instalment that pays it. ``curves`` has the columns
    invoice_id, day, cdf with the same days for every invoice, as ``timing.predict`` gives them: live promises are in
    them. ``payable`` (invoice_id, payable_share) says what is paid of disputed amounts in the end; what it does not
    name takes the book's own share. Raises ValueError when an invoice has fewer days than another.
    """
    ids, cdf = curve_table(curves)
    rows = (
        pl.DataFrame({"invoice_id": ids}, schema={"invoice_id": pl.String()})
        .with_row_index("row")
        .with_columns(pl.col("row").cast(pl.Int64))
        .join(open_parts(view), on="invoice_id", how="inner")
        .sort("row")
    )
    if rows.is_empty():
        return {}
    parts, changed = _Parts(view, rows, cdf).all(payable)
    items = (
        parts.join(rows.select("invoice_id", "customer_id", "parent_id", "entity_id", "currency", "issued_on"),
                   on="invoice_id", how="left", maintain_order="left")
        .with_row_index("place")
        .filter(pl.col("amount_minor") > 0)
        .sort("invoice_id", "draw_key")
    )  # fmt: skip
    return {
        str(currency): _items(part, cdf, changed, view.as_of)
        for (currency,), part in sorted(items.group_by("currency", maintain_order=True), key=lambda item: str(item[0]))
    }


def curve_table(curves: pl.DataFrame) -> tuple[pl.Series, Floats]:
    """Invoice ids in order and their curves, shape (n, days). Raises ValueError for curves of different lengths."""
    if not curves.height:
        return pl.Series("invoice_id", [], dtype=pl.String()), np.zeros((0, 0))
    days = int(curves.get_column("day").to_numpy().max()) + 1
    if curves.height % days or not _in_order(curves, days):
        curves = curves.sort("invoice_id", "day")
        if curves.height % days or not _in_order(curves, days):
            raise ValueError("curves must hold the same days for every invoice")
    return curves.get_column("invoice_id").gather_every(days), curves.get_column("cdf").to_numpy().reshape(-1, days)


def _in_order(curves: pl.DataFrame, days: int) -> bool:
    """Whether invoices stand in order, each with the days 0..days-1; sorting millions of rows costs seconds."""
    runs = curves.get_column("invoice_id").rle().struct.unnest()
    if not (runs.get_column("len") == days).all() or not runs.get_column("value").is_sorted():
        return False
    return bool((curves.get_column("day").to_numpy().reshape(-1, days) == np.arange(days)).all())


class _Parts:
    """The parts of open invoices, as rows of ``_PART``; ``row`` is a curve of ``cdf`` or, beyond its end, a new one."""

    def __init__(self, view: View, rows: pl.DataFrame, cdf: Floats) -> None:
        self.view, self.rows, self.cdf = view, rows, cdf
        self.as_of = epoch_day(view.as_of)
        self.curve_of = dict(rows.select("invoice_id", "row").iter_rows())
        self.new_curves: list[Floats] = []
        self._facts: Facts | None = None

    def all(self, payable: pl.DataFrame | None) -> tuple[pl.DataFrame, Floats]:
        """All parts, and the curves that no invoice has by itself."""
        cash = (pl.col("plain_minor") * (1.0 - pl.col("dilution"))).round().cast(pl.Int64)
        plain = self.rows.select("row", "invoice_id", pl.col("invoice_id").alias("draw_key"), "due_on",
                                 cash.alias("amount_minor"))  # fmt: skip
        found = [*self._disputed(payable), *self._planned()]
        others = pl.DataFrame(found, schema=_PART, orient="row")
        new = np.stack(self.new_curves) if self.new_curves else np.zeros((0, self.cdf.shape[1]))
        return pl.concat([plain, others]), new

    def _facts_of_view(self) -> Facts:
        self._facts = self._facts or facts_from_view(self.view)
        return self._facts

    def _add(self, curve: Floats) -> int:
        self.new_curves.append(curve)
        return len(self.cdf) + len(self.new_curves) - 1

    def _disputed(self, payable: pl.DataFrame | None) -> Iterator[tuple[int, str, str, date, int]]:
        """The payable share of each disputed part: the dispute ends, then the curve runs."""
        held = self.rows.filter(pl.col("disputed_minor") > 0)
        if held.is_empty():
            return
        shares = dict(payable_shares(self.view).iter_rows())
        shares |= dict(payable.select("invoice_id", "payable_share").iter_rows()) if payable is not None else {}
        whole, opened = self._open_disputes()
        disputes = self._facts_of_view().disputes
        for row, invoice, due_on, disputed in held.select("row", "invoice_id", "due_on", "disputed_minor").iter_rows():
            if invoice not in whole:  # the curve of a wholly disputed invoice waits for the end of the dispute already
                ends = resolution_days(disputes, max(self.as_of - opened[invoice], 0), self.cdf.shape[1])
                row = self._add(np.minimum(np.convolve(ends, self.cdf[row])[: self.cdf.shape[1]], 1.0))
            yield row, invoice, f"{invoice}\x1fdisputed", due_on, round(disputed * shares[invoice])

    def _open_disputes(self) -> tuple[set[str], dict[str, int]]:
        """Invoices that a single dispute holds wholly, and the day on which the oldest open dispute of each began."""
        day = pl.lit(self.view.as_of)
        live = (
            self.view.table("disputes")
            .filter(pl.col("closed_on").is_null() | (pl.col("closed_on") >= day))
            .join(self.view.table("invoices").select("invoice_id", "amount_minor"), on="invoice_id", how="inner")
            .with_columns((pl.coalesce("disputed_minor", "amount_minor") >= pl.col("amount_minor")).alias("whole"))
            .group_by("invoice_id")
            .agg(pl.col("opened_on").min(), pl.col("whole").any())
        )
        whole = set(live.filter("whole").get_column("invoice_id").to_list())
        return whole, {str(invoice): epoch_day(opened) for invoice, opened, _ in live.iter_rows()}

    def _planned(self) -> Iterator[tuple[int, str, str, date, int]]:
        """Each instalment with its chance of being kept, else later by the curve of the invoice."""
        if not int(self.rows.get_column("planned_minor").sum()):
            return
        kept, horizon = instalments_kept(self.view), self.cdf.shape[1]
        customer = dict(self.rows.select("invoice_id", "customer_id").iter_rows())
        arrival = self._arrivals()
        for piece in pieces(self.view, self.rows):
            on_time = kept_curve(epoch_day(piece.due_on) - self.as_of, self.as_of, arrival, horizon)
            wait = min(epoch_day(end_of_wait(piece.due_on)) - self.as_of, horizon)
            late = np.zeros(horizon)
            late[wait:] = self.cdf[self.curve_of[piece.invoice_id], : horizon - wait]
            p = kept.of(customer[piece.invoice_id])
            key = f"{piece.plan_id}\x1f{piece.due_on}"  # one instalment is one payment, whatever invoices it pays
            row = self._add(p * on_time + (1.0 - p) * late)
            yield row, piece.invoice_id, key, piece.due_on, piece.amount_minor

    def _arrivals(self) -> Floats:
        """Days from the promised day to the money: the book's kept promises and the assumed start."""
        if self.view.table("promises").is_empty():
            return arrival_days(NO_DAYS)
        book = promise_book(self.view, self._facts_of_view())
        return arrival_days(book.arrival[book.kept])


def _items(part: pl.DataFrame, cdf: Floats, changed: Floats, as_of: date) -> OpenItems:
    rows = part.get_column("row").to_numpy()
    own = rows < len(cdf)
    curves = np.empty((len(rows), cdf.shape[1]))
    curves[own] = cdf[rows[own]]
    curves[~own] = changed[rows[~own] - len(cdf)]
    return OpenItems(
        invoice_id=part.get_column("invoice_id").to_list(),
        parent_id=part.get_column("parent_id").to_list(),
        due_day=_days(part.get_column("due_on")),
        amount_minor=part.get_column("amount_minor").to_numpy(),
        cdf=curves,
        customer_id=part.get_column("customer_id").to_list(),
        entity_id=part.get_column("entity_id").to_list(),
        draw_key=part.get_column("draw_key").to_list(),
        is_issued=(part.get_column("issued_on") < as_of).to_numpy(),
    )


def past_invoices(view: View, *, holidays: Integers = NO_DAYS) -> dict[str, PastInvoices]:
    """By currency, every invoice issued before ``as_of``: what the coming weeks are drawn from.

    Amounts are less the share of paid invoices that is no cash. What is known already of the coming weeks (invoices
    with an issue date on or after ``as_of``) is taken out of the usual business (``usual_share``). ``holidays`` are
    the days on which the business itself rests.
    """
    invoices = (
        invoice_balances(view)
        .join(payers(view), on="customer_id", how="left", maintain_order="left")
        .sort("invoice_id")
    )
    deduction = paid_dilution(view)
    coming = invoices.filter(pl.col("issued_on") >= view.as_of)
    if ADDITIONAL in coming.columns:
        coming = coming.filter(~pl.col(ADDITIONAL).fill_null(False))
    issued = invoices.filter(pl.col("issued_on") < view.as_of)
    return {
        str(currency): _less_known(
            _past(part, epoch_day(view.as_of), deduction.get(str(currency), 0.0), holidays),
            coming.filter(pl.col("currency") == currency),
        )
        for (currency,), part in sorted(issued.group_by("currency", maintain_order=True), key=lambda item: str(item[0]))
    }


def _past(part: pl.DataFrame, as_of: int, deduction: float, holidays: Integers) -> PastInvoices:
    amount = part.get_column("amount_minor").to_numpy()
    return PastInvoices(
        IssuedHistory(
            as_of=as_of,
            issue_day=_days(part.get_column("issued_on")),
            paid_day=part.get_column("paid_on").cast(pl.Int32).cast(pl.Int64).fill_null(NOT_PAID).to_numpy(),
            amount_minor=np.rint(amount * (1.0 - deduction)).astype(np.int64) if deduction else amount,
            holidays=holidays,
        ),
        parent_id=part.get_column("parent_id").to_numpy(),
        due_day=_days(part.get_column("due_on")),
        customer_id=part.get_column("customer_id").to_numpy(),
        entity_id=part.get_column("entity_id").fill_null("").to_numpy(),
        invoice_id=part.get_column("invoice_id").to_numpy(),
    )


def _less_known(past: PastInvoices, coming: pl.DataFrame) -> PastInvoices:
    """``past`` whose usual business leaves out what is known: a customer's own first, any excess from everybody.

    Up to the last known issue day (whole weeks) the usual and the known business together are the larger of the two.
    """
    if coming.is_empty() or not len(past.history.issue_day):
        return past
    last = int(_days(coming.get_column("issued_on")).max())
    span = -(-(last - past.history.as_of + 1) // WEEK) * WEEK
    names, group = np.unique(past.parent_id, return_inverse=True)
    usual = volume_by_group(past.history, span, group.astype(np.int64), len(names)).sum(axis=1)
    known = dict(coming.group_by("parent_id").agg(pl.col("amount_minor").sum()).iter_rows())
    own = np.array([known.get(name, 0) for name in names], dtype=np.float64)
    taken = np.minimum(own, usual)
    rest = float((usual - taken).sum())
    excess = float(sum(known.values())) - float(taken.sum())
    share = np.divide(usual - taken, usual, out=np.ones(len(names)), where=usual > 0)
    share *= max(0.0, 1.0 - excess / rest) if rest > 0 else 0.0
    return replace(past, history=replace(past.history, usual_share=share[group], usual_days=span))


def _days(column: pl.Series) -> npt.NDArray[np.int64]:
    result: npt.NDArray[np.int64] = column.cast(pl.Int32).cast(pl.Int64).to_numpy()
    return result
