"""From a ledger's decision log to one answer: true gains, identity, refusals, faults, the holdout."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate import evaluate, to_dict
from duecourse.science.evaluate.episodes import episodes
from support.decided_books import DRAWN, Chances, decided_ledger

AS_OF = date(2025, 10, 20)


def always(**spread: float) -> Any:
    row = np.array([spread.get(name, 0.0) for name in ARMS])
    return lambda rows: np.tile(row, (rows.height, 1))


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return decided_ledger(payers=80, weeks=40)


def of(ledger: Ledger, target: Any, *, day: date = AS_OF, name: str = "B") -> dict[str, Any]:
    found = to_dict(evaluate(ledger.as_of(day), name, target))
    json.dumps(found, allow_nan=False)  # the report is plain data without infinities
    return found


def test_calling_everybody_would_have_been_better(ledger: Ledger) -> None:
    found = of(ledger, always(call_service=1.0))
    assert found["answer"] == "better"
    assert found["sentence"].startswith("B would have done better than what was done: +")
    by_name = {one["outcome"]: one for one in found["outcomes"]}
    assert by_name["paid_share"]["gain"]["low"] > 0
    assert by_name["weeks_to_pay"]["gain"]["high"] < 0  # sooner
    assert by_name["weeks_to_pay"]["answer"] == "better"
    assert found["contacts"] == {"logged": pytest.approx(0.5, abs=0.03), "policy": 1.0}


def paid_in_4_weeks(*chances: float) -> float:
    """Chance of payment within 4 weeks with these weekly chances, the logged mixture in the weeks after them."""
    mixed = sum(DRAWN[arm] * Chances().of(arm) for arm in DRAWN)
    weekly = [*chances, *[mixed] * (4 - len(chances))]
    return 1 - float(np.prod([1 - chance for chance in weekly]))


@pytest.mark.parametrize("arm", ["none", "email_soft", "call_service"])
def test_one_decision_and_three_in_a_row_cover_the_truth_of_the_world(ledger: Ledger, arm: str) -> None:
    paid = of(ledger, always(**{arm: 1.0}))["outcomes"][0]
    one = Chances().of(arm)
    truth = paid_in_4_weeks(one) - paid_in_4_weeks()
    assert paid["gain"]["low"] <= truth <= paid["gain"]["high"]
    assert paid["anytime"]["low"] is None  # 80 payers are too few to look every day
    assert paid["betting"]["low"] <= truth <= paid["betting"]["high"]
    three = paid_in_4_weeks(one, one, one) - paid_in_4_weeks()
    assert paid["episode_of_3"]["low"] <= three <= paid["episode_of_3"]["high"]


def test_identity_what_was_done_gains_nothing_over_itself(ledger: Ledger) -> None:
    found = of(ledger, always(**DRAWN))
    assert found["answer"] == "cannot_tell"
    for one in found["outcomes"]:
        assert one["gain"]["low"] <= 0 <= one["gain"]["high"]
        assert one["support"]["ess"] == pytest.approx(one["decisions"])
        assert one["support"]["overlap"] == 1.0
    assert "cannot tell yet" in found["sentence"]


def test_contacts_without_effect_are_not_given_one() -> None:
    null = decided_ledger(payers=60, weeks=30, seed=5, chances=Chances(0.15, 0.15, 0.15))
    assert of(null, always(call_service=1.0))["answer"] == "cannot_tell"
    assert of(null, always(none=1.0))["answer"] == "cannot_tell"


def test_a_policy_of_acts_that_were_never_tried_is_refused(ledger: Ledger) -> None:
    found = of(ledger, always(letter_formal=1.0))
    assert found["answer"] == "refused"
    assert "only 0%" in found["sentence"]
    assert found["outcomes"][0]["more_decisions"] is None
    half = of(ledger, always(letter_formal=0.21, none=0.79))
    assert half["answer"] == "refused"
    assert of(ledger, always(letter_formal=0.19, none=0.81))["answer"] != "refused"


def test_a_short_log_is_refused_with_the_number_it_needs() -> None:
    found = of(decided_ledger(payers=10, weeks=20), always(call_service=1.0))
    assert found["answer"] == "refused"
    assert "needs about" in found["sentence"]
    assert found["outcomes"][0]["more_decisions"] > 0


def test_too_recent_decisions_wait(ledger: Ledger) -> None:
    found = of(ledger, always(none=1.0), day=date(2025, 2, 17))  # six Mondays, two of them four weeks old
    log = found["log"]
    assert log["decisions"] == 80 * 6
    assert log["too_recent"] == 80 * 3
    assert log["used"] == 80 * 3
    assert found["outcomes"][1]["decisions"] == 0
    assert found["outcomes"][1]["answer"] == "refused"


def test_evaluation_sees_only_what_was_known(ledger: Ledger) -> None:
    """Deleting every fact from as_of on changes nothing."""
    day = date(2025, 8, 4)
    past = {name: ledger.as_of(day).table(name).drop("first_recorded_at") for name in ledger.tables}
    assert of(ledger, always(none=1.0), day=day) == of(Ledger.from_frames(past), always(none=1.0), day=day)


def changed(ledger: Ledger, **columns: pl.Expr) -> Ledger:
    frames = dict(ledger.tables)
    frames["decisions"] = frames["decisions"].with_columns(**columns)
    return Ledger.from_frames(frames)


def test_history_without_propensities_is_described_only(ledger: Ledger) -> None:
    blank = changed(ledger, propensities=pl.lit(None, dtype=pl.String), propensity=pl.lit(None, dtype=pl.Float64))
    found = of(blank, always(none=1.0))
    assert found["answer"] == "refused"
    assert "none of the 3,200 logged decisions says how likely it was" in found["sentence"]
    assert found["descriptive"]["arms"]["call_service"]["paid_share"] > 0
    assert all("gain" not in one for one in found["outcomes"])


def test_a_log_that_contradicts_itself_is_refused(ledger: Ledger) -> None:
    lie = json.dumps({"none": 0.2, "email_soft": 0.3, "call_service": 0.5})
    own = pl.col("arm").replace_strict({"none": 0.2, "email_soft": 0.3, "call_service": 0.5})
    found = of(changed(ledger, propensities=pl.lit(lie), propensity=own), always(none=1.0))
    assert found["answer"] == "refused"
    assert "contradicts its own propensities" in found["sentence"]
    assert not found["audit"]["passed"]


def test_certain_decisions_are_recognised(ledger: Ledger) -> None:
    sure = pl.concat_str(pl.lit('{"none": '), pl.when(pl.col("arm") == "none").then(pl.lit("1.0")).otherwise(
        pl.lit("0.0")), pl.lit(', "email_soft": '), pl.when(pl.col("arm") == "email_soft").then(
        pl.lit("1.0")).otherwise(pl.lit("0.0")), pl.lit(', "call_service": '), pl.when(
        pl.col("arm") == "call_service").then(pl.lit("1.0")).otherwise(pl.lit("0.0")), pl.lit("}"))  # fmt: skip
    found = of(changed(ledger, propensities=sure, propensity=pl.lit(1.0)), always(call_service=1.0))
    assert found["answer"] == "refused"
    assert "nothing was drawn at random" in found["sentence"]


def test_an_empty_ledger_says_so() -> None:
    found = of(Ledger.from_frames({}), always(none=1.0))
    assert found["answer"] == "refused"
    assert "holds no decision log" in found["sentence"]


def test_the_holdout_stays_out_of_the_estimate_and_becomes_a_test(ledger: Ledger) -> None:
    held = pl.when(pl.col("customer_id").str.slice(-1) == "0").then(pl.lit("guardrail_holdout")).otherwise(
        pl.lit("policy")
    )  # fmt: skip
    found = of(changed(ledger, stratum=held), always(none=1.0))
    assert found["log"]["held_out"] == 8 * 40
    trial = found["holdout"]
    assert (trial["payers"], trial["held_out"]) == (80, 8)
    assert trial["difference"]["low"] is None  # fewer than 100 payers
    assert not any(one["crossed"] for one in trial["guardrails"])
    assert of(ledger, always(none=1.0))["holdout"] is None


def test_people_who_deviate_are_counted_and_change_nothing_else(ledger: Ledger) -> None:
    deviated = changed(ledger, executed_arm=pl.lit("email_soft"))
    found, plain = of(deviated, always(none=1.0)), of(ledger, always(none=1.0))
    assert found["log"]["executed_otherwise"] > 1000
    assert found["outcomes"] == plain["outcomes"]


def test_episodes_by_hand() -> None:
    point = np.array([1, 1, 1, 1, 1, 2])
    day = np.array([0, 7, 14, 21, 28, 7])
    assert episodes(point, day, 28).tolist() == [[0, 1, 2], [4, -1, -1], [5, -1, -1]]


def test_a_target_that_is_no_distribution_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="target policy"):
        evaluate(ledger.as_of(AS_OF), "B", always(none=0.5))


def test_only_decisions_since_a_day_are_judged(ledger: Ledger) -> None:
    since = date(2025, 7, 28)
    found = to_dict(evaluate(ledger.as_of(AS_OF), "B", always(none=1.0), since=since))
    assert found["log"]["first"] == "2025-07-28"
    assert found["log"]["used"] + found["log"]["too_recent"] == 80 * 11  # Mondays to 6 October
    assert found["log"]["decisions"] == 80 * 40


def test_a_refusal_names_the_acts_that_are_missing(ledger: Ledger) -> None:
    found = of(ledger, always(letter_formal=0.3, email_firm=0.4, none=0.3))
    assert found["missing"] == {"email_firm": pytest.approx(0.4), "letter_formal": pytest.approx(0.3)}
    assert "Missing above all: email firm 40%, letter formal 30%." in found["sentence"]


def test_expected_gains_are_judged_by_those_whom_they_rank(ledger: Ledger) -> None:
    assert of(ledger, always(none=1.0))["ranking"] is None  # this log holds no expected gains
    number = pl.int_range(pl.len()).cast(pl.String)
    gains = pl.concat_str(pl.lit('{"none": 0, "call_service": '), number, pl.lit("}"))
    found = of(changed(ledger, q_arms=gains), always(none=1.0))["ranking"]
    assert found["decisions"] > 2000
    assert found["qini"]["low"] < 0 < found["qini"]["high"]  # the order of the rows says nothing
    assert found["gain_of_all"] > 0
    assert of(changed(ledger, q_arms=pl.lit("nonsense")), always(none=1.0))["ranking"] is None


def test_a_log_of_required_columns_alone_is_enough(ledger: Ledger) -> None:
    frames = dict(ledger.tables)
    needed = ("decision_id", "decided_at", "customer_id", "invoice_ids", "arm", "propensities")
    frames["decisions"] = frames["decisions"].select(needed)
    found, whole = of(Ledger.from_frames(frames), always(none=1.0)), of(ledger, always(none=1.0))
    assert found["outcomes"] == whole["outcomes"]
    assert found["log"]["policies"] == {"not named": 3200}


def test_decisions_about_nothing_are_counted_and_not_compared(ledger: Ledger) -> None:
    first = pl.int_range(pl.len()) < 80
    lists = pl.when(first).then(pl.lit(None, dtype=pl.List(pl.String))).otherwise(pl.col("invoice_ids"))
    found = of(changed(ledger, invoice_ids=lists), always(none=1.0))
    assert found["log"]["nothing_open"] == 80
    assert found["log"]["used"] + found["log"]["too_recent"] == 3200 - 80


def test_a_company_and_its_branches_are_one_payer(ledger: Ledger) -> None:
    frames = dict(ledger.tables)
    names = sorted(set(frames["decisions"].get_column("customer_id")))
    rows = {"customer_id": names, "parent_id": [f"H{int(name[1:]) // 4}" for name in names]}
    frames["customers"] = pl.DataFrame(rows)
    frames["decisions"] = frames["decisions"].drop("cluster_id")
    grouped = of(Ledger.from_frames(frames), always(none=1.0))["outcomes"][0]
    assert grouped["support"]["payers"] == 20
    assert grouped["support"]["decisions"] == of(ledger, always(none=1.0))["outcomes"][0]["support"]["decisions"]
