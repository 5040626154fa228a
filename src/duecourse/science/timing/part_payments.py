"""Cash that an invoice has received without being paid by it: how much of the amount, and since when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.balances import live_allocations
from duecourse.science.timing.signals import NEVER

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_SPAN = 1 << 25  # room for one invoice's days in a combined (invoice, day) key


@dataclass(frozen=True)
class PartPayments:
    """One entry per invoice and day on which the books learnt of cash that did not yet cover the whole amount.

    Sorted by (invoice, day): row into Facts, first day as of which the cash was known, and the share of the amount that
    all cash known by then covers.
    """

    invoice: IntArray
    known_from: IntArray
    share: FloatArray

    def before(self, invoice: IntArray, day: IntArray) -> tuple[FloatArray, FloatArray]:
        """Share of the amount received, and days since the last of it came, as known at ``day``; 0 and NaN without."""
        if not len(self.invoice):
            return np.zeros(len(invoice)), np.full(len(invoice), np.nan)
        keys, wanted = self.invoice * _SPAN + self.known_from, invoice * _SPAN + day
        last = np.searchsorted(keys, wanted, side="right") - 1
        place = np.maximum(last, 0)
        found = (last >= 0) & (self.invoice[place] == invoice)
        return np.where(found, self.share[place], 0.0), np.where(found, day - self.known_from[place], np.nan)

    def first_known(self, invoices: int) -> IntArray:
        """First day as of which a payment on each invoice was known, NEVER without one; shape (invoices,)."""
        result = np.full(invoices, NEVER, dtype=np.int64)
        np.minimum.at(result, self.invoice, self.known_from)
        return result


def part_payments(view: View, invoices: pl.DataFrame) -> PartPayments:
    """The payments on ``invoices`` (sorted as in Facts) that are live at ``view.as_of``."""
    rows = invoices.select("invoice_id", pl.col("amount_minor").alias("total_minor")).with_row_index("row")
    known = pl.max_horizontal(pl.col("recorded_at").dt.date(), "applied_on").to_physical().cast(pl.Int64) + 1
    table = (
        live_allocations(view)
        .filter(pl.col("source_kind") == "payment")
        .select("invoice_id", "amount_minor", known.alias("known_from"))
        .join(rows, on="invoice_id", how="inner")
        .group_by("row", "known_from")
        .agg(pl.col("amount_minor").sum(), pl.col("total_minor").first())
        .sort("row", "known_from")
        .with_columns((pl.col("amount_minor").cum_sum().over("row") / pl.col("total_minor")).alias("share"))
        .filter(pl.col("share") < 1.0)
    )
    return PartPayments(
        table.get_column("row").to_numpy().astype(np.int64),
        table.get_column("known_from").to_numpy().astype(np.int64),
        table.get_column("share").to_numpy().astype(np.float64),
    )
