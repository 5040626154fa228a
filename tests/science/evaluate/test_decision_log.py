"""The decision log's checks and the audit of its propensities."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import ARMS
from duecourse.science.evaluate.audit import propensity_audit
from duecourse.science.evaluate.decision_log import FAULTS, DecisionLog, read_log

SPREAD = {"none": 0.25, "email_soft": 0.75}
MASKED = {name: "not available" for name in ARMS if name not in SPREAD}


def log_of(*changes: dict[str, Any]) -> DecisionLog:
    rows = []
    for number, change in enumerate(changes):
        moment = datetime(2026, 1, 5, tzinfo=UTC)
        rows.append({
            "decision_id": f"D{number}", "decided_at": moment, "customer_id": "C", "invoice_ids": ["I"],
            "arm": "email_soft", "propensity": 0.75, "propensities": json.dumps(SPREAD),
            "masked": json.dumps(MASKED), **change,
        })  # fmt: skip
    ledger = Ledger.from_frames({"decisions": pl.DataFrame(rows, infer_schema_length=None)})
    return read_log(ledger.as_of(date(2026, 2, 1)))


def test_a_sound_row_becomes_arrays() -> None:
    log = log_of({})
    assert (log.n, log.total, log.faults) == (1, 1, {})
    assert log.arm.tolist() == [ARMS.index("email_soft")]
    assert log.propensities[0, ARMS.index("none")] == 0.25
    assert log.propensities.sum() == 1
    assert log.had_choice.tolist() == [True]


@pytest.mark.parametrize(
    ("fault", "change"),
    [
        ("no_propensities", {"propensities": None}),
        ("no_propensities", {"propensities": ""}),
        ("not_json", {"propensities": "email_soft .75"}),
        ("not_json", {"propensities": "[0.25, 0.75]"}),
        ("not_json", {"masked": "nothing"}),
        ("unknown_arm", {"propensities": json.dumps({"none": 0.25, "fax": 0.75})}),
        ("not_a_probability", {"propensities": json.dumps({"none": -0.25, "email_soft": 1.25})}),
        ("not_a_probability", {"propensities": json.dumps({"none": True, "email_soft": 0.0})}),
        ("not_a_probability", {"propensities": '{"none": NaN, "email_soft": 0.75}'}),
        ("sum_not_one", {"propensities": json.dumps({"none": 0.25, "email_soft": 0.74})}),
        ("arm_impossible", {"arm": "call_service"}),
        ("propensity_differs", {"propensity": 0.25}),
        ("cover", {"masked": "{}"}),
        ("cover", {"masked": json.dumps({**MASKED, "none": "x"})}),
    ],
)
def test_each_fault_is_counted_and_left_out(fault: str, change: dict[str, Any]) -> None:
    log = log_of({}, change, {})
    assert log.faults == {fault: 1}
    assert fault in FAULTS
    assert log.n == 2
    assert log.rows.get_column("decision_id").to_list() == ["D0", "D2"]


def test_a_log_without_masks_is_judged_by_its_propensities_alone() -> None:
    assert log_of({"masked": None}).n == 1


def test_a_ledger_without_a_log_gives_an_empty_one() -> None:
    log = read_log(Ledger.from_frames({}).as_of(date(2026, 1, 1)))
    assert (log.n, log.total, log.propensities.shape) == (0, 0, (0, len(ARMS)))


def test_a_decision_recorded_later_is_not_seen() -> None:
    late = {"recorded_at": datetime(2026, 3, 1, tzinfo=UTC)}
    assert log_of({}, late).total == 1


def drawn(seed: int, n: int, *, lie: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    g = np.random.default_rng(seed)
    p = g.dirichlet([2.0, 1.0, 0.5], n)
    real = (1 - lie) * p + lie * np.array([0.0, 0.0, 1.0])
    action = (real.cumsum(axis=1) < g.random(n)[:, None]).sum(axis=1).clip(0, 2)
    return p, action


def test_true_propensities_pass_and_false_ones_fail() -> None:
    found = [propensity_audit(*drawn(seed, 3000)) for seed in range(40)]
    assert all(one.passed for one in found)
    assert np.mean([one.rms_z**2 for one in found]) == pytest.approx(1.0, abs=0.15)
    assert sum(one.p_value < 0.05 for one in found) <= 6
    assert not propensity_audit(*drawn(1, 3000, lie=0.1)).passed


def test_logging_the_executed_act_as_the_drawn_one_is_found() -> None:
    p, action = drawn(2, 3000)
    people = np.random.default_rng(3).random(3000) < 0.15
    assert not propensity_audit(p, np.where(people, 0, action)).passed


def test_an_impossible_draw_fails_and_certainty_has_nothing_to_test() -> None:
    sure = np.tile([1.0, 0.0], (50, 1))
    fine = propensity_audit(sure, np.zeros(50, dtype=int))
    assert fine.passed
    assert fine.cells == 0
    odd = propensity_audit(sure, np.r_[np.zeros(49, dtype=int), 1])
    assert odd.impossible == 1
    assert not odd.passed


@settings(max_examples=25, deadline=None)
@given(values=st.lists(st.floats(0, 1), min_size=len(ARMS), max_size=len(ARMS)).filter(lambda v: sum(v) > 0.1))
def test_any_normalised_propensities_are_read_back(values: list[float]) -> None:
    total = sum(values)
    spread = {name: value / total for name, value in zip(ARMS, values, strict=True)}
    best = max(spread, key=lambda name: spread[name])
    log = log_of({"arm": best, "propensity": spread[best], "propensities": json.dumps(spread), "masked": "{}"})
    assert log.n == 1
    np.testing.assert_array_equal(log.propensities[0], [spread[name] for name in ARMS])
