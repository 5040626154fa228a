"""New business in a scenario: prospects on longer terms (acceptance A17), and invoices to known customers."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from duecourse.core.errors import BadInput, NotEnoughData
from duecourse.ledger.as_of import Ledger
from duecourse.science.forecast import forecast_book
from duecourse.science.forecast.scenarios import BaseBook, ScenarioCash, compare_scenario, read_scenario
from duecourse.science.timing.predict import predict
from support.payers import payers

AS_OF, DAYS = date(2026, 1, 1), 178
PROSPECTS = """name = "net 60 for three prospects"
[[step]]
kind = "prospects"
names = ["Alpha", "Beta", "Gamma"]
amount = 50000.00
currency = "EUR"
first_issue = 2026-04-01
terms_days = 30
in_base = true
{more}
[[step]]
kind = "terms"
customers = ["Alpha", "Beta", "Gamma"]
from = 2026-04-01
from_net = 30
to_net = 60
"""


def base_of(ledger: Ledger, days: int = DAYS) -> BaseBook:
    view = ledger.as_of(AS_OF)
    curves = predict(None, view).curves
    bands = forecast_book(view, curves, days=days, draws=200, seed=1)
    return BaseBook.of(view, curves, bands, seed=1)


@pytest.fixture(scope="module")
def base() -> BaseBook:
    return base_of(payers(customers=10, per_month=3))


def ask(base: BaseBook, text: str) -> ScenarioCash:
    return compare_scenario(base, read_scenario(text, "s.toml"))


def test_a17_net_60_for_three_prospects(base: BaseBook) -> None:
    """Second quarter lower, the same total later, as a range with both anchors named."""
    late, kept = ask(base, PROSPECTS.format(more="")).comparisons
    assert (late.end, kept.end) == ("due", "issue")
    quarter = slice((date(2026, 4, 1) - AS_OF).days, (date(2026, 7, 1) - AS_OF).days)
    assert not late.difference_mean_minor[: quarter.start].any()
    lower = late.difference_draws_minor[:, quarter].sum(axis=1)
    assert late.difference_mean_minor[quarter].sum() < -10_000_000
    assert np.quantile(lower, 0.9) < 0
    assert abs(late.change.mean.sum()) < 0.01
    assert not kept.difference_draws_minor.any()
    assert not kept.change.mean.any()


def test_the_base_holds_the_prospects_only_where_the_question_is_their_terms(base: BaseBook) -> None:
    text = PROSPECTS.format(more="")
    usual = base.bands["EUR"].open_mean_minor + base.bands["EUR"].new_mean_minor
    both = ask(base, text).comparisons[0]
    assert both.base_mean_minor.sum() > usual.sum()
    coming = ask(base, text.replace("in_base = true", "in_base = false")).comparisons[0]
    assert np.array_equal(coming.base_mean_minor, usual)
    assert np.array_equal(coming.draws_minor, both.draws_minor)
    assert coming.difference_mean_minor.sum() > 0
    # Invoices of April, May and June to three prospects, 50,000.00 each.
    assert round(coming.change.issued.sum()) == 9 * 5_000_000


def test_a_prospect_changes_no_other_draws(base: BaseBook) -> None:
    one = PROSPECTS.format(more="").replace('"Alpha", "Beta", "Gamma"', '"Alpha"')
    two = PROSPECTS.format(more="").replace('"Alpha", "Beta", "Gamma"', '"Alpha", "Beta"')
    beta = PROSPECTS.format(more="").replace('"Alpha", "Beta", "Gamma"', '"Beta"')
    first, second, third = (ask(base, text).comparisons[0].difference_draws_minor for text in (one, two, beta))
    assert np.array_equal(second, first + third)


def test_prospects_are_paid_like_the_customer_that_is_named() -> None:
    """C005 pays 20 days late, C000 on its due date: a prospect like C005 pays 20 days after one like C000."""
    base = base_of(payers(customers=10, per_month=3), days=91)
    text = 'name = "x"\n[[step]]\nkind = "prospects"\nnames = ["N"]\namount = 100\ncurrency = "EUR"\n'
    text += 'first_issue = 2026-01-05\nterms_days = 14\nevery = "once"\nlike = "{}"\n'
    means = [ask(base, text.format(like)).comparisons[0].change.mean for like in ("C000", "C005")]
    days = [float(mean @ np.arange(len(mean)) / mean.sum()) for mean in means]
    assert days[0] == pytest.approx(4 + 14, abs=2)
    assert days[1] == pytest.approx(4 + 14 + 20, abs=2)


def test_invoices_to_a_known_customer_are_paid_like_its_own(base: BaseBook) -> None:
    entry = '{ customer = "C005", amount = 1000, currency = "EUR", issued_on = 2026-01-05, terms_days = 14 }'
    change = ask(base, f'name = "x"\n[[step]]\nkind = "invoices"\ninvoices = [{entry}]\n').comparisons[0].change
    assert change.mean.sum() == pytest.approx(100_000, rel=0.1)
    assert float(change.mean @ np.arange(len(change.mean)) / change.mean.sum()) == pytest.approx(38, abs=2)


def test_a_currency_without_payments_is_refused(base: BaseBook) -> None:
    with pytest.raises(BadInput, match="'JPY': expected one of EUR"):
        ask(base, PROSPECTS.format(more="").replace("50000.00", "50000").replace('"EUR"', '"JPY"'))


def test_a_book_without_enough_invoices_cannot_say_how_prospects_pay() -> None:
    young = base_of(payers(customers=1, per_month=1), days=91)
    invoices = young.view.table("invoices")
    assert invoices.height == 12
    text = PROSPECTS.format(more='like = "C000"').replace("2026-04-01", (AS_OF + timedelta(days=3)).isoformat())
    assert ask(young, text).comparisons[0].base_mean_minor.sum() > 0
    old = Ledger.from_frames({"invoices": invoices.head(9)})
    with pytest.raises(NotEnoughData, match="there are 9"):
        ask(base_of(old, days=91), text)
