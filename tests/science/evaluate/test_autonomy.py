"""The ladder of autonomy: gates, alarms and the kill switch."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.ledger.autonomy import LEVELS, acts_alone, ceiling
from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.autonomy import Evidence, missing_for, rule

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
