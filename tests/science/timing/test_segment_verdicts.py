from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.science.timing import baselines
from duecourse.science.timing.case_sets import Outcomes, open_set
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.scored import ScoredSet, score_set
from duecourse.science.timing.segment_verdicts import segment_verdicts
from support.timing_books import day_of, habit_ledger


@pytest.fixture(scope="module")
def scored() -> ScoredSet:
    """An open book of 40 customers, where the "model" is the customers' own payments."""
    ledger: Ledger = habit_ledger(customers=40, invoices=3_000, days=400)
    view = ledger.as_of(day_of(250))
    one = open_set(view, facts_from_view(view), Outcomes.of(ledger, day_of(380)), seed=0, horizon=60)
    own = baselines.customer_empirical(178)(one)
    return score_set(one, {"model": own, "due_date": baselines.due_date(one), "customer_empirical": own})


def _with_model(scored: ScoredSet, change: np.ndarray | float, segment: str = "all") -> ScoredSet:
    """The same cases with the model's CRPS changed, everywhere or on one segment; all labels become known ones."""
    labels = np.where(np.arange(scored.mature_cases) % 2 == 0, "prompt", "chronic").astype(object)
    crps = scored.crps["customer_empirical"] + np.where((labels == segment) | (segment == "all"), change, 0.0)
    return replace(scored, groups={**scored.groups, "segment": labels}, crps={**scored.crps, "model": crps})


def test_a_gain_on_one_segment_is_said_of_that_segment_only(scored: ScoredSet) -> None:
    prompt, chronic = segment_verdicts([_with_model(scored, -1.0, "prompt")], seed=0)
    assert (prompt.segment, prompt.says) == ("prompt", "use the model")
    assert prompt.gain == pytest.approx(1.0)
    assert prompt.gain_low == pytest.approx(1.0)
    assert prompt.rival == "customer_empirical"
    assert chronic.says.startswith("no clear difference")
    assert chronic.gain == pytest.approx(0.0)
    assert prompt.cases + chronic.cases == scored.mature_cases


def test_a_worse_model_is_advised_against_by_name(scored: ScoredSet) -> None:
    for one in segment_verdicts([_with_model(scored, 0.5)], seed=0):
        assert one.says == "use the baseline: customer's own distribution"


def test_a_handful_of_cases_gives_no_verdict(scored: ScoredSet) -> None:
    changed = _with_model(scored, -1.0)
    labels = changed.groups["segment"].copy()
    labels[:5], labels[5:] = "new", "prompt"
    new = segment_verdicts([replace(changed, groups={"segment": labels})], seed=0)[-1]
    assert new.segment == "new"
    assert new.says.startswith("too few to tell: 5 cases")


def test_without_a_model_there_is_nothing_to_say(scored: ScoredSet) -> None:
    crps = {method: values for method, values in scored.crps.items() if method != "model"}
    assert segment_verdicts([replace(scored, crps=crps)], seed=0) == ()
