"""The gate lets a better model through, stops a model that is worse in any one respect, and says why in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from duecourse.science.timing import baselines
from duecourse.science.timing.bootstrap import ParentBootstrap
from duecourse.science.timing.case_sets import CaseSet, Outcomes, new_set, open_set
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.gate import OWN_HISTORY_IS_BETTER, GateRules, bootstrap_gains, judge
from duecourse.science.timing.measures import Curves
from duecourse.science.timing.scored import ScoredSet, score_set
from support.payers import payers

DAYS = (date(2025, 6, 1), date(2025, 7, 1), date(2025, 8, 1))


@pytest.fixture(scope="module")
def asked() -> list[tuple[CaseSet, CaseSet]]:
    ledger = payers(customers=40, per_month=5, seed=5, habit=False)
    outcomes = Outcomes.of(ledger, date(2026, 1, 1))
    found = []
    for day in DAYS:
        view = ledger.as_of(day)
        opened = open_set(view, facts_from_view(view), outcomes, seed=0, horizon=60)
        found.append((opened, new_set(day, outcomes, seed=0, horizon=60, new_days=30)))
    return found


def informed(one: CaseSet, *, spread: int = 3, shift: int = 0, seed: int = 0) -> Curves:
    """Curves of one who knows each payment day but for +- ``spread`` days; calibrated where ``shift`` is 0."""
    rng = np.random.default_rng(seed)
    hint = one.cases.paid_after + rng.integers(-spread, spread + 1, one.cases.size) + shift
    day = np.arange(178)[None, :]
    # Payments are no earlier than the landmark: what the hint would put before it lies on day 0.
    return Curves(np.clip((day - hint[:, None] + spread + 1) / (2 * spread + 1), 0.0, 1.0))


def scored(asked: list[tuple[CaseSet, CaseSet]], model) -> tuple[list[ScoredSet], list[ScoredSet]]:  # noqa: ANN001
    def score(one: CaseSet) -> ScoredSet:
        predicted = {
            "due_date": baselines.due_date(one),
            "customer_median": baselines.customer_median(one),
            "customer_empirical": baselines.customer_empirical(178)(one),
        }
        curves = model(one)
        return score_set(one, {"model": curves, **predicted} if curves is not None else predicted)

    return [score(opened) for opened, _ in asked], [score(new) for _, new in asked]


def test_a_better_and_calibrated_model_passes(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    report = judge(*scored(asked, informed), GateRules())
    assert (report.allowed, report.rung) == (True, "model")
    for verdict in report.verdicts.values():
        assert verdict.use_model
        assert verdict.says.startswith("use the model: CRPS")
        assert verdict.snapshots == 3
        assert verdict.gain_low is not None
        assert 0 < verdict.gain_low < verdict.gain < verdict.gain_high
    assert [check.name for check in report.verdicts["open"].checks] == [
        "crps_below_every_baseline", "gain_over_own_history", "calibrated_tails", "cash_error",
    ]  # fmt: skip
    assert "cash_error" not in [check.name for check in report.verdicts["new"].checks]


def test_a_null_signal_world_is_refused(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    """All customers draw from one distribution; a model that splits hairs on top of the book can only be worse."""

    def noisy(one: CaseSet) -> Curves:
        book = baselines.customer_empirical(178)(one).cdf
        wobble = np.random.default_rng(1).choice([0.6, 1.7], one.cases.size)
        return Curves(book ** wobble[:, None])

    report = judge(*scored(asked, noisy), GateRules())
    assert (report.allowed, report.rung) == (False, "customer_history")
    assert report.says.startswith(OWN_HISTORY_IS_BETTER)
    assert all(verdict.says.startswith("use the baseline: CRPS") for verdict in report.verdicts.values())


def failing(report_verdict) -> list[str]:  # noqa: ANN001
    return [check.name for check in report_verdict.checks if not check.holds]


def test_a_sharp_but_shifted_model_is_stopped_by_its_tails_and_its_cash(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    report = judge(*scored(asked, lambda one: informed(one, shift=3)), GateRules())
    assert not report.allowed
    assert failing(report.verdicts["new"]) == ["calibrated_tails"]
    assert "calibrated_tails" in failing(report.verdicts["open"])
    assert "cash_error" in failing(report.verdicts["open"])


def test_one_set_alone_does_not_allow_the_model(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    good_open, _ = scored(asked, informed)
    _, poor_new = scored(asked, lambda one: informed(one, shift=9))
    report = judge(good_open, poor_new, GateRules())
    assert report.verdicts["open"].use_model
    assert not report.verdicts["new"].use_model
    assert not report.allowed
    assert "(not passed: new invoices)" in report.says


def test_a_doubtful_gain_keeps_a_model_on_but_does_not_switch_it_on(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    opened, new = scored(asked, informed)

    def doubtful(sets: list[ScoredSet]) -> list[ScoredSet]:
        """Own history is .01 days worse on average, with every parent pulling its own way."""
        rng = np.random.default_rng(0)
        changed = []
        for one in sets:
            noise = np.zeros(one.mature_cases)
            for parent in np.unique(one.parent.astype(str)):
                noise[one.parent == parent] = rng.normal(0, 5)
            gain = noise - noise.mean() + 0.01
            changed.append(replace(one, crps={**one.crps, "customer_empirical": one.crps["model"] + gain}))
        return changed

    rules = GateRules()
    assert "gain_over_own_history" in failing(judge(doubtful(opened), new, rules).verdicts["open"])
    staying = judge(doubtful(opened), new, replace(rules, already_on=True)).verdicts["open"]
    assert "gain_over_own_history" not in failing(staying)


def test_fewer_than_three_month_starts_prove_nothing(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    opened, new = scored(asked, informed)
    report = judge(opened[:2], new[:2], GateRules())
    assert not report.allowed
    assert report.verdicts["open"].says == "use the baseline: 2 of at least 3 month starts could be tested"
    assert judge(opened[:1], new[:1], GateRules(fewest_snapshots=1)).allowed


def nothing(_one: CaseSet) -> None:
    return None


def test_without_a_model_the_verdict_is_the_baseline(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    report = judge(*scored(asked, nothing), GateRules())
    assert not report.allowed
    assert report.says.startswith("too little history")


def gains(sets: list[ScoredSet]) -> np.ndarray:
    return bootstrap_gains(sets, ParentBootstrap.of([one.parent for one in sets], 0))


def test_a_week_of_cash_that_one_payer_decides_is_no_proof(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    """The same cash error stops the model when all payers share it and is chance when a single payer makes it."""
    opened, new = scored(asked, informed)

    one_payer = sorted(set.intersection(*(set(one.parent.astype(str)) for one in opened)))[0]

    def with_gap(sets: list[ScoredSet], *, everybody: bool) -> list[ScoredSet]:
        changed = []
        for one in sets:
            cash = {}
            for days, case in one.cash.items():
                size, error = case.received.size, 0.2 * case.received.sum()
                spread = np.full(size, error / size) if everybody else np.where(one.parent == one_payer, 1.0, 0.0)
                gap = {**case.gap, "model": spread * (error / spread.sum()), "due_date": np.zeros(size)}
                cash[days] = replace(case, gap=gap)
            measures = dict(one.measures)
            measures["model"] = replace(measures["model"], cash_error=dict.fromkeys(cash, 0.2))
            measures["due_date"] = replace(measures["due_date"], cash_error=dict.fromkeys(cash, 0.0))
            changed.append(replace(one, cash=cash, measures=measures))
        return changed

    assert "cash_error" in failing(judge(with_gap(opened, everybody=True), new, GateRules()).verdicts["open"])
    by_chance = judge(with_gap(opened, everybody=False), new, GateRules()).verdicts["open"]
    assert "cash_error" not in failing(by_chance)
    assert "(the difference may be chance)" in by_chance.says


def test_the_bootstrap_draws_whole_parents(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    """One parent that owns everything leaves no uncertainty; many parents leave as much as they differ."""
    opened, _ = scored(asked, informed)
    alone = [replace(one, parent=np.full(one.mature_cases, "P", dtype=object)) for one in opened]
    mean = np.mean([(one.crps["customer_empirical"] - one.crps["model"]).mean() for one in opened])
    np.testing.assert_allclose(gains(alone), mean)
    spread = gains(opened)
    assert spread.shape == (400,)
    assert spread.std() > 0
    assert spread.mean() == pytest.approx(mean, abs=4 * spread.std() / np.sqrt(400))


def test_the_bootstrap_agrees_with_drawing_parents_one_by_one(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    opened, _ = scored(asked, informed)
    one = opened[0]
    gain = one.crps["customer_empirical"] - one.crps["model"]
    parents = np.unique(one.parent.astype(str))
    by_parent = {parent: gain[one.parent == parent] for parent in parents}
    rng = np.random.default_rng(2)
    naive = [np.concatenate([by_parent[p] for p in rng.choice(parents, parents.size)]).mean() for _ in range(400)]
    ours = gains([one])
    assert ours.std() == pytest.approx(np.std(naive), rel=0.2)
    np.testing.assert_allclose(np.quantile(ours, (0.1, 0.9)), np.quantile(naive, (0.1, 0.9)), atol=0.5 * ours.std())


def test_the_verdict_depends_on_the_seed_only_through_the_bootstrap(asked: list[tuple[CaseSet, CaseSet]]) -> None:
    sets = scored(asked, informed)
    assert judge(*sets, GateRules(seed=1)) == judge(*sets, GateRules(seed=1))
    other = judge(*sets, GateRules(seed=2)).verdicts["open"]
    assert other.gain == judge(*sets, GateRules(seed=1)).verdicts["open"].gain
