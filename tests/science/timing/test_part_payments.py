from __future__ import annotations

import numpy as np

from duecourse.core.calendar import epoch_day
from duecourse.science.timing.facts import NEVER, Facts, facts_from_view
from duecourse.science.timing.features import LANDMARK_NAMES, Features
from duecourse.science.timing.landmarks import Landmarks, training_landmarks
from support.books import allocation, day, invoice, known


def _facts() -> Facts:
    """A1 over 100.00 gets 30.00 on 5 and 20.00 on 12 February, A2 nothing."""
    return facts_from_view(
        known(
            "2026-03-01",
            invoice("A1"),
            allocation("A1", 3_000, "2026-02-05", allocation_id="one"),
            allocation("A1", 2_000, "2026-02-12", allocation_id="two"),
            invoice("A2"),
        )
    )


def test_the_share_and_its_age_as_they_were_known_on_each_day() -> None:
    facts = _facts()
    first = int(facts.parts.known_from[0])
    share, since = facts.parts.before(np.array([0, 0, 0, 1]), np.array([first - 1, first, first + 8, first + 8]))
    np.testing.assert_allclose(share, [0.0, 0.3, 0.5, 0.0])
    np.testing.assert_allclose(since, [np.nan, 0, 1, np.nan])
    assert facts.parts.first_known(2).tolist() == [first, NEVER]


def test_features_see_it_and_landmarks_are_drawn_after_it() -> None:
    facts = _facts()
    features = Features(facts, horizon=178, groups=facts.groups)
    columns = features.landmark_columns(Landmarks(np.array([0, 1]), np.full(2, facts.as_of)))
    share = columns[:, LANDMARK_NAMES.index("part_paid_share")]
    np.testing.assert_allclose(share, [0.5, 0.0])
    first = int(facts.parts.known_from[0])
    assert first == epoch_day(day("2026-02-06"))
    drawn = training_landmarks(facts, seed=0)
    ours = drawn.day[drawn.invoice == 0]
    assert ((ours >= first) & (ours < first + 15)).any()
    assert (ours < facts.as_of).all()


def test_a_payment_of_the_whole_is_no_part_payment() -> None:
    facts = facts_from_view(known("2026-03-01", invoice("A1"), allocation("A1", 10_000, "2026-02-05")))
    assert len(facts.parts.invoice) == 0
    share, since = facts.parts.before(np.array([0]), np.array([facts.as_of]))
    assert share.tolist() == [0.0]
    assert np.isnan(since).all()
