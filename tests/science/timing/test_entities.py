"""A large legal entity is judged for itself, and what is said of it goes before the word on the whole book."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.science.timing import baselines
from duecourse.science.timing.case_sets import CaseSet, Outcomes, open_set
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.entities import entity_of, judged_entities, scored_entities
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.gate import BOOK_IS_BETTER, GateRules, judge
from duecourse.science.timing.landmarks import open_landmarks
from duecourse.science.timing.measures import Curves
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.predict import predict
from duecourse.science.timing.scored import ScoredSet, score_set
from support.payers import payers

DAYS = (date(2025, 6, 1), date(2025, 7, 1), date(2025, 8, 1))
KNOWN_UNTIL = date(2026, 1, 1)


def with_entities(ledger: Ledger, *, small_below: int) -> Ledger:
    """``ledger`` with its customers C000.. in entity BE up to ``small_below``, the others in AT."""
    customer = pl.col("customer_id").str.slice(1).cast(pl.Int64)
    entity = pl.when(customer < small_below).then(pl.lit("BE")).otherwise(pl.lit("AT"))
    frames = {name: ledger.table(name) for name in ("invoices", "allocations")}
    return Ledger.from_frames({**frames, "invoices": frames["invoices"].with_columns(entity_id=entity)})


@pytest.fixture(scope="module")
def book() -> Ledger:
    return with_entities(payers(customers=40, per_month=5, seed=5, habit=False), small_below=20)


@pytest.fixture(scope="module")
def asked(book: Ledger) -> list[CaseSet]:
    outcomes = Outcomes.of(book, KNOWN_UNTIL)
    views = [book.as_of(day) for day in DAYS]
    return [open_set(view, facts_from_view(view), outcomes, seed=0, horizon=60) for view in views]


def predictions(one: CaseSet, *, informed: str) -> dict[str, Curves]:
    """The simple methods, and a model that knows each payment day give or take 3, but only of one entity."""
    rng = np.random.default_rng(0)
    hint = one.cases.paid_after + rng.integers(-3, 4, one.cases.size)
    known = np.clip((np.arange(178)[None, :] - hint[:, None] + 4) / 7, 0.0, 1.0)
    own = baselines.customer_empirical(178)(one)
    late = np.clip(own.cdf * 0.5, 0, 1)
    entity = entity_of(one.facts)[one.landmarks.invoice]
    return {
        "model": Curves(np.where((entity == informed)[:, None], known, late)),
        "customer_empirical": own,
        "customer_history": baselines.customer_history(178)(one),
        "book": baselines.book(178)(one),
    }


def test_only_entities_with_500_paid_invoices_are_judged_and_only_where_there_are_two(book: Ledger) -> None:
    facts = facts_from_view(book.as_of(KNOWN_UNTIL))
    assert judged_entities(facts) == ("AT", "BE")
    one = facts_from_view(payers(customers=40, per_month=5, seed=5).as_of(KNOWN_UNTIL))
    assert judged_entities(one) == ()
    unequal = with_entities(payers(customers=40, per_month=5, seed=5), small_below=8)
    assert judged_entities(facts_from_view(unequal.as_of(KNOWN_UNTIL))) == ("AT",)


def test_a_set_is_divided_without_rest_and_scored_by_the_same_predictions(asked: list[CaseSet]) -> None:
    one = asked[0]
    predicted = predictions(one, informed="AT")
    whole, parts = score_set(one, predicted), scored_entities(one, predicted, ("AT", "BE"))
    assert sum(part.mature_cases for part in parts.values()) == whole.mature_cases
    for method, values in whole.crps.items():
        divided = np.concatenate([part.crps[method] for part in parts.values()])
        assert np.sort(divided) == pytest.approx(np.sort(values))
    assert scored_entities(one, predicted, ("nowhere",)) == {}


def test_a_model_that_knows_one_entity_only_serves_that_one(asked: list[CaseSet]) -> None:
    scored: dict[str, list[ScoredSet]] = {"AT": [], "BE": []}
    whole = []
    for one in asked:
        predicted = predictions(one, informed="AT")
        whole.append(score_set(one, predicted))
        for name, part in scored_entities(one, predicted, ("AT", "BE")).items():
            scored[name].append(part)
    report = judge(whole, whole, GateRules(), {name: (sets, sets) for name, sets in scored.items()})
    assert not report.allowed
    assert report.entities["AT"]["new"].use_model
    assert report.entities["AT"]["new"].rung == "model"
    assert not report.entities["BE"]["new"].use_model
    assert report.says.endswith("; judged alone, the model serves entity AT for new and open invoices, BE for none")


def test_where_no_customer_differs_the_book_serves_instead_of_each_ones_past(asked: list[CaseSet]) -> None:
    whole = [score_set(one, predictions(one, informed="none")) for one in asked]
    report = judge(whole, whole, GateRules())
    assert report.rung == "book"
    assert report.says.startswith(BOOK_IS_BETTER)
    # Beyond doubt is beyond doubt: against itself the book wins nothing.
    same = [replace(one, crps={**one.crps, "customer_history": one.crps["book"]}) for one in whole]
    assert judge(same, same, GateRules()).rung == "customer_history"


@pytest.fixture(scope="module")
def model(book: Ledger) -> TimingModel:
    return fit(book.as_of(DAYS[2]), config=TimingConfig(bags=1, rounds=5), threads=1)


def test_the_word_on_an_entity_goes_before_the_word_on_the_book(book: Ledger, model: TimingModel) -> None:
    view = book.as_of(DAYS[2])
    served = {"use_model": True, "rung": "model"}
    gate = {
        "allowed": False,
        "verdicts": {name: {"use_model": False, "rung": "book"} for name in ("new", "open")},
        "entities": {"AT": {"new": served, "open": served}},
    }
    scores = predict(replace(model, gate={**gate, "says": "half and half"}), view).scores
    facts = facts_from_view(view)
    entity = entity_of(facts)[open_landmarks(facts).invoice]
    rung = scores.get_column("rung").to_numpy()
    assert set(rung[entity == "AT"]) == {"model"}
    assert set(rung[entity == "BE"]) == {"book"}
