"""Real randomised sets of ``../shared/data`` as logged decisions; skips loudly where they are absent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from duecourse.science.evaluate.logged import Logged

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MAILS = ("Mens E-Mail", "Womens E-Mail", "No E-Mail")
ITEMS, POSITIONS = 34, 3


def _path(relative: str) -> Path:
    path = DATA / relative
    if not path.exists():
        pytest.skip(f"real data set {relative} is absent (expected at {path})")
    return path


@cache
def _hillstrom() -> pl.DataFrame:
    return pl.read_csv(_path("uplift/hillstrom.csv"), infer_schema_length=None)


def hillstrom(arm: str, outcome: str = "visit", rows: npt.NDArray[np.bool_] | None = None) -> Logged:
    """The 64,000 customers drawn evenly into three mails (``MAILS``); B sends ``arm`` to all. ``rows`` keeps a part."""
    frame = _hillstrom() if rows is None else _hillstrom().filter(pl.Series(rows))
    n = frame.height
    known = frame.select("recency", "mens", "womens", "newbie", pl.col("history").log1p()).to_numpy().astype(float)
    dummies = frame.select("zip_code", "channel").to_dummies(drop_first=True).to_numpy().astype(float)
    action = frame.get_column("segment").replace_strict({name: place for place, name in enumerate(MAILS)}).to_numpy()
    even = np.full((n, 3), 1 / 3)
    value = frame.get_column(outcome).to_numpy().astype(float)
    target = np.tile(np.eye(3)[MAILS.index(arm)], (n, 1))
    return Logged(
        np.column_stack([known, dummies]), action.astype(np.int64), even[:, 0], value, np.arange(n), target, even,
        (0.0, max(1.0, float(value.max()))),
    )  # fmt: skip


@dataclass(frozen=True)
class Impressions:
    """The log of one bandit policy: item and position shown, click, and the item's propensity at that position."""

    item: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    click: npt.NDArray[np.float64]
    propensity: npt.NDArray[np.float64]
    uniform: bool

    @property
    def by_position(self) -> npt.NDArray[np.float64]:
        """The policy's mean choice (3, 34): exact where it is uniform, else how often each item was shown there."""
        if self.uniform:
            return np.full((POSITIONS, ITEMS), 1 / ITEMS)
        shown = np.zeros((POSITIONS, ITEMS))
        np.add.at(shown, (self.position, self.item), 1.0)
        return shown / shown.sum(axis=1, keepdims=True)


@cache
def open_bandit(policy: str) -> Impressions:
    """10,000 impressions of ``random`` or ``bts`` (Thompson sampling), Open Bandit Dataset, men's campaign."""
    frame = pl.read_csv(_path(f"bandit/open_bandit_small/{policy}_men.csv.gz"))
    return Impressions(
        frame.get_column("item_id").to_numpy().astype(np.int64), frame.get_column("position").to_numpy() - 1,
        frame.get_column("click").to_numpy().astype(float), frame.get_column("propensity_score").to_numpy(),
        policy == "random",
    )  # fmt: skip


def bandit_log(logged: Impressions, other: Impressions) -> Logged:
    """``logged`` as decisions with the choices of ``other`` as policy B; the position is what was known."""
    n = len(logged.item)
    target = other.by_position[logged.position]
    full = np.full((n, ITEMS), 1 / ITEMS) if logged.uniform else None
    propensity = full[:, 0] if full is not None else logged.propensity
    return Logged(np.eye(POSITIONS)[logged.position], logged.item, propensity, logged.click, np.arange(n), target, full)
