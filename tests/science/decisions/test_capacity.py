"""capacity.json: what is right is read, what is wrong is named with key and cure, all of it at once."""

from __future__ import annotations

import json
from datetime import date

import pytest

from duecourse.core.errors import BadInput
from duecourse.science.decisions.capacity import DEFAULT_CAPACITY, Arm, read_capacity
from duecourse.science.decisions.envelope import DiscountTerms, Envelope, PlanTerms

CONTRACT = """{"minutes_per_day": 420, "horizon_days": 7, "cost_of_capital": 0.10, "arms": {
  "email_soft": {"cost_minor": 30, "minutes": 0}, "call_service": {"cost_minor": 0, "minutes": 12}}}"""


def test_the_example_of_the_contract_is_read() -> None:
    capacity = read_capacity(CONTRACT)
    assert capacity.minutes_per_day == 420
    assert capacity.horizon_days == 7
    assert capacity.arms == {"email_soft": Arm(30, 0), "call_service": Arm(0, 12)}
    assert capacity.minutes_of("call_service") == 12
    assert capacity.minutes_of("sms_soft") == 0
    assert capacity.capacity_hash == read_capacity(json.dumps(json.loads(CONTRACT), indent=3)).capacity_hash
    assert capacity.capacity_hash != DEFAULT_CAPACITY.capacity_hash


def test_business_days_of_the_horizon_leave_out_weekends_and_known_holidays() -> None:
    capacity = read_capacity('{"minutes_per_day": 1, "horizon_days": 7, "arms": {}, "country": "de"}')
    # Thursday 30 April 2026, the day before Labour Day.
    days = capacity.business_days(date(2026, 4, 30))
    assert [day.day for day in days] == [30, 4, 5, 6]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "expected JSON such as"),
        ("[]", "must hold one JSON object"),
        ("{}", "column minutes_per_day: expected a number from 0"),
        (CONTRACT.replace("420", '"420"'), "a number from 0 to 100000"),
        (CONTRACT.replace("420", "true"), "a number from 0"),
        (CONTRACT.replace("420", "-1"), "a number from 0"),
        (CONTRACT.replace("420", "NaN"), "a number from 0"),
        (CONTRACT.replace("420", "9" * 400), "a number from 0 to 100000"),
        (CONTRACT.replace('"horizon_days": 7', '"horizon_days": 0'), "a number from 1 to 366"),
        (CONTRACT.replace('"horizon_days": 7', '"horizon_days": 2.5'), "whole number of calendar days"),
        (CONTRACT.replace("email_soft", "e_mail_soft"), "arms.e_mail_soft: expected one of the arms none, email_soft"),
        (
            CONTRACT.replace('"cost_minor": 30', '"cost": 30'),
            "arms.email_soft.cost: '30': expected cost_minor, minutes",
        ),
        (CONTRACT.replace('"cost_minor": 30', '"cost_minor": 0.3'), "whole number of minor units"),
        (CONTRACT.replace('"minutes": 12', '"minutes": -12'), "arms.call_service.minutes"),
        (CONTRACT.replace("minutes_per_day", "minutes_a_day"), "column minutes_a_day: '420': expected one of"),
        ('{"minutes_per_day": 1, "horizon_days": 1, "arms": {"email_soft": 3}}', "arms.email_soft: '3': expected"),
        ('{"minutes_per_day": 1, "horizon_days": 1, "arms": {}, "country": "Germany"}', "two-letter ISO"),
    ],
)
def test_bad_input_is_named(text: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_capacity(text, file="c.json")
    assert said in str(caught.value)
    assert "c.json" in str(caught.value)


def test_all_problems_are_collected() -> None:
    with pytest.raises(BadInput) as caught:
        read_capacity('{"minutes_per_day": -1, "horizon_days": 0, "arms": {"x": {}, "none": {}}, "typo": 1}')
    assert len(caught.value.problems) == 6


WITH_TERMS = """{"minutes_per_day": 420, "horizon_days": 7, "arms": {
  "email_discount": {"cost_minor": 30, "minutes": 0}, "call_plan": {"cost_minor": 0, "minutes": 15}},
  "terms": {"discount": {"percent": 2, "days": 10, "yearly_limit_minor": 500000, "approver": "CFO"},
            "plan": {"instalments": 3, "days": 90, "first_share": 0.3, "approver": "CFO"}}}"""


def test_an_envelope_is_read_and_changes_the_hash_of_a_capacity_only_where_there_is_one() -> None:
    found = read_capacity(WITH_TERMS)
    assert found.terms == Envelope(DiscountTerms(2, 10, 500_000, "CFO"), PlanTerms(3, 90, 0.3, "CFO"), 0.5)
    assert found.terms is not None
    assert found.terms.arms == {"email_discount", "call_plan"}
    assert read_capacity(found.to_json()) == found
    assert "terms" not in read_capacity(CONTRACT).to_json()
    stripped = json.loads(WITH_TERMS)
    del stripped["terms"]
    assert read_capacity(json.dumps(stripped)).capacity_hash != found.capacity_hash


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"terms": 3}, "column terms: '3': expected an object with discount, plan or both"),
        ({"terms": {}}, "column terms: expected discount, plan or both (leave terms out"),
        ({"terms": {"discounts": {}}}, "terms.discounts: '{}': expected one of discount, plan, share_of_customers"),
        ({"terms": {"discount": 2}}, "terms.discount: '2': expected {"),
        ({"terms": {"discount": {"percent": 25}}}, "terms.discount.percent: '25': expected a number from 0.1 to 20"),
        ({"terms": {"discount": {"percent": 2, "days": 43}}}, "terms.discount.days: '43': expected a number from 1"),
        ({"terms": {"discount": {"percent": 2}}}, "terms.discount.yearly_limit_minor: expected a number from 0"),
        ({"terms": {"discount": {"approver": " "}}}, "terms.discount.approver: '\" \"': expected who approves"),
        ({"terms": {"plan": {"instalments": 5}}}, "terms.plan.instalments: '5': expected a number from 2 to 4"),
        ({"terms": {"plan": {"instalments": 2.5}}}, "terms.plan.instalments: '2.5': expected a whole number"),
        ({"terms": {"plan": {"first_share": 30}}}, "terms.plan.first_share: '30': expected a number from 0 to 0.95"),
        ({"terms": {"plan": {}, "share_of_customers": 2}}, "terms.share_of_customers: '2': expected a number from 0"),
        ({"arms": {}}, "arms.email_discount: expected cost and minutes of this arm, since terms.discount offers it"),
    ],
)
def test_a_bad_envelope_is_named_with_its_cure(change: dict[str, object], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_capacity(json.dumps(json.loads(WITH_TERMS) | change), file="c.json")
    assert said in str(caught.value)
