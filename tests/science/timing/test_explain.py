from __future__ import annotations

import dataclasses
from datetime import date

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger, View
from duecourse.science.timing import explain as explaining
from duecourse.science.timing.card import model_card
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.explain import explain, explain_rows, group_orders
from duecourse.science.timing.facts import facts_from_view
from duecourse.science.timing.feature_groups import GROUPS, SHARED_WITH_NORM
from duecourse.science.timing.features import FEATURE_NAMES
from duecourse.science.timing.features_day import own_delay_pattern
from duecourse.science.timing.landmarks import Landmarks, open_landmarks
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.norm import CUSTOMER_SIDE, norms
from duecourse.science.timing.predict import predict
from duecourse.science.timing.rows import scoring_rows
from support.books import dispute, frames, promise
from support.timing_books import day_of, habit_frames

QUICK = TimingConfig(bags=2, rounds=25)
OPTIONS = {"customers": 25, "invoices": 1100, "days": 280}
AS_OF = day_of(240)


@pytest.fixture(scope="module")
def plain() -> dict[str, pl.DataFrame]:
    return habit_frames(**OPTIONS)


@pytest.fixture(scope="module")
def view(plain: dict[str, pl.DataFrame]) -> View:
    return Ledger.from_frames(plain).as_of(AS_OF)


@pytest.fixture(scope="module")
def model(view: View) -> TimingModel:
    return fit(view, config=QUICK, threads=1)


def _explained(model: TimingModel, view: View, *, seed: int = 0, rows: np.ndarray | None = None) -> pl.DataFrame:
    facts = facts_from_view(view)
    asked = open_landmarks(facts)
    chosen = np.arange(len(asked)) if rows is None else rows
    return explain_rows(model, facts, asked, chosen, seed=seed, view=view)


def _per_invoice(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by("invoice_id", maintain_order=True).agg(
        pl.col("reason_days").sum(), pl.col("expected_days").first(), pl.col("norm_days").first()
    )


def _eventful(plain: dict[str, pl.DataFrame], model: TimingModel) -> tuple[View, TimingModel, list[str]]:
    """The same books with disputes, promises and invoices recorded ahead of their issue, and a recalibrated model."""
    open_ones = (
        Ledger.from_frames(plain).as_of(AS_OF).table("invoices").join(
            plain["allocations"].filter(pl.col("recorded_at").dt.date() < AS_OF), on="invoice_id", how="anti"
        ).sort("invoice_id")
    )  # fmt: skip
    ids = open_ones.get_column("invoice_id").to_list()
    owner = dict(open_ones.select("invoice_id", "customer_id").iter_rows())
    told, soon = _text(day_of(236)), _text(day_of(250))
    extra = frames(
        dispute(ids[0], told),
        dispute(ids[1], told, 500),
        promise("PR1", 100_000_000, told, soon, invoice_ids=[ids[2]], customer_id=owner[ids[2]]),
        promise("PR2", 100_000_000, _text(day_of(215)), _text(day_of(220)), invoice_ids=[ids[3]],
                customer_id=owner[ids[3]]),
    )  # fmt: skip
    early = plain["invoices"].with_columns(pl.col("recorded_at") - pl.duration(days=15))
    grid = np.linspace(0, 1, 101)
    calibration = {"maps": {"all": (grid**1.2).tolist()}, "cases": {"all": 900}}
    changed = dataclasses.replace(model, calibration=calibration)
    return Ledger.from_frames({**plain, "invoices": early, **extra}).as_of(AS_OF), changed, ids[:4]


def _text(day: date) -> str:
    return day.isoformat()


def test_every_feature_belongs_to_exactly_one_group() -> None:
    named = [name for columns in (*GROUPS.values(), *SHARED_WITH_NORM.values()) for name in columns]
    assert sorted(named) == sorted(FEATURE_NAMES)


def test_the_card_adds_up_the_gain_by_group(model: TimingModel) -> None:
    line = next(line for line in model_card(model).splitlines() if line.startswith("- By group: "))
    shares = {
        part.rsplit(" ", 1)[0]: float(part.rsplit(" ", 1)[1].strip("%."))
        for part in line.removeprefix("- By group: ").split("; ")
    }
    assert set(shares) == {*GROUPS, *SHARED_WITH_NORM} - {"events"}
    assert sum(shares.values()) == pytest.approx(100, abs=0.5)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)


def test_two_random_orders_and_their_reverses() -> None:
    orders = group_orders(3)
    assert [order.tolist() for order in orders] == [order.tolist() for order in group_orders(3)]
    assert len(orders) == 4
    assert all(sorted(order) == list(range(len(GROUPS))) for order in orders)
    assert orders[1].tolist() == orders[0].tolist()[::-1]
    assert orders[3].tolist() == orders[2].tolist()[::-1]
    assert len({tuple(order) for seed in range(20) for order in group_orders(seed)}) > 40


def test_reasons_add_up_to_the_difference_from_the_norm_of_what_is_shown(model: TimingModel, view: View) -> None:
    found = _per_invoice(_explained(model, view))
    shown = predict(model, view).scores
    assert found.get_column("invoice_id").to_list() == shown.get_column("invoice_id").to_list()
    np.testing.assert_allclose(found["expected_days"], shown["expected_days"], atol=1e-9)
    np.testing.assert_allclose(found["reason_days"], found["expected_days"] - found["norm_days"], atol=1e-9)
    assert found["reason_days"].abs().max() > 3  # type: ignore[operator]


def test_they_add_up_with_disputes_promises_later_issues_and_a_recalibration(
    plain: dict[str, pl.DataFrame], model: TimingModel
) -> None:
    view, changed, ids = _eventful(plain, model)
    frame = _explained(changed, view)
    found, shown = _per_invoice(frame), predict(changed, view).scores
    assert found.height > _per_invoice(_explained(model, Ledger.from_frames(plain).as_of(AS_OF))).height
    np.testing.assert_allclose(found["expected_days"], shown["expected_days"], atol=1e-9)
    np.testing.assert_allclose(found["reason_days"], found["expected_days"] - found["norm_days"], atol=1e-9)
    events = {
        one: (days, text)
        for one, days, text in frame.filter(pl.col("group") == "events")
        .select("invoice_id", "reason_days", "text")
        .iter_rows()
    }
    assert events[ids[0]][0] > 5
    assert events[ids[0]][1] == "the whole amount is disputed"
    assert events[ids[1]][0] > 0
    assert events[ids[1]][1] == "a part of the amount is disputed"
    assert events[ids[2]][1] == "a payment is promised"
    assert events[ids[3]][0] > 0
    assert events[ids[3]][1] == "a promise was not kept"
    calm = [days for one, (days, _) in events.items() if one not in ids]
    assert len(calm) > 20
    assert set(calm) == {0.0}


def test_reasons_depend_neither_on_row_order_nor_on_what_else_is_asked(
    plain: dict[str, pl.DataFrame], model: TimingModel, view: View
) -> None:
    whole = _explained(model, view)
    shuffled = {name: frame.sample(fraction=1.0, shuffle=True, seed=8) for name, frame in plain.items()}
    assert _explained(model, Ledger.from_frames(shuffled).as_of(AS_OF)).equals(whole)
    few = _explained(model, view, rows=np.array([9, 2, 5]))
    assert few.equals(whole.filter(pl.col("invoice_id").is_in(few.get_column("invoice_id").unique().to_list())))
    assert few.height == 3 * len(GROUPS)
    facts = facts_from_view(view)
    book = open_landmarks(facts)
    backwards = np.arange(len(book))[::-1]
    assert explain_rows(model, facts, book.take(backwards), backwards.copy(), view=view).equals(whole)


def test_small_blocks_score_the_same(model: TimingModel, view: View, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _explained(model, view)
    monkeypatch.setattr(explaining, "_BLOCK", 37)
    assert _explained(model, view).equals(whole)


def test_another_seed_changes_the_split_but_not_the_sum(model: TimingModel, view: View) -> None:
    one, other = _explained(model, view, seed=1), _explained(model, view, seed=2)
    assert not one.equals(other)
    np.testing.assert_allclose(_per_invoice(one)["reason_days"], _per_invoice(other)["reason_days"], atol=1e-9)


def test_the_habit_is_what_tells_late_payers_from_early_ones(model: TimingModel, view: View) -> None:
    """Customer k of the made-up books pays about k % 15 days late; asked of invoices that are not due yet."""
    frame = _explained(model, view).filter(pl.col("group") == "habit")
    not_due = view.table("invoices").filter(pl.col("due_on") > AS_OF)
    who = not_due.select("invoice_id", (pl.col("customer_id").str.slice(1).cast(pl.Int64) % 15))
    days = frame.join(who, on="invoice_id")
    late = days.filter(pl.col("customer_id") >= 12).get_column("reason_days")
    early = days.filter(pl.col("customer_id") <= 2).get_column("reason_days")
    assert len(late) > 2
    assert len(early) > 2
    assert late.mean() > 2  # type: ignore[operator]
    assert early.mean() < -1  # type: ignore[operator]


def test_the_norm_is_the_same_invoice_on_the_same_days(model: TimingModel, view: View) -> None:
    facts = facts_from_view(view)
    asked = open_landmarks(facts)
    features = model.features(facts)
    norm = norms(features, asked, asked)
    assert norm is not None
    columns = features.landmark_columns(asked)
    names = [name for group in SHARED_WITH_NORM.values() for name in group]
    rows = scoring_rows(asked, model.config, model.paying)
    states = explaining._States.of(model, features, norm, asked, None)
    for name in names:
        place = FEATURE_NAMES.index(name)
        np.testing.assert_array_equal(states.actual[:, place], states.norm[:, place], err_msg=name)
    for name in CUSTOMER_SIDE:
        place = FEATURE_NAMES.index(name)
        assert (states.actual[:, place] != states.norm[:, place]).any(), name
    worst = FEATURE_NAMES.index("worst_overdue_days")
    late = asked.day - facts.due[asked.invoice]
    own = (late > 0) & (columns[:, worst] >= late)
    assert own.any()
    assert (norm.columns[own, worst] >= late[own]).all()
    weekly = rows.width == 7
    assert np.isnan(states.norm[weekly, FEATURE_NAMES.index("own_weekday_share")]).all()


def test_the_norm_of_a_book_of_one_customer_is_that_customer(model: TimingModel) -> None:
    """Its delays are at most 50, so the made-up ones differ from its own by rounding only; its pay-days not at all."""
    facts = facts_from_view(Ledger.from_frames(habit_frames(customers=1, invoices=60, days=200)).as_of(day_of(170)))
    asked = open_landmarks(facts)
    features = dataclasses.replace(model, groups=facts.groups).features(facts)
    norm = norms(features, asked, asked)
    assert norm is not None
    assert len(asked) > 2
    rows = scoring_rows(asked, model.config, model.paying)
    late = asked.day[rows.owner] + rows.offset - facts.due[asked.invoice[rows.owner]]
    cdf, hazard = norm.delay_pattern(rows.owner, late)
    own_cdf, own_hazard = own_delay_pattern(facts, asked, rows.owner, late)
    np.testing.assert_allclose(cdf, own_cdf, atol=0.1)
    assert np.abs(hazard - own_hazard).mean() < 0.02
    week = features.pay_days.weekday_share(asked, np.zeros(7, dtype=np.int64), np.arange(7))
    np.testing.assert_allclose(norm.weekday_share[norm.cohort[0]], week)
    assert norm.weekday_share.sum(axis=1) == pytest.approx(1.0)


def test_no_norm_where_no_open_customer_has_ever_paid(model: TimingModel, plain: dict[str, pl.DataFrame]) -> None:
    first_days = Ledger.from_frames({**plain, "payments": plain["payments"].clear(),
                                     "allocations": plain["allocations"].clear()}).as_of(day_of(10))  # fmt: skip
    found = _explained(model, first_days)
    assert found.is_empty()
    assert found.columns == list(explaining.SCHEMA)


def test_nothing_asked_nothing_told(model: TimingModel, view: View) -> None:
    assert _explained(model, view, rows=np.array([], dtype=np.int64)).is_empty()


def test_all_groups_as_they_are_give_the_curve_of_the_model(model: TimingModel, view: View) -> None:
    facts = facts_from_view(view)
    asked = open_landmarks(facts).take(np.arange(4))
    features = model.features(facts)
    norm = norms(features, open_landmarks(facts), asked)
    assert norm is not None
    states = explaining._States.of(model, features, norm, asked, None)
    everything = np.full(4, (1 << len(GROUPS)) - 1)
    rows = np.arange(4)
    days = states.expected_days(rows, everything)
    cdf = model.cdf(facts, Landmarks(asked.invoice, asked.day))
    np.testing.assert_allclose(days, (1 - cdf).sum(axis=1), atol=1e-9)
    assert not np.allclose(states.expected_days(rows, np.zeros(4, dtype=np.int64)), days)


def test_invoices_are_explained_by_id(model: TimingModel, view: View) -> None:
    whole = _explained(model, view)
    asked = whole.get_column("invoice_id").unique().sort().to_list()[3:5]

    found = explain(model, view, [asked[1], asked[0], asked[1]])

    assert found.get_column("invoice_id").unique(maintain_order=True).to_list() == asked
    assert found.equals(whole.filter(pl.col("invoice_id").is_in(asked)))
    assert explain(model, view, []).is_empty()


def test_an_invoice_that_is_not_open_is_named_and_nothing_explained(model: TimingModel, view: View) -> None:
    known = _explained(model, view).get_column("invoice_id")[0]

    with pytest.raises(ValueError, match=f"1 invoices are not open at {AS_OF} .*: no-such"):
        explain(model, view, [known, "no-such"])
