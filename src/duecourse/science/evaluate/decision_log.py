"""The decision log as arrays, after its checks: only rows whose propensities are whole may answer what-if questions."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from duecourse.ledger.as_of import View
from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.logged import FloatArray, IntArray

SUM_TOLERANCE = 1e-9
_PLACE = {arm: number for number, arm in enumerate(ARMS)}

# What is wrong with a row -> what it means for the person who keeps the log.
FAULTS: Mapping[str, str] = {
    "no_propensities": "no propensities were logged: what was chosen is known, but not how likely the others were",
    "not_json": "propensities or masked are no JSON object of arm -> number",
    "unknown_arm": "an arm that does not exist",
    "not_a_probability": "a propensity below 0, above 1 or no number",
    "sum_not_one": "the propensities do not sum to 1",
    "arm_impossible": "the drawn arm has propensity 0 or is not among the eligible ones",
    "propensity_differs": "propensity is not that of the drawn arm in propensities",
    "cover": "propensities and masked together do not name every arm exactly once",
}


@dataclass(frozen=True)
class DecisionLog:
    """Sound decisions and how many are not.

    ``rows``: the sound ones with ``decided_on``, by decided_at and id; ``arm`` (n,) and ``propensities`` (n, 13) in the
    order of ``ledger.schema.ARMS``; ``faults``: fault -> number of rows left out; ``total``: rows of the whole log.
    """

    rows: pl.DataFrame
    arm: IntArray
    propensities: FloatArray
    faults: Mapping[str, int]
    total: int

    @property
    def n(self) -> int:
        """Number of sound decisions."""
        return self.rows.height

    def take(self, keep: npt.NDArray[np.bool_]) -> DecisionLog:
        """The log with those rows alone; shape of ``keep`` (n,)."""
        rows = self.rows.filter(pl.Series(keep))
        return DecisionLog(rows, self.arm[keep], self.propensities[keep], self.faults, self.total)

    @property
    def had_choice(self) -> npt.NDArray[np.bool_]:
        """Rows with more than one eligible arm, whatever their propensity; (n,)."""
        return np.array([len(_object(text)) > 1 for text in self.rows.get_column("propensities")], dtype=bool)


def read_log(view: View) -> DecisionLog:
    """The decision log that is visible in ``view``; rows with a fault are counted and left out, never repaired."""
    everything = view.table("decisions").sort("decided_at", "decision_id")
    faults: Counter[str] = Counter()
    sound, found = [], []
    columns = everything.select("arm", "propensity", "propensities", "masked")
    for arm, propensity, propensities, masked in columns.iter_rows():
        checked = _checked(arm, propensity, propensities, masked)
        sound.append(not isinstance(checked, str))
        if isinstance(checked, str):
            faults[checked] += 1
        else:
            found.append(checked)
    rows = everything.filter(pl.Series(sound, dtype=pl.Boolean)).with_columns(
        pl.col("decided_at").dt.date().alias("decided_on")
    )
    arm_codes = np.array([_PLACE[arm] for arm in rows.get_column("arm")], dtype=np.int64)
    matrix = np.array(found, dtype=np.float64).reshape(len(found), len(ARMS))
    return DecisionLog(rows, arm_codes, matrix, dict(sorted(faults.items())), everything.height)


def _checked(arm: str, propensity: float | None, propensities: str | None, masked: str | None) -> FloatArray | str:
    """The row's propensities in the order of ARMS, or the first fault."""
    if not propensities:
        return "no_propensities"
    spread = _spread(propensities, masked)
    if isinstance(spread, str):
        return spread
    if arm not in _PLACE:
        return "unknown_arm"
    own = float(spread[_PLACE[arm]])
    if own <= 0:
        return "arm_impossible"
    if propensity is not None and abs(own - propensity) > SUM_TOLERANCE:
        return "propensity_differs"
    return spread


@lru_cache(maxsize=65_536)
def _spread(propensities: str, masked: str | None) -> FloatArray | str:
    content = _object(propensities)
    closed = {} if masked is None else _object(masked)
    if not content or (masked is not None and not closed and masked.strip() != "{}"):
        return "not_json"
    if not set(content) <= set(_PLACE) or not set(closed) <= set(_PLACE):
        return "unknown_arm"
    values = list(content.values())
    if not all(_is_probability(value) for value in values):
        return "not_a_probability"
    if abs(math.fsum(float(str(value)) for value in values) - 1) > SUM_TOLERANCE:
        return "sum_not_one"
    if masked is not None and (set(content) & set(closed) or set(content) | set(closed) != set(_PLACE)):
        return "cover"
    spread = np.zeros(len(ARMS))
    for name, value in content.items():
        spread[_PLACE[name]] = float(str(value))
    spread.setflags(write=False)
    return spread


def _is_probability(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 + SUM_TOLERANCE


def _object(text: str) -> dict[str, object]:
    """The JSON object in ``text``; empty when it is none."""
    try:
        content = json.loads(text)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
