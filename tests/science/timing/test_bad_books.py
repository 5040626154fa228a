"""Strange books: each gives a lower rung or one plain sentence, never a traceback and never a silly number."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from duecourse.core.errors import NotEnoughData
from duecourse.ledger.as_of import Ledger
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.model import fit
from duecourse.science.timing.predict import Prediction, predict
from support.books import Row, allocation, books, invoice
from support.timing_books import day_of, habit_frames

QUICK = TimingConfig(bags=1, rounds=10)


def _sound(prediction: Prediction) -> Prediction:
    curves = prediction.curves.get_column("cdf").to_numpy().reshape(-1, 178)
    assert np.isfinite(curves).all()
    assert (np.diff(curves, axis=1) >= 0).all()
    assert ((curves >= 0) & (curves <= 1)).all()
    assert prediction.scores.get_column("expected_days").is_between(0, 178).all()
    return prediction


def test_nothing_was_ever_paid() -> None:
    rows = [invoice(f"I{number}", due_on=f"2026-02-{1 + number:02d}") for number in range(20)]
    view = books(*rows).as_of(day_of(790))
    with pytest.raises(NotEnoughData, match="0 paid invoices"):
        fit(view)
    prediction = _sound(predict(None, view))
    assert set(prediction.scores.get_column("rung")) == {"terms"}
    assert "payment terms" in prediction.notes[0]


def test_an_empty_book_has_empty_scores() -> None:
    prediction = predict(None, books().as_of(day_of(10)))
    assert prediction.scores.height == prediction.curves.height == 0
    assert "expected_days" in prediction.scores.columns


def test_one_customer() -> None:
    view = Ledger.from_frames(habit_frames(customers=1, invoices=800)).as_of(day_of(250))
    prediction = _sound(predict(fit(view, config=QUICK), view))
    assert set(prediction.scores.get_column("rung")) == {"model"}


def test_one_payment_day() -> None:
    """Everything was paid on one Wednesday: other weekdays have hazard 0, and nothing breaks."""
    rows: list[Row] = []
    for number in range(600):
        rows += [invoice(f"P{number:03d}"), allocation(f"P{number:03d}", 10_000, "2026-01-28")]
    rows += [invoice(f"O{number}", issued_on="2026-02-01") for number in range(5)]
    view = books(*rows).as_of(day_of(780))
    prediction = _sound(predict(fit(view, config=QUICK), view))
    assert prediction.scores.height == 5


def test_due_before_issue_and_the_year_2226() -> None:
    frames = habit_frames(customers=5, invoices=800)
    strange = [
        invoice("Z1", customer_id="C001", issued_on="2024-08-20", due_on="2024-08-01"),
        invoice("Z2", customer_id="C002", issued_on="2024-08-20", due_on="2226-08-20"),
    ]
    from support.books import frames as typed

    invoices = pl.concat([frames["invoices"], typed(*strange)["invoices"]], how="diagonal_relaxed")
    view = Ledger.from_frames({**frames, "invoices": invoices}).as_of(day_of(250))
    for model in (fit(view, config=QUICK), None):
        scores = _sound(predict(model, view)).scores
        far = scores.filter(pl.col("invoice_id") == "Z2").row(0, named=True)
        assert far["days_late"] < -70_000
        assert 0 <= far["p_late"] <= 1


def test_40_000_invoices_of_one_customer_take_seconds() -> None:
    import time

    from duecourse.science.timing.facts import facts_from_view
    from duecourse.science.timing.features import Features
    from duecourse.science.timing.landmarks import open_landmarks

    view = Ledger.from_frames(habit_frames(customers=1, invoices=40_000, days=400)).as_of(day_of(395))
    start = time.perf_counter()
    facts = facts_from_view(view)
    landmarks = open_landmarks(facts)
    Features(facts, horizon=178, groups=facts.groups).landmark_columns(landmarks)
    assert len(landmarks) > 1_000
    assert time.perf_counter() - start < 20
    _sound(predict(None, view))


def test_invoices_over_nothing_are_left_out() -> None:
    view = books(invoice("I1"), invoice("I0", amount_minor=0)).as_of(day_of(740))
    assert predict(None, view).scores.get_column("invoice_id").to_list() == ["I1"]
