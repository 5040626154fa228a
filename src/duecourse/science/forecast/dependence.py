"""``fit_dependence``: how much of the timing customers share, chosen on a book's own mature forecasts.

Each candidate of ``CANDIDATES`` redraws the open book of every record from the curves it kept. Windows 0-7, 7-14,
14-21, 0-14 and 0-28; of the candidates whose pooled P10-P90 coverage lies in .75-.88 those with the smallest mean
pinball (10/50/90, each divided by the actual; within 2 % it cannot tell them apart), and of these the one whose
coverage is nearest to .80, then the narrower; if none lies there, the one nearest to .80. Fewer than 13 mature records:
the default shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import product

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.core.ids import key_codes
from duecourse.science.forecast.frozen import EDGES, ForecastRecord
from duecourse.science.forecast.open_book import Floats, Shares, due_weeks, normals
from duecourse.science.forecast.scoring import LEVELS, is_mature

FEWEST_RECORDS = 13
DRAWS = 400
MOST_ITEMS = 4_000  # of one book: larger ones are fitted on the customers with the largest amounts
_BLOCK_ITEMS = 64
WINDOWS = ((0, 7), (7, 14), (14, 21), (0, 14), (0, 28))
CANDIDATES = tuple(
    Shares(everybody, customer, batch)
    for everybody, customer, batch in product((0.0, 0.03, 0.05), (0.0, 0.2, 0.3, 0.4), (0.0, 0.3, 0.5, 0.6))
    if everybody + customer + batch <= 1.0
)
Singles = npt.NDArray[np.float32]
LOWEST, HIGHEST, WANTED = 0.75, 0.88, 0.80
SAME_PINBALL = 0.02  # about what 400 draws and 13 snapshots leave open


def fit_dependence(records: Sequence[ForecastRecord], cash: pl.DataFrame, *, as_of: date) -> Shares:
    """The shares that held best on the records that are mature on ``as_of``; the default with fewer than 13."""
    judged = judge_candidates(records, cash, as_of=as_of)
    return choose(judged) if judged.height else Shares()


def mature_records(records: Sequence[ForecastRecord], as_of: date) -> list[ForecastRecord]:
    """The records whose first four weeks can be scored on ``as_of``, oldest first."""
    return sorted(
        (one for one in records if is_mature(one.as_of, EDGES[-1], as_of) and one.items.height),
        key=lambda one: (one.as_of, one.record_id),
    )


def judge_candidates(records: Sequence[ForecastRecord], cash: pl.DataFrame, *, as_of: date) -> pl.DataFrame:
    """One row per candidate: everybody, customer, batch, coverage, pinball, width over all records and windows.

    ``cash`` is ``received.cash_received`` at ``as_of``. Empty with fewer than 13 mature records.
    """
    mature = mature_records(records, as_of)
    names = ("everybody", "customer", "batch", "coverage", "pinball", "width")
    if len(mature) < FEWEST_RECORDS:
        return pl.DataFrame(schema=dict.fromkeys(names, pl.Float64()))
    found = [case for record in mature for case in _record_cases(record, cash)]
    cases = np.array(found).reshape(-1, len(CANDIDATES), 3)
    means = cases.mean(axis=0)
    rows = [(one.everybody, one.customer, one.batch, *means[place].tolist()) for place, one in enumerate(CANDIDATES)]
    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64()), orient="row")


def choose(judged: pl.DataFrame) -> Shares:
    """The candidate that the rule of this module takes from the table of ``judge_candidates``."""
    within = judged.filter(pl.col("coverage").is_between(LOWEST, HIGHEST))
    if within.height:
        within = within.filter(pl.col("pinball") <= pl.col("pinball").min() * (1 + SAME_PINBALL))
    off = (pl.col("coverage") - WANTED).abs().round(9)
    best = (within if within.height else judged).sort(off, "width", "everybody", "customer").row(0, named=True)
    return Shares(best["everybody"], best["customer"], best["batch"])


def _record_cases(record: ForecastRecord, cash: pl.DataFrame) -> list[npt.NDArray[np.float64]]:
    """Per currency and window with cash: (candidates, 3) of covered, mean pinball, width, as shares of the actual."""
    day = (pl.col("received_on") - record.as_of).dt.total_days()
    from_open = cash.filter(pl.col("known_on") < record.as_of).with_columns(day.alias("day"))
    cases = []
    for (currency,), items in sorted(record.items.group_by("currency"), key=lambda one: str(one[0])):
        kept = items.sort("amount_minor", "invoice_id", descending=[True, False]).head(MOST_ITEMS).sort("invoice_id")
        known = from_open.filter(pl.col("currency") == currency)
        if kept.height < items.height:
            known = known.filter(pl.col("invoice_id").is_in(kept.get_column("invoice_id").implode()))
        sums = _candidate_sums(kept, record.seed)
        for place, (first, last) in enumerate(WINDOWS):
            actual = int(known.filter(pl.col("day").is_between(first, last - 1)).get_column("amount_minor").sum())
            if actual > 0:
                cases.append(_judged(sums[:, :, place], actual))
    return cases


def _judged(sums: Floats, actual: int) -> npt.NDArray[np.float64]:
    bands = np.quantile(sums, LEVELS, axis=1).T
    missed = actual - bands
    pinball = np.maximum(np.array(LEVELS) * missed, (np.array(LEVELS) - 1) * missed).mean(axis=1) / actual
    covered = (bands[:, 0] <= actual) & (actual <= bands[:, 2])
    return np.column_stack([covered, pinball, (bands[:, 2] - bands[:, 0]) / actual])


def _candidate_sums(items: pl.DataFrame, seed: int) -> Floats:
    """Cash per candidate, draw and window; the normals are those of ``simulate_open_book``, drawn once for all."""
    from scipy.special import ndtri

    parents = items.get_column("parent_id").to_list()
    weeks = due_weeks(items.get_column("due_on").cast(pl.Int32).cast(pl.Int64).to_numpy())
    batches = [f"{parent}\x1f{week}" for parent, week in zip(parents, weeks, strict=True)]
    streams = (
        normals(seed, "everybody", key_codes(["all"]), DRAWS),
        _shared(seed, "customer", parents),
        _shared(seed, "batch", batches),
        normals(seed, "item", key_codes(items.get_column("invoice_id").to_list()), DRAWS),
    )
    everybody, customer, batch, own = (stream.astype(np.float32) for stream in streams)  # half the memory traffic
    edges = ndtri(np.clip(items.select(f"paid_by_{edge}" for edge in EDGES).to_numpy(), 0.0, 1.0)).astype(np.float32)
    amount = items.get_column("amount_minor").to_numpy().astype(np.float64)
    by_edge = np.zeros((len(CANDIDATES), len(EDGES) + 1, DRAWS))  # cash by day 0, 7, 14, 21, 28
    for start in range(0, items.height, _BLOCK_ITEMS):
        rows = slice(start, start + _BLOCK_ITEMS)
        parts = (everybody, customer[rows], batch[rows], own[rows])
        by_edge[:, 1:] += _block_sums(parts, edges[rows], amount[rows])
    place = {edge: nth for nth, edge in enumerate((0, *EDGES))}
    return np.stack([by_edge[:, place[last]] - by_edge[:, place[first]] for first, last in WINDOWS], axis=2)


def _block_sums(parts: tuple[Singles, ...], edges: Singles, amount: Floats) -> Floats:
    """Amounts paid by each edge, shape (candidates, edges, draws), of a block that fits the processor's cache."""
    everybody, customer, batch, own = parts
    total = np.empty((len(CANDIDATES), len(EDGES), DRAWS))
    for place, shares in enumerate(CANDIDATES):
        weights = np.sqrt(np.array([shares.everybody, shares.customer, shares.batch, shares.own], dtype=np.float32))
        z = weights[3] * own
        z += weights[0] * everybody
        z += weights[1] * customer
        z += weights[2] * batch
        for k in range(len(EDGES)):
            total[place, k] = amount @ (z <= edges[:, [k]]).astype(np.float64)
    return total


def _shared(seed: int, stream: str, keys: Sequence[str]) -> Floats:
    """One row of normals per key, equal for equal keys; shape (n, draws)."""
    unique, inverse = np.unique(np.asarray(keys, dtype=object), return_inverse=True)
    result: Floats = normals(seed, stream, key_codes(unique.tolist()), DRAWS)[inverse]
    return result
