"""Monte Carlo over the payment curves of open invoices, with shocks that invoices share.

For draw r and item i of paying parent c due in ISO week w

    z_ir = sqrt(rg) G_r + sqrt(rc) C_rc + sqrt(rb) B_rcw + sqrt(1 - rg - rc - rb) e_ir,   u_ir = Phi(z_ir)
    t_ir = min{ j : F_i(j) >= u_ir }, none if u_ir > F_i(last day)

with all terms standard normal, so every item keeps its own curve F_i and only dependence changes: independent draws
give far too narrow bands, because customers clear invoices together (Gaussian copula; Li 2000). Every number is
keyed by (seed, what it belongs to, draw): adding an invoice changes no other invoice's draws, and scenarios share them.

Both z and the quantiles of F_i stand on a grid of 4,096 steps of 0.002 standard deviations, so that the day is one
look-up: a curve is met within 0.0005.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import key_codes
from duecourse.science.forecast.groups import GroupDraws
from duecourse.science.forecast.shocks import (
    LANES,
    Codes,
    Floats,
    Floats32,
    Integers,
    due_weeks,
    normals,
    normals_between,
)

__all__ = [
    "INDEPENDENT",
    "Codes",
    "Floats",
    "Integers",
    "OpenItems",
    "Shares",
    "batch_keys",
    "due_weeks",
    "normals",
    "simulate_open_book",
]

_BLOCK_ROWS = 256  # items at once: their tables (1 MB) and draws stay in the processor's cache
_GRID_STEPS = 4_096
_LOWEST, _HIGHEST = -4.25, 4.25  # beyond the largest of 65,536 equally likely normals
_STEPS_PER_UNIT = _GRID_STEPS / (_HIGHEST - _LOWEST)


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of an item's timing is shared: by everybody, by its customer, by its customer's due-week batch."""

    everybody: float = 0.03
    customer: float = 0.20
    batch: float = 0.50

    @property
    def own(self) -> float:
        """What is left to the item itself. Raises ValueError when the shares exceed 1."""
        rest = 1.0 - self.everybody - self.customer - self.batch
        if min(rest, self.everybody, self.customer, self.batch) < 0:
            raise ValueError(f"shares of variance must be at least 0 and sum to at most 1: {self}")
        return rest


INDEPENDENT = Shares(0.0, 0.0, 0.0)


@dataclass(frozen=True)
class OpenItems:
    """Open items of one currency, row by row: ids, paying parent, due day, amount and payment curve.

    ``due_day`` are days since 1970-01-01, ``amount_minor`` what may still arrive, ``cdf`` has shape (n, days) with
    cdf[i, j] = P(paid on or before day j | open at the start of day 0). Optional, and then row by row too:
    ``customer_id`` says whom a scenario names (without it the paying parent stands for the customer), ``entity_id``
    the legal entity ("" where unknown), ``draw_key`` what names an item's own shock (without it the invoice_id; parts
    with one key are paid together), ``is_issued`` False for invoices that are known but not issued yet.
    """

    invoice_id: list[str]
    parent_id: list[str]
    due_day: Integers
    amount_minor: Integers
    cdf: Floats
    customer_id: Sequence[str] = ()
    entity_id: Sequence[str] = ()
    draw_key: Sequence[str] = ()
    is_issued: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class _Rows:
    """The items in working order, customer by customer: codes of their shocks, amounts, grid places of their curves."""

    own: Codes
    parent: Integers
    parent_codes: Codes
    batch: Integers
    batch_codes: Codes
    amount_minor: Integers
    cdf: Floats


def batch_keys(parent_id: Sequence[str], due_day: Integers) -> list[str]:
    """What names the shock of a paying parent's invoices that are due in the same ISO week."""
    return [f"{parent}\x1f{week}" for parent, week in zip(parent_id, due_weeks(due_day).tolist(), strict=True)]


def simulate_open_book(
    items: OpenItems,
    *,
    days: int,
    draws: int,
    seed: int,
    shares: Shares | None = None,
    threads: int = 2,
    groups: Sequence[GroupDraws] = (),
) -> Integers:
    """Simulated cash in minor units, shape (draws, days): draw r, day j after ``as_of``.

    ``groups`` are filled with the same draws, week by week. Sums are integers and every item draws by its own key, so
    neither row order nor ``threads`` changes a byte. Raises ValueError for a negative amount and for shares above 1.
    """
    shares = shares or Shares()
    cash = np.zeros((draws, days + 1), dtype=np.int64)  # the last column takes what does not come in time
    if not items.invoice_id or not days:
        return cash[:, :days]
    if int(items.amount_minor.min()) < 0:
        place = int(items.amount_minor.argmin())
        raise ValueError(f"item {items.invoice_id[place]} has a negative amount; what may arrive is at least 0")
    rows, order = _in_working_order(items, days)
    sorted_groups = [group.for_items(order) for group in groups]
    everybody = (
        np.float32(np.sqrt(shares.everybody)) * normals_between(seed, "everybody", key_codes(["all"]), 0, draws)[0]
    )
    # Threads share the draws and not the items: each writes its own part of the result.
    step = max(LANES, -(-draws // (threads * LANES)) * LANES)
    spans = [(first, min(first + step, draws)) for first in range(0, draws, step)]
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(order), _BLOCK_ROWS):
            block = slice(start, min(start + _BLOCK_ROWS, len(order)))
            table = _day_table(rows.cdf[block])

            def part(span: tuple[int, int], block: slice = block, table: npt.NDArray[np.uint8] = table) -> None:
                first, last = span
                z = _timing(rows, block, shares, (seed, first, last))
                z += everybody[first:last]
                day = _paid_day(z, table)
                amount = np.broadcast_to(rows.amount_minor[block, None], day.shape)
                place = np.arange(first, last, dtype=np.int64) * (days + 1)
                np.add.at(cash.reshape(-1), (place + day).ravel(), amount.ravel())
                for group in sorted_groups:
                    group.add(block, (first, last), day, amount)

            list(pool.map(part, spans))
    return np.ascontiguousarray(cash[:, :days])


def _in_working_order(items: OpenItems, days: int) -> tuple[_Rows, npt.NDArray[np.intp]]:
    """Rows of one customer and batch stand together, so that a block draws few shared shocks."""
    parents, parent = np.unique(np.asarray(items.parent_id, dtype=object), return_inverse=True)
    keys = np.asarray(batch_keys(items.parent_id, items.due_day), dtype=object)
    batches, batch = np.unique(keys, return_inverse=True)
    order = np.lexsort((batch, parent))
    rows = _Rows(
        own=key_codes(items.draw_key or items.invoice_id)[order],
        parent=parent[order].astype(np.int64),
        parent_codes=key_codes(parents.tolist()),
        batch=batch[order].astype(np.int64),
        batch_codes=key_codes(batches.tolist()),
        amount_minor=items.amount_minor[order].astype(np.int64),
        cdf=items.cdf[order, :days],
    )
    return rows, order


def _timing(rows: _Rows, block: slice, shares: Shares, span: tuple[int, int, int]) -> Floats32:
    """How late each item of the block is, without the shock that everybody shares; shape (items, draws of the span)."""
    seed, first, last = span
    z = normals_between(seed, "item", rows.own[block], first, last)
    z *= np.float32(np.sqrt(shares.own))
    for share, stream, codes, row in (
        (shares.customer, "customer", rows.parent_codes, rows.parent[block]),
        (shares.batch, "batch", rows.batch_codes, rows.batch[block]),
    ):
        if share > 0:
            unique, inverse = np.unique(row, return_inverse=True)
            shared = normals_between(seed, stream, codes[unique], first, last) * np.float32(np.sqrt(share))
            z += shared[inverse]
    return z


def _day_table(cdf: Floats) -> npt.NDArray[np.uint8]:
    """For every item and step of the grid the day on which it is paid (``days``: not in time); one item after another.

    Item i is paid on the first day j whose quantile of F_i is not below z; both are rounded to the grid.
    """
    from scipy.special import ndtri

    count, days = cdf.shape
    quantile = np.clip(ndtri(np.maximum.accumulate(cdf, axis=1)), _LOWEST, _HIGHEST)
    step = np.rint((quantile - _LOWEST) * _STEPS_PER_UNIT).astype(np.int64)
    steps_of_day = np.diff(step, axis=1, prepend=0, append=_GRID_STEPS)
    return np.repeat(np.tile(np.arange(days + 1, dtype=np.uint8), count), steps_of_day.ravel())


def _paid_day(z: Floats32, table: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    z -= np.float32(_LOWEST)
    z *= np.float32(_STEPS_PER_UNIT)
    np.clip(z, 0, _GRID_STEPS - 1, out=z)
    cell = z.astype(np.int32)
    cell += (np.arange(len(z), dtype=np.int32) * _GRID_STEPS)[:, None]
    result: npt.NDArray[np.uint8] = table.take(cell)
    return result
