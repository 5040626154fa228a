"""A world whose truth is one number: every open invoice is paid with the same chance each day."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.model import fit
from support.timing_books import day_of

CHANCE = 0.05
DAYS = 90
CONFIG = TimingConfig(bags=1, rounds=30, blend_weight=0.0, short_history_blend_weight=0.0)


def _frames() -> dict[str, pl.DataFrame]:
    rng = np.random.default_rng(11)
    n = 9_000
    issue = rng.integers(0, DAYS, n)
    paid = issue + rng.geometric(CHANCE, n) - 1
    ids = [f"I{number:05d}" for number in range(n)]
    days = pl.Series([day_of(int(one)) for one in issue], dtype=pl.Date)
    invoices = pl.DataFrame(
        {
            "invoice_id": ids,
            "customer_id": [f"C{number % 300:03d}" for number in range(n)],
            "issued_on": days,
            "due_on": days,
            "amount_minor": [1_000] * n,
            "currency": ["EUR"] * n,
        }
    )
    allocations = pl.DataFrame(
        {
            "allocation_id": ids,
            "invoice_id": ids,
            "source_kind": ["payment"] * n,
            "applied_on": pl.Series([day_of(int(one)) for one in paid], dtype=pl.Date),
            "amount_minor": [1_000] * n,
        }
    )
    return {"invoices": invoices, "allocations": allocations}


def _share_paid_in_30_days(learnt_from: Ledger, asked: Ledger) -> float:
    model = fit(learnt_from.as_of(day_of(DAYS)), config=CONFIG)
    facts = facts_from_view(asked.as_of(day_of(DAYS)))
    rows = np.flatnonzero(facts.is_open)
    return float(model.cdf(facts, Landmarks(rows, np.full(len(rows), facts.as_of)), 30)[:, 29].mean())


def test_the_closed_form_is_met_within_two_percent_and_cleared_only_training_misses_it() -> None:
    """F(29) = 1 - (1 - p)^30. Learning from paid invoices alone must miss it: what is left open is forgotten."""
    frames = _frames()
    whole = Ledger.from_frames(frames)
    truth = 1 - (1 - CHANCE) ** 30
    assert _share_paid_in_30_days(whole, whole) == pytest.approx(truth, rel=0.02)
    known = frames["allocations"].filter(pl.col("applied_on") < day_of(DAYS)).get_column("invoice_id")
    paid_only = {name: frame.filter(pl.col("invoice_id").is_in(known.implode())) for name, frame in frames.items()}
    missed = _share_paid_in_30_days(Ledger.from_frames(paid_only), whole)
    assert abs(missed / truth - 1) > 0.02
