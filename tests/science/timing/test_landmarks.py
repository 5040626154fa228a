from __future__ import annotations

import numpy as np
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.landmarks import Landmarks, training_landmarks
from support.books import allocation, invoice, known
from support.timing_books import day_of, habit_frames, habit_ledger


def test_landmarks_lie_in_the_open_life_before_as_of() -> None:
    facts = facts_from_view(habit_ledger().as_of(day_of(250)))
    landmarks = training_landmarks(facts, seed=3)
    invoice, day = landmarks.invoice, landmarks.day
    assert (day >= facts.issue[invoice]).all()
    assert (day <= facts.paid_on[invoice]).all()
    assert (day < facts.as_of).all()
    on_issue = day == facts.issue[invoice]
    assert set(invoice[on_issue].tolist()) == set(np.flatnonzero(facts.issue < facts.as_of).tolist())
    assert np.bincount(invoice).max() <= 5
    keys = facts.customer[invoice] * 10**9 + invoice * 10**4 + (day - facts.issue[invoice])
    assert (np.diff(keys) >= 0).all()


def test_a_draw_does_not_depend_on_the_outcome_or_on_other_rows() -> None:
    """Taking away every payment, or half of the other invoices, moves no draw of an invoice that stays."""
    frames = habit_frames()
    whole = facts_from_view(Ledger.from_frames(frames).as_of(day_of(250)))
    unpaid = facts_from_view(Ledger.from_frames({"invoices": frames["invoices"]}).as_of(day_of(250)))
    some = facts_from_view(Ledger.from_frames({"invoices": frames["invoices"].gather_every(2)}).as_of(day_of(250)))

    def days(facts: object) -> dict[str, set[int]]:
        landmarks = training_landmarks(facts, seed=3)  # type: ignore[arg-type]
        found: dict[str, set[int]] = {}
        for row, day in zip(landmarks.invoice, landmarks.day, strict=True):
            found.setdefault(facts.invoice_id[row], set()).add(int(day))  # type: ignore[attr-defined]
        return found

    drawn, drawn_unpaid, drawn_some = days(whole), days(unpaid), days(some)
    assert all(drawn[one] <= drawn_unpaid[one] for one in drawn)
    assert all(drawn_some[one] == drawn_unpaid[one] for one in drawn_some)


def test_a_landmark_cannot_know_its_own_future() -> None:
    with pytest.raises(ValueError, match="may not know facts"):
        Landmarks(np.array([0]), np.array([5]), np.array([6]))
    with pytest.raises(ValueError, match="equal length"):
        Landmarks(np.array([0, 1]), np.array([5]))


def test_a_written_off_invoice_is_no_question_any_more() -> None:
    """Written off on 2026-02-10: looked at before and on that day, and never as if it were still open afterwards."""
    rows = [invoice(f"I{k:03d}") for k in range(200)]
    rows += [allocation(f"I{k:03d}", 10_000, "2026-02-10", "write_off") for k in range(200)]
    facts = facts_from_view(known("2026-12-01", *rows))
    day = training_landmarks(facts, seed=0).day
    assert day.max() <= facts.closed_on.max()
    assert day.max() > facts.due.max()
    assert (facts.written_off_on == facts.closed_on).all()
