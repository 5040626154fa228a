"""``add_scores``: the growing list of scores of frozen records; nothing in it is ever changed or taken away."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from duecourse.core.errors import BadInput
from duecourse.science.forecast.frozen import ForecastRecord
from duecourse.science.forecast.scoring import KEY, SCORE_COLUMNS, score

_ONE = ("record_id", *KEY)


def add_scores(
    scores: pl.DataFrame, records: Sequence[ForecastRecord], cash: pl.DataFrame, as_of: date
) -> pl.DataFrame:
    """``scores`` followed by what can be scored on ``as_of`` and is not there yet.

    A window that was scored before gets a second score beside the first only when its actual amount is another one
    since (a corrected ledger); a score of a later day is never followed by one of an earlier day. Scoring twice changes
    nothing. Raises BadInput where a scored record is no longer among ``records``: it was removed or changed.
    """
    present = {record.record_id for record in records}
    lost = scores.filter(~pl.col("record_id").is_in(sorted(present))).unique("record_id").sort("as_of", "record_id")
    if lost.height:
        day, name = lost.row(0, named=True)["as_of"], lost.row(0, named=True)["record_id"]
        raise BadInput(
            f"the forecast of {day} was scored, but its record {name[:16]} is not there any more: it was removed or "
            "changed; put the original record back (scores are kept for good)"
        )
    ordered = sorted(records, key=lambda record: (record.as_of, record.record_id))
    fresh = pl.concat([pl.DataFrame(schema=SCORE_COLUMNS), *(score(record, cash, as_of) for record in ordered)])
    newest = (
        scores.select(*_ONE, "scored_on", "actual_minor")
        .unique(_ONE, keep="last", maintain_order=True)
        .rename({"scored_on": "known_on", "actual_minor": "known_minor"})
    )
    wanted = pl.col("known_on").is_null() | (
        (pl.col("known_on") <= as_of) & (pl.col("known_minor") != pl.col("actual_minor"))
    )
    added = fresh.join(newest, on=_ONE, how="left", maintain_order="left").filter(wanted).select(*SCORE_COLUMNS)
    return pl.concat([scores.select(*SCORE_COLUMNS), added])
