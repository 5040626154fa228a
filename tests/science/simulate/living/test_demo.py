"""The world that is shown: staged facts hold for any seed, nothing is empty on its last day, others have no stage."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from duecourse.core.errors import UsageError
from duecourse.ledger.as_of import Ledger, View
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.checks import invariant_problems
from duecourse.science.simulate.customers import parents
from duecourse.science.simulate.living import House, LivingWorld, ledger_of, living_names, load_living
from duecourse.science.simulate.living.background import background_of
from duecourse.science.simulate.living.nature import make_nature
from duecourse.science.simulate.living.policies.explored import explored
from duecourse.science.simulate.pay_calendar import day_number, to_date
from duecourse.science.simulate.telling import Told, tell


def _demo() -> tuple[House, Ledger, View]:
    house, told = _told_demo()
    return house, told.ledger, told.ledger.as_of(to_date(house.week * 7 - 3))


@cache
def _told_demo() -> tuple[House, Told]:
    world = LivingWorld(load_living("demo"), 0, 52)
    house = world.stepper()
    world.steer(house, explored, house.week + 52)
    return house, tell(ledger_of(house), background_of(house))


def test_nothing_is_empty_on_the_last_day() -> None:
    _, ledger, view = _demo()
    assert invariant_problems(ledger) == ()
    assert view.as_of.isoformat() == "2026-11-02"
    assert (invoice_balances(view)["open_minor"] > 0).sum() > 300
    activities = view.table("activities")
    lately = activities.filter(pl.col("occurred_at").dt.date() >= view.as_of - pl.duration(days=14))
    assert lately.filter(pl.col("direction") == "in").height > 10
    assert view.table("disputes").filter(pl.col("closed_on").is_null()).height > 5
    assert view.table("promises").filter(pl.col("due_on") >= view.as_of).height > 0
    assert view.table("plans").height > 3
    used = view.table("allocations")["source_id"]
    assert view.table("payments").filter(~pl.col("payment_id").is_in(used.implode())).height > 3
    assert set(view.table("customers")["language"]) == {"de", "en", "es", "fr", "nl"}
    assert set(ledger.table("invoices")["entity_id"]) == {"HL-DE", "HL-UK", "HL-US"}


def test_texts_are_written_in_five_languages() -> None:
    _, ledger, _ = _demo()
    spoken = ledger.table("activities").filter(pl.col("channel") == "email").join(
        ledger.table("customers").select("customer_id", "language"), on="customer_id"
    )  # fmt: skip
    for language, word in (("nl", "vriendelijke groet"), ("es", "cordial saludo"), ("fr", "Cordialement"),
                           ("de", "Grüße"), ("en", "Kind regards")):  # fmt: skip
        texts = spoken.filter((pl.col("language") == language) & (pl.col("direction") == "out"))["text"]
        assert texts.len() > 20
        assert texts.str.contains(word).all(), language


@pytest.mark.parametrize("seed", [1, 5])
def test_the_staged_facts_hold_for_any_seed(seed: int) -> None:
    spec = load_living("demo")
    stage = spec.stage
    assert stage is not None
    nature = make_nature(spec, seed, 52)
    owners = parents(nature.customers, seed)
    assert owners.count("GDE900") == 12
    bills = np.bincount(nature.orders.customer, nature.orders.amount_minor)
    large = np.sort(bills / bills.sum())[::-1]
    leading = [at for at, parent in enumerate(owners) if parent is None][:5]
    assert (bills[leading[:3]] / bills.sum() > 0.04).all()
    assert large[0] < 0.2
    declining, failing = nature.point[leading[3]], nature.point[leading[4]]
    names = list(spec.company.types)
    before = nature.start_week + stage.declines_from - nature.first_week
    assert nature.inboxes.kind[0, declining] == names.index("prompt")
    assert nature.inboxes.kind[before, declining] == names.index("cash")
    assert nature.inboxes.drift[before + 20, declining] < nature.inboxes.drift[before, declining] - 1
    assert nature.inboxes.fails_week[failing] == nature.start_week + 50
    assert nature.inboxes.signs_week[failing] == nature.start_week + 40


def test_nothing_is_billed_or_booked_while_the_system_is_changed() -> None:
    house, _, _ = _demo()
    days = np.arange(day_number(to_date(0).replace(2026, 6, 1)), day_number(to_date(0).replace(2026, 6, 4)))
    assert not np.isin(house.nature.orders.issued, days).any()
    assert not np.isin(house.state.posted, days).any()
    assert np.isin(house.nature.orders.issued, days - 4).sum() > 0
    assert np.isin(house.state.posted, days + 4).any()


def test_no_other_world_has_a_stage() -> None:
    for name in living_names():
        spec = load_living(name)
        assert (spec.stage is not None) == (name == "demo")
        assert ("stage" in spec.as_json()) == (name == "demo")


def test_the_explored_ladder_logs_exact_propensities() -> None:
    _, ledger, _ = _demo()
    decisions = ledger.table("decisions")
    assert set(decisions["propensity"].round(9).unique()) == {0.1, 0.15, 0.85, 0.9, 1.0}
    wanted = decisions.filter(pl.col("propensity").is_in([0.85, 0.15]))
    left_alone = wanted.filter(pl.col("arm") == "none").height / wanted.height
    assert 0.13 < left_alone < 0.17


def test_too_few_customers_for_the_stage_are_refused() -> None:
    with pytest.raises(UsageError, match="needs at least 100 customers for its stage, got 60"):
        load_living("demo", {"changes": {"customers": 60}})


def test_replies_come_at_the_published_rates() -> None:
    """Payment status 31 %, invoice administration 20 %, information 7 % of 703 mails: each within 5 points."""
    _, told = _told_demo()
    replies = told.truth["messages"].filter(pl.col("activity_id").str.starts_with("REP-"))
    assert replies.height > 800
    kinds = {
        "status": ["payment_status"], "question": ["question"],
        "administration": ["invoice_copy_request", "statement_request", "purchase_order_or_vendor_form"],
    }  # fmt: skip
    share = {
        name: replies["intents"].list.eval(pl.element().is_in(intents)).list.any().mean()
        for name, intents in kinds.items()
    }
    assert share["status"] == pytest.approx(0.31, abs=0.05)
    assert share["administration"] == pytest.approx(0.20, abs=0.05)
    assert share["question"] == pytest.approx(0.07, abs=0.05)
