"""The simple methods, against definitions written out as loops, and on invoices worked out by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.science.timing import baselines
from duecourse.science.timing.case_sets import CaseSet, Outcomes, new_set, open_set
from duecourse.science.timing.facts import facts_from_view
from support.books import allocation, books, invoice, promise
from support.payers import payers


def sets(ledger: Ledger, day: date, known_until: date) -> tuple[CaseSet, CaseSet]:
    outcomes = Outcomes.of(ledger, known_until)
    view = ledger.as_of(day)
    opened = open_set(view, facts_from_view(view), outcomes, seed=0, horizon=60)
    return opened, new_set(day, outcomes, seed=0, horizon=60, new_days=30)


def history(ledger: Ledger, customer: str, day: date) -> list[int]:
    """Days late of what the customer had paid before ``day``, in order of payment: one loop, no cleverness."""
    due = {row["invoice_id"]: row for row in ledger.table("invoices").iter_rows(named=True)}
    paid = sorted(
        (row["applied_on"], row["invoice_id"])
        for row in ledger.table("allocations").iter_rows(named=True)
        if row["applied_on"] < day and customer in {"*", due[row["invoice_id"]]["customer_id"]}
    )
    return [(applied - due[invoice_id]["due_on"]).days for applied, invoice_id in paid]


@pytest.fixture(scope="module")
def book() -> Ledger:
    return payers(customers=25, per_month=3, seed=3)


@pytest.mark.parametrize("which", [0, 1])
def test_customer_median_and_own_distribution_equal_a_slow_reference(book: Ledger, which: int) -> None:
    day = date(2025, 3, 10)
    one = sets(book, day, date(2026, 1, 1))[which]
    median = baselines.customer_median(one).days
    curves = baselines.customer_empirical(40)(one).cdf
    everyone = history(book, "*", day)
    for place in range(0, one.cases.size, 7):
        seen_from = date.fromordinal(date(1970, 1, 1).toordinal() + int(one.landmarks.day[place]))
        customer = one.facts.customer_ids[one.facts.customer[one.landmarks.invoice[place]]]
        own = history(book, customer, seen_from)
        d0 = int(one.cases.days_late[place])
        middle = np.median(own[-20:]) if len(own) >= 3 else np.median(everyone)
        assert median[place] == max(middle - d0, 0)
        weight = len(own[-50:]) / (len(own[-50:]) + 5)

        def mixed(x: int, own: list[int] = own, weight: float = weight) -> float:
            mine = sum(delay <= x for delay in own[-50:]) / max(len(own[-50:]), 1)
            return float(weight * mine + (1 - weight) * sum(delay <= x for delay in everyone) / len(everyone))

        before = mixed(d0 - 1)
        expected = [np.clip((mixed(d0 + j) - before) / max(1 - before, 0.001), 0, 1) for j in range(40)]
        np.testing.assert_allclose(curves[place], expected, atol=1e-12)


def test_due_date_is_never_before_the_day_one_asks(book: Ledger) -> None:
    opened, new = sets(book, date(2025, 3, 10), date(2026, 1, 1))
    assert baselines.due_date(opened).days.tolist() == np.maximum(-opened.cases.days_late, 0).tolist()
    assert set(baselines.due_date(new).days.tolist()) == {14.0}


def test_without_any_payment_the_median_is_the_due_date() -> None:
    ledger = books(invoice("I1", issued_on="2025-01-01", due_on="2025-01-31"), allocation("I1", 10_000, "2025-02-10"))
    opened, _ = sets(ledger, date(2025, 1, 5), date(2025, 3, 1))
    assert baselines.customer_median(opened).days.tolist() == [26.0]


def test_what_happened_after_the_snapshot_moves_no_prediction(book: Ledger) -> None:
    day = date(2025, 4, 1)
    later = dict(book.tables)
    later["allocations"] = later["allocations"].filter(later["allocations"]["applied_on"] < day)
    known, cut = sets(book, day, date(2026, 1, 1))[0], sets(Ledger.from_frames(later), day, date(2026, 1, 1))[0]
    for method in (baselines.due_date, baselines.customer_median, baselines.customer_empirical(60)):
        left, right = method(known), method(cut)
        values: Any = (left.cdf, right.cdf) if hasattr(left, "cdf") else (left.days, right.days)
        np.testing.assert_array_equal(*values)


def test_regression_learns_the_habits_and_its_quantiles_do_not_cross(book: Ledger) -> None:
    ledger = payers(customers=30, per_month=8, seed=1)
    day = date(2025, 8, 1)
    opened, new = sets(ledger, day, date(2026, 1, 1))
    regression = baselines.IssueDayRegression(facts_from_view(ledger.as_of(day)), seed=0, threads=1)
    for one in (opened, new):
        points, quantiles = regression.points(one).days, regression.quantiles(one).days
        assert (points >= 0).all()
        assert (np.diff(quantiles, axis=1) >= 0).all()
    error = np.abs(np.rint(regression.points(new).days) - new.cases.paid_after).mean()
    assert error < np.abs(baselines.due_date(new).days - new.cases.paid_after).mean() / 2


def test_every_answer_of_the_regression_names_its_threads(book: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    # One that names none resets LightGBM's number for the process; a fit beside it then wrote past its buffers.
    import lightgbm

    named: list[Any] = []
    predict = lightgbm.Booster.predict

    def noted(self: Any, data: Any, **options: Any) -> Any:
        named.append(options.get("num_threads"))
        return predict(self, data, **options)

    monkeypatch.setattr(lightgbm.Booster, "predict", noted)
    day = date(2025, 8, 1)
    opened, _ = sets(book, day, date(2026, 1, 1))
    regression = baselines.IssueDayRegression(facts_from_view(book.as_of(day)), seed=0, threads=1)
    regression.points(opened)
    regression.quantiles(opened)
    assert named == [1, 1, 1, 1]


def test_a_live_promise_is_taken_at_its_word_and_others_are_not() -> None:
    ledger = books(
        *(invoice(f"P{k}", issued_on="2025-01-01", due_on="2025-01-11", customer_id="C1") for k in range(3)),
        *(allocation(f"P{k}", 10_000, "2025-01-14") for k in range(3)),  # its median: 3 days late
        *(invoice(f"I{k}", issued_on="2025-02-01", due_on="2025-02-11", customer_id="C1") for k in range(3)),
        invoice("J1", issued_on="2025-02-01", due_on="2025-02-11", customer_id="C2"),
        promise("kept", 10_000, "2025-02-10", "2025-02-20", invoice_ids=["I0"]),
        promise("overdue", 10_000, "2025-02-10", "2025-02-14", invoice_ids=["I1"]),
        promise("later", 10_000, "2025-02-16", "2025-02-28", invoice_ids=["I2"]),
        promise("whole account", 10_000, "2025-02-09", "2025-02-25", customer_id="C2"),
    )
    opened, new = sets(ledger, date(2025, 2, 15), date(2025, 6, 1))
    names = opened.facts.invoice_id[opened.landmarks.invoice].tolist()
    ladder = baselines.promise_ladder(opened)
    assert ladder is not None
    assert dict(zip(names, ladder.days.tolist(), strict=True)) == {"I0": 5.0, "I1": 0.0, "I2": 0.0, "J1": 10.0}
    assert baselines.promise_ladder(new) is None


def test_a_book_without_promises_has_no_ladder(book: Ledger) -> None:
    assert baselines.promise_ladder(sets(book, date(2025, 3, 10), date(2026, 1, 1))[0]) is None
