"""Scenario files are read strictly: every problem with its place, what was expected, and the cure."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.core.errors import BadInput
from duecourse.science.forecast.scenarios import read_scenario, read_uplift
from duecourse.science.forecast.scenarios.steps import Customers, Discount, NewBusiness, PlannedInvoice, Terms
from support.what_if import ask

TERMS = 'kind = "terms"\ncustomers = ["C1"]\nfrom = 2026-04-01\nto_net = 60\n'


def step(text: str) -> str:
    return f'name = "n"\n[[step]]\n{text}'


def problems(text: str) -> list[str]:
    with pytest.raises(BadInput) as caught:
        read_scenario(text, "s.toml")
    assert caught.value.exit_code == 3
    return str(caught.value).splitlines()[1:]


def test_terms_are_read_as_they_are_written() -> None:
    scenario = read_scenario(step(TERMS), "s.toml")
    assert scenario.steps == (
        Terms(place="step 1 (terms)", customers=Customers(names=("C1",)), start=date(2026, 4, 1), to_net=60),
    )
    assert (scenario.name, scenario.cost_of_capital) == ("n", 0.10)


def test_amounts_are_exact_decimals_of_their_currency() -> None:
    text = (
        'kind = "prospects"\nnames = ["A"]\namount = {}\ncurrency = "{}"\nfirst_issue = 2026-01-31\nterms_days = 30\n'
    )
    (one,) = read_scenario(step(text.format("0.07", "EUR")), "s.toml").steps
    assert isinstance(one, NewBusiness)
    assert one.invoices[0].amount_minor == 7
    (yen,) = read_scenario(step(text.format("500", "JPY")), "s.toml").steps
    assert isinstance(yen, NewBusiness)
    assert yen.invoices[0].amount_minor == 500
    assert problems(step(text.format("1.005", "EUR"))) == [
        "  s.toml, step 1 (prospects), key amount: expected 1.005 has more decimals than EUR has (2)"
    ]


def test_a_count_of_months_keeps_the_day_and_ends_with_short_months() -> None:
    text = 'kind = "prospects"\nnames = ["A"]\namount = 1\ncurrency = "EUR"\nfirst_issue = 2026-12-31\n'
    (one,) = read_scenario(step(text + "terms_days = 30\ncount = 4\n"), "s.toml").steps
    assert isinstance(one, NewBusiness)
    assert [invoice.issued_on for invoice in one.invoices] == [
        date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28), date(2027, 3, 31),
    ]  # fmt: skip


def test_a_list_of_invoices() -> None:
    entry = '{ customer = "C1", amount = 10.50, currency = "EUR", issued_on = 2026-01-05, terms_days = 14 }'
    (one,) = read_scenario(step(f'kind = "invoices"\ninvoices = [{entry}]\n'), "s.toml").steps
    assert isinstance(one, NewBusiness)
    assert one.invoices == (
        PlannedInvoice(
            customer="C1", issued_on=date(2026, 1, 5), amount_minor=1050, currency="EUR", terms_days=14
        ),
    )  # fmt: skip
    assert problems(step('kind = "invoices"\ninvoices = [{ customer = "C1" }]\n')) == [
        "  s.toml, step 1 (invoices), key invoices, entry 1, amount: expected an amount above 0 such as 50000.00"
    ]


def test_take_up_may_be_one_share_or_a_range() -> None:
    text = 'kind = "discount"\ncustomers = "all"\nfrom = 2026-01-01\npercent = 2\ndays = 10\ntake_up = {}\n'
    found = [read_scenario(step(text.format(given)), "s.toml").steps[0] for given in ("0.3", "[0.1, 0.4]")]
    assert [one.take_up for one in found if isinstance(one, Discount)] == [(0.3, 0.3), (0.1, 0.4)]
    assert problems(step(text.format("[0.4, 0.1]"))) == [
        "  s.toml, step 1 (discount), key take_up: '[0.4, 0.1]': expected a share from 0 to 1, or [lowest, highest]"
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('name = "x', "expected a TOML file (texts stand in quotes, dates and numbers do not"),
        ("", "s.toml, key name: expected a name for the scenario, as text (add name = ...)"),
        ('name = "x"\ncolour = 1', "s.toml, key colour: expected one of name, question, cost_of_capital, step"),
        ('name = "x"\nstep = 3', "s.toml, key step: '3': expected one or more [[step]] tables"),
        (step('kind = "trems"'), "step 1, key kind: 'trems': expected one of collections, delay, discount"),
        (step('kind = "trems"'), "(did you mean 'terms'?)"),
        (step("days = 3"), 'step 1, key kind: expected one of collections, delay, discount, invoices, loss'),
        (step(TERMS + "too = 1"), "step 1 (terms), key too: expected one of customers, from, to_net, from_net"),
        (step(TERMS.replace("to_net = 60", "")), "key to_net: expected whole days from 0 to 365 (add to_net ="),
        (step(TERMS.replace("60", "-60")), "key to_net: '-60': expected whole days from 0 to 365"),
        (step(TERMS.replace("60", "60.5")), "key to_net: '60.5': expected whole days from 0 to 365"),
        (step(TERMS.replace("60", "true")), "key to_net: 'True': expected whole days"),
        (step(TERMS + "from_net = 60"), "key to_net: expected other terms than from_net"),
        (step(TERMS.replace("2026-04-01", '"2026-04-01"')), "key from: '2026-04-01': expected a date such as"),
        (step(TERMS.replace("2026-04-01", "9026-04-01")), "key from: '9026-04-01': expected a date"),
        (step(TERMS.replace('["C1"]', "[]")), "key customers: '[]': expected a list of customer ids or names"),
        (step(TERMS.replace('["C1"]', '["C1", "C1"]')), "expected a list of customer ids or names"),
        (step('kind = "loss"'), "step 1 (loss), key customers: expected either customers or top"),
        (step('kind = "loss"\ntop = 1\ncustomers = ["a"]'), "key customers: expected either customers or top"),
        (step('kind = "shock"\nseverity = 3'), "key severity: '3': expected 1 or 2 (standard deviations late)"),
        (step('kind = "volume"\nfactor = inf\nfrom = 2026-01-01'), "key factor: 'Infinity': expected a factor from 0"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_where_and_with_its_cure(text: str, expected: str) -> None:
    assert expected in "\n".join(problems(text))


def test_every_problem_is_told_at_once() -> None:
    text = 'colour = 1\n[[step]]\nkind = "x"\n[[step]]\nkind = "terms"\nto_net = -1\n'
    assert len(problems(text)) == 6  # colour, name, kind, to_net, customers, from


@given(st.text(max_size=60))
def test_no_text_makes_the_reader_fail_otherwise(text: str) -> None:
    try:
        scenario = read_scenario(text, "s.toml")
    except BadInput:
        return
    assert scenario.name


UPLIFT = """measured_by = "randomised"
accounts = 800
effective_sample_size = 640
overlap = 0.95
days_earlier_p10 = 0.8
days_earlier_p50 = 2.1
days_earlier_p90 = 3.6
"""


def test_a_measured_effect_is_read() -> None:
    uplift = read_uplift(UPLIFT, "u.toml")
    assert uplift.days_earlier == (0.8, 2.1, 3.6)
    with pytest.raises(BadInput, match="a number between P10 and P90"):
        read_uplift(UPLIFT.replace("2.1", "9"), "u.toml")
    with pytest.raises(BadInput, match="nothing else measures an effect"):
        read_uplift(UPLIFT.replace("randomised", "before_after"), "u.toml")


FITS = 'kind = "terms"\ncustomers = "all"\nfrom = 2026-11-02\nto_net = 60\n'
PROSPECT = (
    'kind = "prospects"\nnames = ["A"]\namount = 1\ncurrency = "EUR"\nfirst_issue = 2026-12-01\nterms_days = 30\n'
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (FITS.replace('"all"', '["X00001"]'), "key customers: 'X00001': expected a customer of these books"),
        (FITS.replace('"all"', '["X00001"]'), "did you mean 'C00001' ("),
        (FITS.replace("11-02", "11-01"), "'2026-11-01': expected a date on or after 2026-11-02"),
        (FITS + "from_net = 29", "'29': expected terms that these customers have: net 30 ("),
        ('kind = "shock"\nseverity = 1\nnever = ["zzzzzz"]', "key never: 'zzzzzz': expected a customer of these"),
        ('kind = "shock"\nseverity = 1\n[[step]]\nkind = "shock"\nseverity = 2', "expected at most one shock"),
        (PROSPECT.replace("12-01", "10-01"), "key first_issue: '2026-10-01'"),
        (PROSPECT + 'like = "B"', "key like: 'B': expected a customer"),
    ],
)
def test_what_does_not_fit_the_book_is_bad_input(text: str, expected: str) -> None:
    with pytest.raises(BadInput) as caught:
        ask(f"[[step]]\n{text}\n")
    assert expected in str(caught.value)


def test_the_examples_of_the_repository_can_be_read() -> None:
    files = sorted((Path(__file__).parents[3] / "examples" / "scenarios").glob("*.toml"))
    assert len(files) >= 6
    for file in files:
        if not file.name.startswith("uplift"):
            assert read_scenario(file.read_text(encoding="utf-8"), file.name).steps
