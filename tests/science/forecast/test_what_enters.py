"""Promises, plans, disputes, free money, dilution and known coming invoices: what of them enters the forecast."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from tests.support.small_books import AS_OF, Book

from duecourse.ledger.as_of import View, start_of_day
from duecourse.science.forecast import expected_schedule, forecast_book, open_items, past_invoices
from duecourse.science.forecast.cash import not_expected, open_mean
from duecourse.science.forecast.inflow import issue_volume
from duecourse.science.forecast.parts import open_parts, payable_shares
from duecourse.science.forecast.plans import instalments_kept
from duecourse.science.forecast.schedule import schedule_sentence, whole_percents
from duecourse.science.timing.predict import predict

DAYS = 178
ONE_DAY = timedelta(days=1)
PARTS = ["plain_minor", "disputed_minor", "planned_minor", "here_minor"]


def flat_curves(view: View, share: float = 0.9) -> pl.DataFrame:
    """The same straight curve for every open invoice."""
    ids = open_parts(view).get_column("invoice_id")
    cdf = np.linspace(share / DAYS, share, DAYS)
    return pl.DataFrame(
        {
            "invoice_id": ids.gather(np.repeat(np.arange(len(ids)), DAYS)),
            "day": np.tile(np.arange(DAYS), len(ids)),
            "cdf": np.tile(cdf, len(ids)),
        }
    )


def parts_of(view: View) -> dict[str, tuple[int, ...]]:
    return {row[0]: row[1:] for row in open_parts(view).select("invoice_id", *PARTS).iter_rows()}


def book() -> Book:
    made = Book().customer("C1").customer("C2")
    return made.invoice("A", "C1", days_late=20, minor=100_000).invoice("B", "C1", days_late=5, minor=60_000)


def test_the_parts_of_every_invoice_add_up_to_its_open_amount() -> None:
    made = book()
    made.add("disputes", dispute_id="D", invoice_id="A", opened_on=AS_OF - timedelta(days=4), disputed_minor=30_000)
    made.add(
        "plans",
        plan_id="P",
        customer_id="C1",
        agreed_on=AS_OF - timedelta(days=3),
        currency="EUR",
        invoice_ids=["B"],
        instalments=[f"{AS_OF + timedelta(days=10)}:25000", f"{AS_OF + timedelta(days=40)}:25000"],
    )
    made.add("payments", payment_id="X", received_on=AS_OF - timedelta(days=1), amount_minor=15_000, currency="EUR",
             customer_id="C1")  # fmt: skip
    view = made.view()
    assert parts_of(view) == {"A": (55_000, 30_000, 0, 15_000), "B": (10_000, 0, 50_000, 0)}


def test_money_that_is_here_takes_the_oldest_invoice_and_then_the_first_instalment() -> None:
    made = Book().customer("C1").invoice("A", "C1", days_late=20, minor=40_000)
    made.add(
        "plans",
        plan_id="P",
        customer_id="C1",
        agreed_on=AS_OF - timedelta(days=3),
        currency="EUR",
        invoice_ids=["A"],
        instalments=[f"{AS_OF}:20000", f"{AS_OF + timedelta(days=60)}:20000"],
    )
    made.add("payments", payment_id="X", received_on=AS_OF - timedelta(days=1), amount_minor=20_000, currency="EUR",
             customer_id="C1")  # fmt: skip
    view = made.view()
    assert parts_of(view) == {"A": (0, 0, 20_000, 20_000)}
    items = open_items(view, flat_curves(view))["EUR"]
    assert items.draw_key == [f"P\x1f{AS_OF + timedelta(days=60)}"]  # the instalment of today has arrived
    assert items.amount_minor.tolist() == [20_000]


def test_each_instalment_is_an_item_that_is_kept_with_its_probability() -> None:
    made = Book().customer("C1").invoice("A", "C1", days_late=20, minor=50_000)
    made.add(
        "plans",
        plan_id="P",
        customer_id="C1",
        agreed_on=AS_OF - timedelta(days=1),
        currency="EUR",
        instalments=[f"{AS_OF + timedelta(days=14)}:30000", f"{AS_OF + timedelta(days=44)}:20000"],
    )
    view = made.view()
    items = open_items(view, flat_curves(view))["EUR"]
    assert items.amount_minor.tolist() == [30_000, 20_000]
    assert items.invoice_id == ["A", "A"]
    by_day = items.cdf[0]
    assert by_day[13] == 0  # nothing before its date
    assert by_day[14 + 7] == pytest.approx(0.65)  # Beta(6.5, 3.5): kept with .65, and all of that has come in a week
    assert by_day[14 + 8 + 30] == pytest.approx(0.65 + 0.35 * 0.9 * 31 / DAYS)  # else by the invoice's curve, later


def test_past_instalments_teach_how_often_they_are_kept() -> None:
    made = Book().customer("C1").customer("C2").invoice("A", "C1", days_late=100, minor=30_000, paid_late=40)
    made.invoice("B", "C2", days_late=100, minor=90_000)
    agreed = AS_OF - timedelta(days=70)
    made.add(
        "plans",
        plan_id="P1",
        customer_id="C1",
        agreed_on=agreed,
        currency="EUR",
        invoice_ids=["A"],
        instalments=[f"{AS_OF - timedelta(days=60)}:30000"],
    )
    made.add("plans", plan_id="P2", customer_id="C2", agreed_on=agreed, currency="EUR", invoice_ids=["B"],
             instalments=[f"{AS_OF - timedelta(days=60)}:30000", f"{AS_OF - timedelta(days=30)}:30000",
                          f"{AS_OF - timedelta(days=2)}:30000"])  # fmt: skip
    kept = instalments_kept(made.view())
    assert kept.book == pytest.approx((1 + 6.5) / (3 + 10))  # one kept, two broken, the last one is still waited for
    assert kept.of("C1") == pytest.approx((1 + 10 * kept.book) / 11)
    assert kept.of("C2") == pytest.approx(10 * kept.book / 12)
    assert kept.of("somebody else") == kept.book


def test_a_disputed_part_comes_later_and_with_its_payable_share() -> None:
    made = book()
    made.add("disputes", dispute_id="D", invoice_id="A", opened_on=AS_OF - timedelta(days=4), disputed_minor=40_000)
    view = made.view()
    items = open_items(view, flat_curves(view))["EUR"]
    place = items.draw_key.index("A\x1fdisputed")
    assert items.amount_minor[place] == 20_000  # no past dispute: one half
    plain = items.draw_key.index("A")
    assert items.amount_minor[plain] == 60_000
    assert (items.cdf[place] <= items.cdf[plain] + 1e-12).all()
    assert items.cdf[place, 30] < 0.5 * items.cdf[plain, 30]


def test_a_wholly_disputed_invoice_waits_once_and_not_twice() -> None:
    """Its curve from ``predict`` waits for the end of the dispute already."""
    made = book()
    made.add("disputes", dispute_id="D", invoice_id="A", opened_on=AS_OF - timedelta(days=4))
    view = made.view()
    curves = flat_curves(view)
    items = open_items(view, curves)["EUR"]
    place = items.draw_key.index("A\x1fdisputed")
    assert items.amount_minor[place] == 50_000
    assert np.array_equal(items.cdf[place], curves.get_column("cdf").to_numpy()[:DAYS])
    assert "A" not in items.draw_key


def test_the_payable_share_follows_past_disputes_unless_it_is_given() -> None:
    made = book()
    for number, (outcome, valid) in enumerate([("valid", None), ("invalid", None), ("partly_valid", 2_500)]):
        made.invoice(f"H{number}", "C2", days_late=90, minor=10_000, paid_late=10)
        opened, closed = AS_OF - timedelta(days=80), AS_OF - timedelta(days=60)
        made.add("disputes", dispute_id=f"H{number}", invoice_id=f"H{number}", opened_on=opened, closed_on=closed,
                 disputed_minor=10_000, outcome=outcome, valid_minor=valid)  # fmt: skip
    made.add("disputes", dispute_id="D", invoice_id="A", opened_on=AS_OF - timedelta(days=4), disputed_minor=40_000)
    view = made.view()
    share = (0 + 1 + 0.75 + 2.5) / 8
    assert payable_shares(view).rows() == [("A", pytest.approx(share))]
    items = open_items(view, flat_curves(view))["EUR"]
    assert items.amount_minor[items.draw_key.index("A\x1fdisputed")] == round(40_000 * share)
    given = pl.DataFrame({"invoice_id": ["A"], "payable_share": [0.1]})
    items = open_items(view, flat_curves(view), payable=given)["EUR"]
    assert items.amount_minor[items.draw_key.index("A\x1fdisputed")] == 4_000


def test_a_promise_moves_cash_to_its_day_once() -> None:
    """``predict`` mixes a live promise into the curve; the forecast takes the amount of the invoice as it is."""
    made = Book().customer("C1").history("C1", [25] * 12).invoice("A", "C1", days_late=1, minor=100_000)
    before = made.view()
    without = open_items(before, predict(None, before).curves)["EUR"]
    promised_on = AS_OF + timedelta(days=2)
    made.add("promises", promise_id="R", customer_id="C1", promised_on=AS_OF - timedelta(days=1), due_on=promised_on,
             amount_minor=100_000, currency="EUR", invoice_ids=["A"])  # fmt: skip
    view = made.view()
    curves = predict(None, view).curves
    items = open_items(view, curves)["EUR"]
    assert items.amount_minor.tolist() == without.amount_minor.tolist() == [100_000]
    assert np.array_equal(items.cdf[0], curves.get_column("cdf").to_numpy())
    kept = 0.65  # all of it has come by Monday, day 7
    assert items.cdf[0, 7] == pytest.approx(kept + (1 - kept) * without.cdf[0, 7])
    assert open_mean(items, 8).sum() == pytest.approx(65_000 + 0.35 * open_mean(without, 8).sum(), abs=2)


def test_deductions_of_the_past_lower_what_is_expected() -> None:
    made = Book().customer("C1")
    for number in range(20):
        made.invoice(f"H{number}", "C1", days_late=100, minor=10_000)
        for kind, minor in (("payment", 9_000), ("discount", 1_000)):
            made.add("allocations", allocation_id=f"{number}-{kind}", invoice_id=f"H{number}", source_kind=kind,
                     applied_on=AS_OF - timedelta(days=90), amount_minor=minor)  # fmt: skip
    view = made.invoice("A", "C1", days_late=0, minor=50_000).view()
    assert open_items(view, flat_curves(view))["EUR"].amount_minor.tolist() == [45_000]
    assert set(past_invoices(view)["EUR"].history.amount_minor[1:].tolist()) == {9_000}


def weekly_book(weeks: int = 30) -> Book:
    """One invoice of 1,000.00 to each of two customers every Monday."""
    made = Book().customer("C1").customer("C2")
    for week in range(1, weeks + 1):
        for customer in ("C1", "C2"):
            made.invoice(f"{customer}-{week:02}", customer, days_late=7 * week - 30, paid_late=0 if week > 5 else None)
    return made


def coming(made: Book, invoice_id: str, customer: str, days: int, minor: int) -> None:
    issued = AS_OF + timedelta(days=days)
    made.add("invoices", invoice_id=invoice_id, customer_id=customer, issued_on=issued, currency="EUR",
             due_on=issued + timedelta(days=30), amount_minor=minor, recorded_at=start_of_day(AS_OF - ONE_DAY),
             )  # fmt: skip


def test_known_coming_invoices_replace_usual_business_and_do_not_add_to_it() -> None:
    usual = issue_volume(past_invoices(weekly_book().view())["EUR"].history, 28)
    assert usual.sum() == 800_000
    made = weekly_book()
    coming(made, "N1", "C1", 0, 100_000)
    coming(made, "N2", "C1", 7, 100_000)
    view = made.view()
    history = past_invoices(view)["EUR"].history
    assert issue_volume(history, 28)[[0, 7, 14, 21]].tolist() == [100_000, 100_000, 200_000, 200_000]
    items = open_items(view, flat_curves(view))["EUR"]
    late = ~items.is_issued
    assert [items.invoice_id[k] for k in np.flatnonzero(late)] == ["N1", "N2"]


def test_more_known_than_usual_business_leaves_none_of_it() -> None:
    made = weekly_book()
    coming(made, "N1", "C1", 3, 250_000)
    history = past_invoices(made.view())["EUR"].history
    assert issue_volume(history, 14)[[0, 7]].tolist() == [0, 200_000]


def test_known_coming_invoices_count_as_new_cash() -> None:
    made = Book().customer("C1").history("C1", [0] * 12)
    coming(made, "N1", "C1", 2, 500_000)
    view = made.view()
    bands = forecast_book(view, flat_curves(view), days=91, draws=200, seed=1)["EUR"]
    assert bands.open_mean_minor.sum() == 0
    assert bands.new_mean_minor.sum() >= 250_000


def test_curves_may_come_in_any_order_but_not_with_days_missing() -> None:
    view = book().view()
    curves = flat_curves(view)
    items = open_items(view, curves.sample(fraction=1.0, shuffle=True, seed=1))["EUR"]
    assert np.array_equal(items.cdf, open_items(view, curves)["EUR"].cdf)
    with pytest.raises(ValueError, match="same days for every invoice"):
        open_items(view, curves[:-1])


def test_days_beyond_the_curves_are_refused() -> None:
    view = book().view()
    with pytest.raises(ValueError, match="curves reach 178 days; 200 were asked for"):
        forecast_book(view, flat_curves(view), days=200, draws=200, seed=0)


def test_what_never_comes_is_said() -> None:
    view = book().view()
    assert not_expected(open_items(view, flat_curves(view, share=0.75))["EUR"]) == 40_000


def test_facts_after_as_of_change_nothing() -> None:
    made = book().history("C1", [5] * 10, first_due=400)
    first = forecast_book(made.view(), flat_curves(made.view()), days=28, draws=200, seed=1)["EUR"]
    made.invoice("later", "C2", days_late=-90, minor=10**8)
    made.add(
        "plans",
        plan_id="P",
        customer_id="C1",
        agreed_on=AS_OF,
        currency="EUR",
        instalments=[f"{AS_OF + timedelta(days=1)}:160000"],
    )
    made.add("disputes", dispute_id="D", invoice_id="A", opened_on=AS_OF + timedelta(days=3))
    second = forecast_book(made.view(), flat_curves(made.view()), days=28, draws=200, seed=1)["EUR"]
    assert np.array_equal(first.draws_minor, second.draws_minor)


def curves_with_medians(days: dict[str, int | None]) -> pl.DataFrame:
    rows = [(invoice, day, float(median is not None and day >= median)) for invoice, median in sorted(days.items())
            for day in range(DAYS)]  # fmt: skip
    return pl.DataFrame(rows, schema={"invoice_id": pl.String(), "day": pl.Int64(), "cdf": pl.Float64()}, orient="row")


def test_the_expected_sentence_adds_up_to_the_open_amount() -> None:
    made = Book().customer("C1")
    for invoice, days_late, minor in (("A", -10, 10_000), ("B", -10, 20_000), ("C", 3, 30_001), ("D", 50, 40_000)):
        made.invoice(invoice, "C1", days_late=days_late, minor=minor)
    schedule = expected_schedule(made.view(), curves_with_medians({"A": 10, "B": 11, "C": 5, "D": None}))
    assert schedule.rows() == [
        ("EUR", "on_time", 10_000, 10), ("EUR", "week_late", 20_000, 20), ("EUR", "later", 30_001, 30),
        ("EUR", "not_expected", 40_000, 40),
    ]  # fmt: skip
    assert schedule_sentence(schedule, "EUR").startswith("10 % of the open EUR amount is expected on schedule, 20 % up")
    assert whole_percents([1, 1, 1]) == [34, 33, 33]
    assert whole_percents([0, 0]) == [0, 0]
    with pytest.raises(ValueError, match="every open invoice needs a curve"):
        expected_schedule(made.view(), curves_with_medians({"A": 10}))
