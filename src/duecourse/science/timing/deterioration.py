"""Which customers pay later than they used to, by more than chance explains; and which of them weigh on the book.

Not a slope through noisy points. Every invoice due in the last 90 days is compared with what the customer's own past
would have shown **over the same days of observation**: with c days since the due date, ``min(days late, c)`` is known
for open and paid invoices alike, so an open invoice is neither dropped nor guessed. Its expectation under the past is
the mean of ``min(D, c)`` over the invoices due in the year before; days late are capped at 90, which the past invoices
have all reached or passed. Invoices paid on one day are one piece of evidence, not many (Kish's effective number), and
the spread comes from the customer's own past, pulled to the book's where the past is short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.science.timing.facts import NEVER, Facts

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

RECENT_DAYS = 90
PAST_DAYS = 365
CAP_DAYS = 90.0  # later than this counts as this; also what an unpaid invoice of the past counts
EARLIEST_DAYS = -30.0
FEWEST_RECENT = 3
FEWEST_PAST = 8
FEWEST_DAYS_LATER = 3.0  # a smaller change is not worth anybody's attention, however certain
LEVEL = 0.90
SPREAD_PRIOR = 5.0  # the book's variance counts as this many pieces of evidence
CONCENTRATION_SHARE = 0.10

_SCHEMA = {
    "customer_id": pl.String(), "recent_n": pl.Int64(), "past_n": pl.Int64(), "recent_days_late": pl.Float64(),
    "past_days_late": pl.Float64(), "change_days": pl.Float64(), "low_days": pl.Float64(), "high_days": pl.Float64(),
    "deteriorating": pl.Boolean(), "sentence": pl.String(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Window:
    """The invoices that count, sorted by customer: capped days late (so far), evidence cluster, observation."""

    customer: IntArray
    late: FloatArray
    observed: FloatArray
    cluster: IntArray
    recent: npt.NDArray[np.bool_]


def deterioration(facts: Facts) -> pl.DataFrame:
    """One row per customer with at least 3 recent and 8 past invoices, sorted by customer_id.

    recent_n, past_n (invoices), recent_days_late (mean over the days observed so far), past_days_late (mean of its past
    over the same days), change_days with its 90 % interval low_days .. high_days, deteriorating (the interval lies
    above 0 and the change is at least 3 days), sentence. In a world without change at most 5 % are flagged.
    """
    window = _window(facts)
    past = ~window.recent
    spread = _pooled_variance(window.customer[past], window.late[past])
    edges = np.flatnonzero(np.diff(window.customer)) + 1
    rows = []
    for part in np.split(np.arange(len(window.customer)), edges):
        row = _compare(window, part, spread)
        if row is not None:
            rows.append({"customer_id": str(facts.customer_ids[window.customer[part[0]]]), **row})
    return pl.DataFrame(rows, schema=_SCHEMA).sort("customer_id")


def concentration(facts: Facts, changes: pl.DataFrame, *, share: float = CONCENTRATION_SHARE) -> pl.DataFrame:
    """Customers that hold at least ``share`` of the open book **and** pay later than they used to.

    A large customer that pays as ever is no alarm, a small one that worsens is on the deterioration list only. Columns
    customer_id, currency, open_minor, share, change_days, sentence; per currency, largest share first.
    """
    book = pl.DataFrame(
        {
            "customer_id": pl.Series(facts.customer_ids[facts.customer].tolist(), dtype=pl.String),
            "currency": pl.Series(facts.currency.tolist(), dtype=pl.String),
            "open_minor": facts.open_minor,
        }
    ).filter(pl.col("open_minor") > 0)
    return (
        book.group_by("customer_id", "currency")
        .agg(pl.col("open_minor").sum())
        .with_columns((pl.col("open_minor") / pl.col("open_minor").sum().over("currency")).alias("share"))
        .filter(pl.col("share") >= share)
        .join(changes.filter("deteriorating").select("customer_id", "change_days"), on="customer_id", how="inner")
        .with_columns(
            pl.format(
                "{} % of the open book and paying {} days later than it used to.",
                (pl.col("share") * 100).round(0).cast(pl.Int64),
                pl.col("change_days").round(0).cast(pl.Int64),
            ).alias("sentence")
        )
        .sort("currency", "share", "customer_id", descending=[False, True, False])
    )


def _window(facts: Facts) -> _Window:
    """Invoices due in the recent and the past window; credited, disputed and unknown ones are nobody's habit."""
    day = facts.as_of
    disputed = np.zeros(len(facts), dtype=bool)
    disputed[facts.disputes.invoice] = True
    keep = (facts.due < day) & (facts.due >= day - RECENT_DAYS - PAST_DAYS) & (facts.censored_on >= NEVER) & ~disputed
    rows = np.flatnonzero(keep)
    rows = rows[np.argsort(facts.customer[rows], kind="stable")]
    due, paid_on = facts.due[rows], facts.paid_on[rows]
    paid = paid_on < NEVER
    observed = np.minimum((day - due).astype(np.float64), CAP_DAYS)
    late = np.clip(np.where(paid, paid_on - due, observed), EARLIEST_DAYS, observed)
    # Paid on one day: one decision of the customer. Still open: one piece of evidence per week of due dates.
    cluster = np.where(paid, paid_on, NEVER + due // 7)
    return _Window(facts.customer[rows], late, observed, cluster, due >= day - RECENT_DAYS)


def _pooled_variance(customer: IntArray, late: FloatArray) -> float:
    """The median customer's variance of days late: what a customer with little past is taken to vary by, at least 1."""
    if not customer.size:
        return 1.0
    size = int(customer.max()) + 1
    count = np.bincount(customer, minlength=size)
    mean = np.bincount(customer, weights=late, minlength=size) / np.maximum(count, 1)
    squares = np.bincount(customer, weights=(late - mean[customer]) ** 2, minlength=size)
    enough = count >= FEWEST_PAST
    return max(float(np.median(squares[enough] / (count[enough] - 1))), 1.0) if enough.any() else 1.0


def _effective(cluster: IntArray) -> float:
    """Kish's effective number of independent pieces of evidence: (sum of sizes)^2 / sum of squared sizes."""
    sizes = np.unique(cluster, return_counts=True)[1].astype(np.float64)
    return float(sizes.sum() ** 2 / (sizes**2).sum())


def _compare(window: _Window, part: IntArray, book_variance: float) -> dict[str, object] | None:
    """The figures of one customer, or None where either side is too thin to say anything."""
    from scipy.special import stdtrit

    now = part[window.recent[part]]
    then = part[~window.recent[part]]
    if len(now) < FEWEST_RECENT or len(then) < FEWEST_PAST:
        return None
    number_now, number_then = _effective(window.cluster[now]), _effective(window.cluster[then])
    if number_now < 2 or number_then < 3:
        return None
    past_late = window.late[then]
    expected = np.minimum(past_late[None, :], window.observed[now][:, None]).mean(axis=1)
    recent_mean, past_mean = float(window.late[now].mean()), float(expected.mean())
    # The spread of each side is its own where that is larger: a worsening customer also becomes less regular.
    own = float(np.var(past_late, ddof=1))
    variance_then = (number_then * own + SPREAD_PRIOR * book_variance) / (number_then + SPREAD_PRIOR)
    variance_now = max(variance_then, float(np.var(window.late[now] - expected, ddof=1)))
    error = (max(variance_then, own) / number_then + variance_now / number_now) ** 0.5
    half = float(stdtrit(number_then + number_now - 2, 0.5 + LEVEL / 2)) * error
    change = recent_mean - past_mean
    flagged = change - half > 0 and change >= FEWEST_DAYS_LATER
    return {
        "recent_n": len(now), "past_n": len(then), "recent_days_late": recent_mean, "past_days_late": past_mean,
        "change_days": change, "low_days": change - half, "high_days": change + half, "deteriorating": flagged,
        "sentence": _sentence(change, change - half, change + half, flagged=flagged),
    }  # fmt: skip


def _sentence(change: float, low: float, high: float, *, flagged: bool) -> str:
    if not flagged:
        return "No change against its own past that chance would not explain."
    days = round(change)
    return (
        f"Over the last {RECENT_DAYS} days it paid {days} days later than its own past year "
        f"(90 % sure: between {max(round(low), 1)} and {round(high)})."
    )
