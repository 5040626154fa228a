"""Harms by act and against the holdout, offers against none, and gates of autonomy, on ledgers of known truth."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.autonomy import IN_SHADOW, NOT_OFFERED_BY_LOT
from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate import Standing, evaluate, to_dict
from duecourse.science.evaluate.arm_harms import arm_harms
from duecourse.science.evaluate.decision_log import read_log
from duecourse.science.evaluate.experiment import _order_volume_lost
from duecourse.science.evaluate.features import with_payer
from support.decided_books import decided_ledger

AS_OF = date(2025, 10, 20)
HELD = pl.col("customer_id").str.slice(-1) == "0"


@cache
def books() -> Ledger:
    return decided_ledger(payers=200, weeks=40)


def with_decisions(ledger: Ledger, **columns: pl.Expr) -> Ledger:
    frames = dict(ledger.tables)
    frames["decisions"] = frames["decisions"].with_columns(**columns)
    return Ledger.from_frames(frames)


def with_events(ledger: Ledger, chance: dict[str, float], seed: int = 3) -> Ledger:
    """A complaint two days after a decision, and an opt-out, with a chance that depends on the act."""
    rng = np.random.default_rng(seed)
    rows, contacts = [], []
    for number, (customer, moment, arm) in enumerate(
        ledger.table("decisions").select("customer_id", "decided_at", "arm").iter_rows()
    ):
        if rng.random() < chance.get(arm, 0.0):
            when = moment + timedelta(days=2)
            rows.append({"activity_id": f"X{number}", "customer_id": customer, "channel": "note", "direction": "in",
                         "occurred_at": when, "intents": ["complaint"]})  # fmt: skip
            known = {"contact_id": f"P{number}", "customer_id": customer}
            contacts += [
                {**known, "email_consent": "granted", "recorded_at": moment - timedelta(days=1)},
                {**known, "email_consent": "withdrawn", "recorded_at": when},
            ]
    frames = dict(ledger.tables)
    frames["activities"] = pl.concat([frames["activities"], pl.DataFrame(rows)], how="diagonal_relaxed")
    frames["contacts"] = pl.DataFrame(contacts)
    return Ledger.from_frames(frames)


def nobody(rows: pl.DataFrame) -> Any:
    return np.tile(np.array([float(arm == "none") for arm in ARMS]), (rows.height, 1))


def harms_of(ledger: Ledger) -> dict[tuple[str, str], Any]:
    view = ledger.as_of(AS_OF)
    log = read_log(view)
    log = type(log)(with_payer(log.rows, view), log.arm, log.propensities, log.faults, log.total)
    return {(one.arm, one.harm): one for one in arm_harms(view, log)}


def test_the_act_that_drives_customers_away_is_found_and_the_harmless_one_is_not() -> None:
    found = harms_of(with_events(books(), {"call_service": 0.05, "email_soft": 0.002, "none": 0.002}))
    assert set(found) == {(arm, harm) for arm in ("email_soft", "call_service") for harm in ("opt_outs", "complaints")}
    call, mail = found[("call_service", "complaints")], found[("email_soft", "complaints")]
    assert call.crossed
    assert not mail.crossed
    assert call.difference == pytest.approx(0.048 * 0.8, abs=0.02)  # other weeks of the window are the same for both
    assert call.lower_bound < call.difference
    assert found[("call_service", "opt_outs")].crossed
    assert call.events > 0
    quiet = harms_of(with_events(books(), {"none": 0.001}))
    assert set(quiet) == set(found)
    assert not any(one.crossed for one in quiet.values())
    assert harms_of(books()) == {}  # these books keep neither consents nor what messages mean


def test_few_payers_or_few_draws_cross_nothing() -> None:
    small = harms_of(with_events(decided_ledger(payers=20, weeks=40), {"call_service": 0.3}))
    assert small[("call_service", "complaints")].lower_bound == float("-inf")
    assert harms_of(decided_ledger(payers=3, weeks=3)) == {}


def test_a_rare_harm_that_followed_none_of_few_silences_is_no_proof_against_the_act() -> None:
    number, none = 2000, ARMS.index("none")
    silent = np.arange(number) % 20 == 0  # none was drawn with a chance of 5 %
    arm = np.where(silent, none, ARMS.index("email_soft"))
    spread = np.zeros((number, len(ARMS)))
    spread[:, ARMS.index("email_soft")], spread[:, none] = 0.95, 0.05
    payer = [f"C{place % 400}" for place in range(number)]
    rows = pl.DataFrame({
        "payer": payer, "customer_id": payer,
        "decided_on": [date(2025, 1, 6) + timedelta(days=30 * (place // 400)) for place in range(number)],
    })  # fmt: skip

    def judged(share: int) -> Any:
        hurt = np.flatnonzero(~silent & (np.arange(number) % share == 1))
        facts = pl.DataFrame([
            {"activity_id": f"X{place}", "customer_id": f"C{place % 400}", "channel": "note", "direction": "in",
             "occurred_at": datetime(2025, 1, 8, tzinfo=UTC) + timedelta(days=int(30 * (place // 400))),
             "intents": ["complaint"]} for place in hurt
        ])  # fmt: skip
        log = type(read_log(books().as_of(AS_OF)))(rows, arm, spread, {}, number)
        return arm_harms(Ledger.from_frames({"activities": facts}).as_of(AS_OF), log)[0]

    rare = judged(100)  # 20 of 1,900 against none of 100, of which one was to be expected
    assert (rare.arm, rare.harm, rare.drawn, rare.events) == ("email_soft", "complaints", 1900, 20)
    assert rare.difference == pytest.approx(20 / 1900, rel=0.01)
    assert not rare.crossed
    assert judged(4).crossed  # 500 of 1,900 against none of 100


def trial_of(ledger: Ledger, name: str = "holdout") -> dict[str, Any]:
    found: dict[str, Any] = to_dict(evaluate(ledger.as_of(AS_OF), "none", nobody))[name]
    return {one["name"]: one for one in found["guardrails"]} | {"held_out": found["held_out"]}


def test_complaints_and_lost_orders_under_the_policy_cross_the_guardrail() -> None:
    stratum = pl.when(HELD).then(pl.lit("guardrail_holdout")).otherwise(pl.lit("policy"))
    split = with_decisions(books(), stratum=stratum)
    quiet = trial_of(split)
    assert quiet["held_out"] == 20
    assert "complaints" not in quiet  # nobody read the messages
    assert not any(one["crossed"] for name, one in quiet.items() if name != "held_out")
    frames = dict(split.tables)
    first = frames["decisions"].get_column("decided_at").min()
    assert isinstance(first, datetime)
    names = frames["decisions"].get_column("customer_id").unique().sort().to_list()
    rows = [
        {"activity_id": f"X{name}{number}", "customer_id": name, "channel": "note", "direction": "in",
         "occurred_at": datetime(2025, 3, 1 + number, tzinfo=UTC), "intents": ["complaint"]}
        for name in names if not name.endswith("0") for number in range(2)
    ]  # fmt: skip
    orders = [
        {"invoice_id": f"O{name}{week}", "customer_id": name, "issued_on": first.date() - timedelta(days=7 * week),
         "due_on": date(2026, 6, 1), "amount_minor": 400_000, "currency": "EUR"}
        for name in names for week in (range(1, 27) if not name.endswith("0") else range(-26, 27))
    ]  # fmt: skip
    frames["activities"] = pl.concat([frames["activities"], pl.DataFrame(rows)], how="diagonal_relaxed")
    frames["invoices"] = pl.concat([frames["invoices"], pl.DataFrame(orders)], how="diagonal_relaxed")
    worse = trial_of(Ledger.from_frames(frames))
    assert worse["complaints"]["crossed"]
    assert worse["complaints"]["difference"] == pytest.approx(2.0, abs=0.3)
    assert worse["order_volume_lost"]["difference"] > 0.2  # who was under the policy stopped ordering
    assert worse["order_volume_lost"]["crossed"]


def test_the_holdout_counts_from_its_first_day_though_its_payers_were_under_the_policy_before() -> None:
    later = pl.col("decided_at").dt.date() >= date(2025, 4, 7)
    stratum = pl.when(HELD & later).then(pl.lit("guardrail_holdout")).otherwise(pl.lit("policy"))
    split = with_decisions(books(), stratum=stratum)
    found = trial_of(split)
    assert found["held_out"] == 20
    late = Ledger.from_frames({**split.tables, "decisions": split.table("decisions").filter(later)})
    assert found == trial_of(late)  # what the policy did before there was a holdout is no part of the test
    assert to_dict(evaluate(books().as_of(AS_OF), "none", nobody))["holdout"] is None


def test_guardrails_are_the_same_bit_for_bit_at_every_look() -> None:
    view = books().as_of(AS_OF)
    names = view.table("decisions").get_column("customer_id").unique().sort()
    groups = pl.DataFrame({"payer": names}).with_columns(pl.lit(date(2025, 4, 7)).alias("since"))
    assert len({_order_volume_lost(view, groups).tobytes() for _ in range(20)}) == 1


def test_what_was_credited_is_not_late_until_today() -> None:
    stratum = pl.when(HELD).then(pl.lit("guardrail_holdout")).otherwise(pl.lit("policy"))
    split = with_decisions(books(), stratum=stratum)
    frames, before = dict(split.tables), trial_of(split)["days_late"]["difference"]
    names = frames["decisions"].get_column("customer_id").unique().sort().to_list()
    names = [name for name in names if not name.endswith("0")]
    bills = [
        {"invoice_id": f"K{name}{number}", "customer_id": name, "issued_on": date(2025, 2, 1),
         "due_on": date(2025, 2, 3), "amount_minor": 100_000, "currency": "EUR"}
        for name in names for number in range(20)
    ]  # fmt: skip
    credited = [
        {"allocation_id": f"K{bill['invoice_id']}", "invoice_id": bill["invoice_id"], "source_kind": "credit",
         "source_id": "K", "applied_on": date(2025, 2, 4), "amount_minor": 100_000}
        for bill in bills
    ]  # fmt: skip
    frames["invoices"] = pl.concat([frames["invoices"], pl.DataFrame(bills)], how="diagonal_relaxed")
    frames["allocations"] = pl.concat([frames["allocations"], pl.DataFrame(credited)], how="diagonal_relaxed")
    found = trial_of(Ledger.from_frames(frames))["days_late"]
    assert found["difference"] < before  # credited a day after they were due
    assert not found["crossed"]


def test_offers_are_measured_against_those_whom_the_lot_keeps_from_them() -> None:
    bare = {name: "not available" for name in ARMS if name not in ("none", "email_soft", "call_service")}
    kept = json.dumps(bare | {"email_discount": NOT_OFFERED_BY_LOT})
    split = with_decisions(books(), masked=pl.when(HELD).then(pl.lit(kept)).otherwise(pl.lit(json.dumps(bare))))
    found = trial_of(split, "offers")
    assert found["held_out"] == 20
    assert not found["days_late"]["crossed"]
    again = pl.col("decided_at").dt.date() < date(2025, 8, 4)
    ended = with_decisions(split, masked=pl.when(again).then(pl.col("masked")).otherwise(pl.lit(json.dumps(bare))))
    assert trial_of(ended, "offers")["held_out"] == 20  # the envelope was withdrawn: the same mask for all since then
    assert to_dict(evaluate(books().as_of(AS_OF), "none", nobody))["offers"] is None


def test_rows_in_shadow_are_counted_and_answer_nothing() -> None:
    half = pl.when(pl.col("customer_id") < "C100").then(pl.lit("shadow")).otherwise(pl.lit("policy"))
    found = to_dict(evaluate(with_decisions(books(), stratum=half).as_of(AS_OF), "none", nobody))
    assert found["log"]["in_shadow"] == 100 * 40
    only = books().table("decisions").filter(pl.col("customer_id") >= "C100")
    alone = to_dict(evaluate(Ledger.from_frames({**books().tables, "decisions": only}).as_of(AS_OF), "none", nobody))
    assert found["outcomes"] == alone["outcomes"]
    assert found["descriptive"] == alone["descriptive"]


def gate_of(ledger: Ledger, arm: str, level: int, *, policy: str = "none", **more: Any) -> dict[str, Any]:
    standing = Standing({"none": 2, arm: level}, **more)
    found = to_dict(evaluate(ledger.as_of(AS_OF), policy, nobody, standing=standing))
    assert len(found["gates"]) == 1
    one: dict[str, Any] = found["gates"][0]
    assert one["arm"] == arm
    return one


def test_gates_say_what_is_missing_for_the_next_level() -> None:
    one = gate_of(books(), "email_soft", 2)
    assert (one["level"], one["to"], one["promotes"]) == (2, 2, False)
    assert "500 approved acts are needed (so far 0)" in one["reasons"]
    assert "lower bound of the gain must be above -0.5% of the balance (is not known)" in one["reasons"]
    assert "guardrails must be watched" in one["reasons"]
    first = gate_of(books(), "email_soft", 1)
    assert first["reasons"] == ["4 weeks of shadow are needed (so far 0)", "calibration must be in bounds"]
    checked = gate_of(books(), "email_soft", 1, calibrated_on=AS_OF - timedelta(30))
    assert checked["reasons"] == ["4 weeks of shadow are needed (so far 0)"]
    stale = gate_of(books(), "email_soft", 1, calibrated_on=AS_OF - timedelta(91))
    assert "calibration must be in bounds" in stale["reasons"]
    assert gate_of(books(), "email_soft", 0)["promotes"]
    killed = gate_of(books(), "email_soft", 4, killed=True)
    assert (killed["to"], killed["policy"]) == (1, "ladder")
    assert to_dict(evaluate(books().as_of(AS_OF), "none", nobody))["gates"] == []


def test_approved_acts_edits_breaches_and_days_are_read_from_the_log() -> None:
    number = pl.int_range(pl.len())
    recent = pl.col("decided_at").dt.date() >= AS_OF - timedelta(90)
    split = with_decisions(
        books(), autonomy_level=pl.lit(2), stratum=pl.when(HELD).then(pl.lit("guardrail_holdout")).otherwise(
            pl.lit("policy")), override_by=pl.when(number % 20 == 0).then(pl.lit("kim")),
    )  # fmt: skip
    mine = split.table("decisions").filter(recent & (pl.col("arm") == "email_soft"))
    one = gate_of(split, "email_soft", 2, policy="ladder")
    said = " ".join(one["reasons"])
    assert mine.height > 500
    assert "approved acts are needed" not in said
    assert "may be edited" not in said  # 5 %
    assert "guardrails" not in said
    assert one["promotes"]  # nobody was contacted instead of the log's acts: these surely gain more
    assert "not known" in " ".join(gate_of(split, "email_soft", 2)["reasons"])  # asked about something else
    breached = with_decisions(split, executed_arm=pl.when(recent & (number % 37 == 0)).then(
        pl.lit("sms_soft")).otherwise(pl.col("executed_arm")))  # fmt: skip
    shadow = gate_of(breached, "call_service", 1)
    assert any(reason.startswith("no breach of a mask is allowed (found: ") for reason in shadow["reasons"])
    by_hand = with_decisions(split, executed_arm=pl.lit("call_service"), masked=pl.lit(json.dumps(
        {name: "not available" for name in ARMS if name not in ("none", "email_soft")} | {"call_service": IN_SHADOW}
    )), propensities=pl.lit(json.dumps({"none": 0.5, "email_soft": 0.5})), propensity=pl.lit(0.5))  # fmt: skip
    shadow = gate_of(by_hand, "call_service", 1)
    assert not any("breach of a mask" in reason for reason in shadow["reasons"])  # shadow binds no person
    long = with_decisions(split, autonomy_level=pl.when(pl.col("decided_at").dt.date() < date(2025, 3, 3)).then(2)
                          .otherwise(3))  # fmt: skip
    last_below = AS_OF - date(2025, 3, 3)
    assert last_below.days > 90
    assert not any("days at level 3" in reason for reason in gate_of(long, "email_soft", 3)["reasons"])
    short = with_decisions(split, autonomy_level=pl.when(recent).then(3).otherwise(2))
    assert any("90 days at level 3 are needed" in reason for reason in gate_of(short, "email_soft", 3)["reasons"])


def test_weeks_in_shadow_count_for_90_days() -> None:
    def weeks(first: date, last: date) -> list[str]:
        day = pl.col("decided_at").dt.date()
        stratum = pl.when((day >= first) & (day < last)).then(pl.lit("shadow")).otherwise(pl.lit("policy"))
        reasons: list[str] = gate_of(with_decisions(books(), stratum=stratum), "email_soft", 1)["reasons"]
        return [reason for reason in reasons if "weeks of shadow" in reason]

    assert weeks(date(2025, 9, 1), date(2025, 9, 29)) == []
    assert weeks(date(2025, 2, 3), date(2025, 6, 30)) == ["4 weeks of shadow are needed (so far 0)"]


def test_an_act_that_surely_harms_falls_back_to_a_persons_approval() -> None:
    bad = with_events(books(), {"call_service": 0.05, "none": 0.001})
    one = gate_of(bad, "call_service", 4)
    assert (one["to"], one["promotes"]) == (2, False)
    assert one["reasons"] == ["guardrail crossed: opt_outs after call_service, complaints after call_service"]
    assert gate_of(bad, "email_soft", 4)["to"] == 4
