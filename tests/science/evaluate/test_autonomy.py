"""The ladder of autonomy and the guardrail holdout."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.autonomy import LEVELS, Evidence, acts_alone, ceiling, missing_for, rule
from duecourse.science.evaluate.holdout import holdout, size_deciles

GOOD = Evidence(
    data_checks_pass=True, shadow_weeks=6, calibrated=True, mask_breaches=0, approved=600, edited=30,
    lower_bound=0.001, days_at_level=120, guardrails_watched=True,
)  # fmt: skip


def test_good_evidence_climbs_one_level_at_a_time() -> None:
    level = 0
    for expected in (1, 2, 3, 4):
        ruling = rule("email_soft", level, GOOD)
        assert (ruling.level, ruling.promotes, ruling.policy) == (expected, True, "")
        level = ruling.level
    assert not rule("email_soft", 4, GOOD).promotes


def test_no_evidence_never_promotes() -> None:
    for level in range(4):
        ruling = rule("email_soft", level, Evidence())
        assert (ruling.level, ruling.promotes) == (level, False)
        assert ruling.reasons


@pytest.mark.parametrize(
    ("level", "change", "said"),
    [
        (2, {"approved": 499}, "500 approved acts are needed (so far 499)"),
        (2, {"edited": 60}, "fewer than 10 % may be edited (so far 10%)"),
        (2, {"lower_bound": -0.005}, "(is -0.50%)"),
        (2, {"lower_bound": None}, "(is not known)"),
        (2, {"guardrails_watched": False}, "guardrails must be watched"),
        (3, {"days_at_level": 89}, "90 days at level 3 are needed (so far 89)"),
        (1, {"mask_breaches": 1}, "no breach of a mask"),
        (1, {"shadow_weeks": 3.9}, "4 weeks of shadow"),
    ],
)
def test_each_gate_stands_alone(level: int, change: dict[str, object], said: str) -> None:
    ruling = rule("email_soft", level, replace(GOOD, **change))  # type: ignore[arg-type]
    assert ruling.level == level
    assert len(ruling.reasons) == 1
    assert said in ruling.reasons[0]


def test_harsh_legal_and_terms_arms_stay_with_a_person() -> None:
    for arm in ("email_firm", "letter_formal", "call_firm", "email_discount", "escalate"):
        assert not rule(arm, 2, GOOD).promotes
        assert not any(acts_alone(arm, level) for level in range(5))
        assert rule(arm, 4, GOOD).level == 2
    assert ceiling("call_plan") == 2
    assert ceiling("call_plan", four_eyes=True) == 4
    assert not ceiling("email_discount", four_eyes=True) > 2


def test_level_three_sends_soft_mail_and_level_four_calls() -> None:
    assert [arm for arm in ARMS if acts_alone(arm, 3)] == [
        "none", "email_soft", "email_neutral", "send_documents", "route_dispute",
    ]  # fmt: skip
    assert acts_alone("call_service", 4)
    assert not acts_alone("call_service", 3)
    with pytest.raises(ValueError, match="no arm 'fax'"):
        acts_alone("fax", 3)


def test_demotion_needs_nobody_and_the_kill_switch_is_the_ladder() -> None:
    assert rule("email_soft", 4, replace(GOOD, guardrails_crossed=("opt_outs",))).level == 2
    for change in ({"audit_failed": True}, {"instrument_alarm": True}):
        ruling = rule("email_soft", 4, replace(GOOD, **change))
        assert (ruling.level, ruling.policy, ruling.promotes) == (1, "ladder", False)
    killed = rule("email_soft", 4, GOOD, killed=True)
    assert (killed.level, killed.policy) == (1, "ladder")
    with pytest.raises(ValueError, match="no level 5"):
        rule("email_soft", 5, GOOD)


@given(
    arm=st.sampled_from(ARMS), level=st.integers(0, 4), approved=st.integers(0, 1000), edited=st.integers(0, 200),
    bound=st.one_of(st.none(), st.floats(-0.1, 0.1)), crossed=st.booleans(), failed=st.booleans(),
)  # fmt: skip
def test_alarms_never_raise_a_level_and_one_step_is_the_most(
    arm: str, level: int, approved: int, edited: int, bound: float | None, crossed: bool, failed: bool
) -> None:
    evidence = replace(
        GOOD, approved=approved, edited=edited, lower_bound=bound, audit_failed=failed,
        guardrails_crossed=("opt_outs",) if crossed else (),
    )  # fmt: skip
    ruling = rule(arm, level, evidence)
    assert ruling.level <= min(level + 1, 4)
    assert ruling.promotes == (ruling.level == level + 1)
    assert ruling.reasons
    if crossed or failed:
        assert ruling.level <= level
        assert ruling.level <= (1 if failed else 2)
    if ruling.promotes:
        assert not missing_for(ruling.level, evidence)
        assert ruling.level <= ceiling(arm)
    assert 0 <= ruling.level < len(LEVELS)


def strata(n: int) -> dict[str, str]:
    return {f"P{number:05}": f"{number % 10}/{'late' if number % 3 else 'prompt'}" for number in range(n)}


def test_the_holdout_is_five_percent_of_every_stratum() -> None:
    payers = strata(6000)
    held = holdout(payers)
    assert len(held) / 6000 == pytest.approx(0.05, abs=0.003)
    for stratum in set(payers.values()):
        members = [payer for payer, own in payers.items() if own == stratum]
        assert abs(len(held & set(members)) - 0.05 * len(members)) <= 1


def test_who_is_held_out_stays_and_order_says_nothing() -> None:
    payers = strata(2000)
    held = holdout(payers)
    assert holdout(dict(reversed(payers.items()))) == held
    more = strata(3000)
    grown = holdout(more, already=held)
    assert held <= grown
    assert len(grown) / 3000 == pytest.approx(0.05, abs=0.006)
    moved = dict.fromkeys(payers, "9/late")
    assert held <= holdout(moved, already=held)
    assert holdout(payers, seed=1) != held


def test_small_strata_are_held_out_in_proportion() -> None:
    payers = {f"P{number}": f"S{number // 2}" for number in range(4000)}  # 2,000 strata of two payers
    assert len(holdout(payers)) / 4000 == pytest.approx(0.05, abs=0.012)
    assert holdout({}) == frozenset()
    assert holdout(payers, share=0.0) == frozenset()
    with pytest.raises(ValueError, match="share of the holdout"):
        holdout(payers, share=1.0)


def test_deciles_hold_a_tenth_each() -> None:
    found = size_deciles([float(number) for number in range(1000)])
    assert [found.count(decile) for decile in range(10)] == pytest.approx([100] * 10, abs=1)
    assert size_deciles([5.0, 5.0]) == [0, 0]
    assert size_deciles([]) == []
