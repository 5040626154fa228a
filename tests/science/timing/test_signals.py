from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from duecourse.core.calendar import epoch_day
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.events import hazard_offsets
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.rows import scoring_rows
from support.books import Row, activity, contact, dispute, invoice, known, payment, promise


def _offset(*rows: Row, feature_set: str = "full", as_of: str = "2026-02-02", after: int = 0) -> float:
    """Offset of invoice I1 on the day ``after`` days from ``as_of``."""
    view = known(as_of, invoice("I1"), *rows)
    facts = facts_from_view(view)
    landmarks = Landmarks(np.array([0]), np.array([epoch_day(date.fromisoformat(as_of))]))
    asked = scoring_rows(landmarks, TimingConfig(), np.ones(7, dtype=bool))
    offsets = hazard_offsets(facts, landmarks, asked, feature_set)  # type: ignore[arg-type]
    return float(offsets[asked.offset == after][0])


def test_no_event_no_offset() -> None:
    assert _offset() == 0.0


def test_a_broken_promise_speaks_for_sixty_days() -> None:
    """Due 2026-01-12, seven days of lag and grace: broken from 2026-01-20 on, 13 days ago, for 47 more days."""
    broken = promise("P1", 10_000, "2026-01-05", "2026-01-12")
    assert _offset(broken, after=40) == pytest.approx(-0.5)
    assert _offset(broken, after=52) == 0.0
    assert _offset(broken, as_of="2026-01-19") == 0.0


def test_partial_dispute_and_returned_payment_add_up() -> None:
    assert _offset(dispute("I1", "2026-01-20", 4_000)) == pytest.approx(-0.4)
    returned = payment("P1", 10_000, "2026-01-20", status="returned")
    assert _offset(dispute("I1", "2026-01-20", 4_000), returned) == pytest.approx(-0.9)
    assert _offset(dispute("I1", "2026-01-20")) == 0.0


def test_three_unanswered_calls_in_a_row_until_the_customer_is_heard() -> None:
    calls = [activity(f"A{k}", "call", f"2026-01-{10 + k}T09:00:00", outcome="no_answer") for k in range(3)]
    assert _offset(*calls) == pytest.approx(-0.2)
    assert _offset(*calls[:2]) == 0.0
    assert _offset(*calls, feature_set="no_contact") == 0.0
    heard = activity("A9", "email", "2026-01-20T09:00:00", direction="in")
    assert _offset(*calls, heard) == 0.0


def test_mail_bounces_at_every_known_contact() -> None:
    people = [contact("P", email="p@example.com"), contact("Q", email="q@example.com")]
    bounces = [
        activity(f"B{who}", "email", "2026-01-20T09:00:00", contact_id=who, outcome="bounced") for who in ("P", "Q")
    ]
    assert _offset(*people, *bounces) == pytest.approx(-0.4)
    assert _offset(*people, bounces[0]) == 0.0
    through = activity("B3", "email", "2026-01-25T09:00:00", contact_id="Q", outcome="delivered")
    assert _offset(*people, *bounces, through) == 0.0


def test_what_is_recorded_later_is_not_seen() -> None:
    late = dispute("I1", "2026-01-20", 4_000, recorded_at="2026-02-02T06:00:00")
    assert _offset(late) == 0.0
