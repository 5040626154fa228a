from __future__ import annotations

import math

import numpy as np
import pytest

from duecourse.core.calendar import epoch_day
from duecourse.science.timing.facts import NEVER, facts_from_view
from duecourse.science.timing.features import FEATURE_NAMES, Features
from duecourse.science.timing.landmarks import Landmarks
from support.slow_features import plain_invoices, slow_features
from support.timing_books import day_of, habit_ledger


@pytest.mark.parametrize("seed", [1, 2])
def test_equals_the_slow_reference(seed: int) -> None:
    """Every column equals its definition, for landmarks on issue days, at random days, in bins, with late records."""
    ledger = habit_ledger(customers=6, invoices=260, days=200, seed=seed, weekend=seed == 2)
    view = ledger.as_of(day_of(180))
    facts, books = facts_from_view(view), plain_invoices(view)
    rng = np.random.default_rng(seed)
    invoice = rng.integers(0, len(facts), 60)
    day = facts.issue[invoice] + rng.integers(0, 40, 60) * (rng.random(60) < 0.7)
    day = np.minimum(day, facts.as_of)
    landmarks = Landmarks(invoice, np.maximum(day, facts.issue[invoice]))
    offset, width = rng.integers(0, 100, 60), rng.choice([1, 7], 60)
    features = Features(facts, horizon=178, groups=facts.groups)
    columns = features.landmark_columns(landmarks)
    fast = features.rows(landmarks, columns, np.arange(60), offset, width)
    for row in range(60):
        own = books[int(invoice[row])]
        assert own.invoice_id == facts.invoice_id[invoice[row]]
        s = int(landmarks.day[row])
        slow = slow_features(books, own, s, s + int(offset[row]), int(width[row]), "US")
        assert list(slow) == list(FEATURE_NAMES)
        for name, value in slow.items():
            got = float(fast[row, FEATURE_NAMES.index(name)])
            assert math.isnan(got) == math.isnan(value), (name, row)
            assert math.isnan(got) or got == pytest.approx(float(value), rel=2e-6, abs=2e-6), (name, row)


def test_later_facts_do_not_move_earlier_landmarks() -> None:
    """The features of a landmark in May are the same in the books of June and of September."""
    ledger = habit_ledger(customers=8, invoices=400, days=280)
    early, late = (facts_from_view(ledger.as_of(day_of(day))) for day in (150, 270))
    here = np.flatnonzero(early.issue < early.as_of - 10)
    there = np.searchsorted(late.invoice_id.astype(str), early.invoice_id[here].astype(str))
    matrices = []
    for facts, rows in ((early, here), (late, there)):
        features = Features(facts, horizon=178, groups=facts.groups)
        landmarks = Landmarks(rows, np.full(len(rows), early.as_of - 5))
        columns = features.landmark_columns(landmarks)
        owner = np.arange(len(rows))
        matrices.append(features.rows(landmarks, columns, owner, owner % 60, np.ones(len(rows), dtype=int)))
    np.testing.assert_array_equal(*matrices)


def test_issue_day_looks_the_same_before_and_after_its_file_came() -> None:
    """An invoice and its siblings of the same day count alike whether recorded the evening before or that morning."""
    from duecourse.ledger.as_of import Ledger
    from support.timing_books import habit_frames

    frames = habit_frames(customers=2, invoices=200, days=150)
    day = epoch_day(day_of(140))
    import polars as pl

    own_time = pl.col("issued_on").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    matrices = []
    for shift in (pl.duration(days=0), pl.duration(days=-1)):
        invoices = frames["invoices"].with_columns((own_time + shift).alias("recorded_at"))
        facts = facts_from_view(Ledger.from_frames({**frames, "invoices": invoices}).as_of(day_of(145)))
        rows = np.flatnonzero((facts.issue == day) | (facts.paid_on >= NEVER))
        rows = rows[facts.issue[rows] <= day]
        features = Features(facts, horizon=178, groups=facts.groups)
        matrices.append(features.landmark_columns(Landmarks(rows, np.full(len(rows), day))))
    np.testing.assert_array_equal(*matrices)
