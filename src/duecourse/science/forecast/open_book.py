"""Monte Carlo over the payment curves of open invoices, with shocks that invoices share.

For draw r and item i of paying parent c due in ISO week w

    z_ir = sqrt(rg) G_r + sqrt(rc) C_rc + sqrt(rb) B_rcw + sqrt(1 - rg - rc - rb) e_ir,   u_ir = Phi(z_ir)
    t_ir = min{ j : F_i(j) >= u_ir }, none if u_ir > F_i(last day)

with all terms standard normal, so every item keeps its own curve F_i and only dependence changes: independent draws
give far too narrow bands, because customers clear invoices together (Gaussian copula; Li 2000). Every number is
keyed by (seed, what it belongs to, draw): adding an invoice changes no other invoice's draws, and scenarios share them.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from duecourse.core.ids import key_codes, uniform

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint64]

_BLOCK_CELLS = 2_000_000  # items x draws held at once: about 60 MB of working memory per thread
_DRAW_STEP = np.uint64(0xD1342543DE82EF95)  # an odd constant keeps (key, draw) pairs apart


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
    cdf[i, j] = P(paid on or before day j | open at the start of day 0). ``customer_id`` says whom a scenario names;
    without it the paying parent stands for the customer.
    """

    invoice_id: list[str]
    parent_id: list[str]
    due_day: Integers
    amount_minor: Integers
    cdf: Floats
    customer_id: Sequence[str] = ()


def normals(seed: int, stream: str, codes: Codes, draws: int | npt.NDArray[np.intp]) -> Floats:
    """Standard normals keyed by (seed, stream, code, draw), shape (len(codes), draws).

    ``draws`` is a number of draws, or the numbers of the draws that are wanted: draw 7 is the same in both.
    """
    from scipy.special import ndtri

    numbers = np.arange(draws, dtype=np.uint64) if isinstance(draws, int) else draws.astype(np.uint64)
    with np.errstate(over="ignore"):
        cells = codes[:, None] + numbers[None, :] * _DRAW_STEP
    half = 2.0**-54  # keeps 0 out of the open interval on which the normal quantile is finite
    result: Floats = ndtri(uniform(seed, stream, cells) + half)
    return result


def due_weeks(due_day: Integers) -> Integers:
    """ISO weeks since the epoch (weeks begin on Monday; 1970-01-01 was a Thursday)."""
    return (due_day + 3) // 7


def simulate_open_book(
    items: OpenItems, *, days: int, draws: int, seed: int, shares: Shares | None = None, threads: int = 2
) -> Integers:
    """Simulated cash in minor units, shape (draws, days): draw r, day j after ``as_of``.

    Sums are integers and every item draws by its own key, so neither row order nor ``threads`` changes a byte.
    """
    shares = shares or Shares()
    if not items.invoice_id:
        return np.zeros((draws, days), dtype=np.int64)
    parents, parent_row = np.unique(np.asarray(items.parent_id, dtype=object), return_inverse=True)
    batch_keys = [f"{parent}\x1f{week}" for parent, week in zip(items.parent_id, due_weeks(items.due_day), strict=True)]
    batches, batch_row = np.unique(np.asarray(batch_keys, dtype=object), return_inverse=True)
    common = np.sqrt(shares.everybody) * normals(seed, "everybody", key_codes(["all"]), draws)[0]
    parent_codes, batch_codes = key_codes(parents), key_codes(batches)
    item_codes = key_codes(items.invoice_id)
    own = np.sqrt(shares.own)

    def block(rows: npt.NDArray[np.intp]) -> Integers:
        z = common + own * normals(seed, "item", item_codes[rows], draws)
        for share, stream, codes, row in (
            (shares.customer, "customer", parent_codes, parent_row[rows]),
            (shares.batch, "batch", batch_codes, batch_row[rows]),
        ):
            if share > 0:
                unique, inverse = np.unique(row, return_inverse=True)
                z += np.sqrt(share) * normals(seed, stream, codes[unique], draws)[inverse]
        return _cash(z, items.cdf[rows, :days], items.amount_minor[rows], days)

    # Rows of one customer stand together, so that a block draws few customer and batch shocks.
    order = np.lexsort((batch_row, parent_row))
    size = max(1, _BLOCK_CELLS // draws)
    blocks = [order[start : start + size] for start in range(0, len(order), size)]
    total = np.zeros((draws, days), dtype=np.int64)
    with ThreadPoolExecutor(threads) as pool:
        for part in pool.map(block, blocks):
            total += part
    return total


def _cash(z: Floats, cdf: Floats, amount_minor: Integers, days: int) -> Integers:
    """Cash per draw and day of one block: each item pays on the first day whose curve reaches Phi(z)."""
    from scipy.special import ndtri

    draws = z.shape[1]
    threshold = ndtri(np.maximum.accumulate(cdf, axis=1))  # comparing z with the quantiles of F saves n x draws cdfs
    cash = np.zeros(draws * (days + 1), dtype=np.int64)
    offset = np.arange(draws, dtype=np.int64) * (days + 1)
    for item in range(z.shape[0]):
        day = np.searchsorted(threshold[item], z[item], side="left")
        cash[offset + day] += amount_minor[item]  # one cell per draw, so no index repeats
    result: Integers = cash.reshape(draws, days + 1)[:, :days]  # the last cell holds what does not come in time
    return result
