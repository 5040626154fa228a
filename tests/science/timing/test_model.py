from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from duecourse.core.errors import BadInput, NotEnoughData
from duecourse.ledger.as_of import Ledger
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.features import FEATURE_NAMES
from duecourse.science.timing.hazard import parameters
from duecourse.science.timing.model import TimingModel, fit
from duecourse.science.timing.predict import Prediction, predict
from duecourse.science.timing.store import load_model, save_model
from support.timing_books import day_of, habit_frames, habit_ledger

QUICK = TimingConfig(bags=1, rounds=25)
OPTIONS = {"customers": 25, "invoices": 1100, "days": 280}
SCORE_COLUMNS = [
    "invoice_id", "customer_id", "as_of", "open_minor", "currency", "days_late", "segment", "p_late", "p_late_30",
    "p_late_60", "p_never", "paid_on_p10", "paid_on_p50", "paid_on_p90", "expected_days", "reasons", "rung", "model_id",
]  # fmt: skip


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return habit_ledger(**OPTIONS)


@pytest.fixture(scope="module")
def model(ledger: Ledger) -> TimingModel:
    return fit(ledger.as_of(day_of(240)), config=QUICK)


@pytest.fixture(scope="module")
def prediction(ledger: Ledger, model: TimingModel) -> Prediction:
    return predict(model, ledger.as_of(day_of(240)))


def _curves(prediction: Prediction) -> np.ndarray:
    return prediction.curves.get_column("cdf").to_numpy().reshape(-1, 178)


def test_scores_every_visible_open_invoice_with_the_columns_of_the_contract(
    ledger: Ledger, prediction: Prediction
) -> None:
    from duecourse.ledger.balances import invoice_balances

    still_open = invoice_balances(ledger.as_of(day_of(240))).filter(pl.col("open_minor") > 0)
    assert prediction.scores.columns == SCORE_COLUMNS
    assert prediction.scores.get_column("invoice_id").to_list() == still_open.get_column("invoice_id").to_list()
    assert prediction.curves.columns == ["invoice_id", "day", "cdf"]
    assert prediction.curves.height == 178 * still_open.height
    assert set(prediction.scores.get_column("rung")) == {"model"}


def test_curves_rise_stay_in_the_unit_interval_and_rest_on_weekends(prediction: Prediction) -> None:
    curves = _curves(prediction)
    steps = np.diff(curves, axis=1)
    assert (steps >= 0).all()
    assert (curves >= 0).all()
    assert (curves <= 1).all()
    weekday = (day_of(240).weekday() + np.arange(1, 178)) % 7
    assert (steps[:, weekday >= 5] == 0).all()
    assert (steps[:, weekday < 5] > 0).any(axis=1).all()


def test_scores_are_read_off_the_curves(prediction: Prediction) -> None:
    scores, curves = prediction.scores, _curves(prediction)
    for row, score in enumerate(scores.iter_rows(named=True)):
        curve, late = curves[row], score["days_late"]
        for name, share in (("paid_on_p10", 0.1), ("paid_on_p50", 0.5), ("paid_on_p90", 0.9)):
            reached = np.flatnonzero(curve >= share)
            wanted = None if not len(reached) else (score["as_of"] - day_of(0)).days + int(reached[0])
            assert score[name] == (None if wanted is None else day_of(wanted))
        for name, beyond in (("p_late", 0), ("p_late_30", 30), ("p_late_60", 59)):
            place = beyond - late
            assert score[name] == pytest.approx(1.0 if place < 0 else 1 - curve[min(place, 177)])
        assert score["p_never"] == pytest.approx(1 - curve[177])
        assert score["expected_days"] == pytest.approx((1 - curve).sum())
        assert isinstance(json.loads(score["reasons"]), list)
    overdue = scores.filter(pl.col("days_late") > 0)
    assert overdue.height > 5
    assert (overdue.get_column("p_late") == 1.0).all()


def test_same_bytes_for_other_threads_and_another_row_order(
    tmp_path: Path, model: TimingModel, prediction: Prediction
) -> None:
    frames = {name: frame.sample(fraction=1.0, shuffle=True, seed=5) for name, frame in habit_frames(**OPTIONS).items()}
    view = Ledger.from_frames(frames).as_of(day_of(240))
    again = fit(view, config=QUICK, threads=1)
    save_model(model, tmp_path / "a")
    save_model(again, tmp_path / "b")
    for name in ("trees_0.txt", "model.json", "card.md"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    other = predict(again, view)
    assert other.scores.equals(prediction.scores)
    assert other.curves.equals(prediction.curves)


def test_a_stored_model_scores_as_the_fitted_one_also_later(tmp_path: Path, ledger: Ledger, model: TimingModel) -> None:
    save_model(model, tmp_path)
    stored = load_model(tmp_path)
    later = ledger.as_of(day_of(270))
    assert stored.model_id == model.model_id
    assert predict(stored, later).scores.equals(predict(model, later).scores)
    assert predict(stored, later).scores.get_column("as_of").unique().to_list() == [day_of(270)]


def test_a_changed_or_foreign_model_is_refused(tmp_path: Path, model: TimingModel) -> None:
    with pytest.raises(BadInput, match="holds no model"):
        load_model(tmp_path)
    save_model(model, tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**content, "features": [*content["features"], "moon_phase"]}))
    with pytest.raises(BadInput, match=r"other features.*moon_phase"):
        load_model(tmp_path)
    (tmp_path / "model.json").write_text(json.dumps(content))
    trees = tmp_path / "trees_0.txt"
    trees.write_text(trees.read_text() + " ")
    with pytest.raises(BadInput, match="SHA-256 differs"):
        load_model(tmp_path)
    trees.unlink()
    with pytest.raises(BadInput, match="incomplete"):
        load_model(tmp_path)


def test_a_large_fit_learns_from_a_weighted_sample_of_the_days_without_payment(
    ledger: Ledger, model: TimingModel
) -> None:
    from dataclasses import replace

    thin = fit(ledger.as_of(day_of(240)), config=replace(QUICK, full_rows=model.fitted["rows"] // 2))
    assert thin.fitted["rows"] == model.fitted["rows"]
    assert thin.fitted["rows_learnt_from"] == pytest.approx(model.fitted["rows"] / 2, rel=0.05)
    assert thin.fitted["paid_rows"] == model.fitted["paid_rows"]
    scores, thin_scores = (predict(one, ledger.as_of(day_of(240))).scores for one in (model, thin))
    means = [one.get_column("expected_days").mean() for one in (scores, thin_scores)]
    assert means[1] == pytest.approx(means[0], rel=0.1)


def test_the_gate_decides_the_rung_of_new_and_of_open_invoices(ledger: Ledger, model: TimingModel) -> None:
    from dataclasses import replace

    verdicts = {"new": {"use_model": True, "says": "yes"}, "open": {"use_model": False, "says": "no"}}
    gated = replace(
        model, gate={"allowed": False, "says": "the customer's own history is better", "verdicts": verdicts}
    )
    frames = habit_frames(**OPTIONS)
    early = frames["invoices"].with_columns(pl.col("recorded_at") - pl.duration(days=20))
    view = Ledger.from_frames({**frames, "invoices": early}).as_of(day_of(240))
    found = predict(gated, view)
    issued = view.table("invoices").select("invoice_id", "issued_on")
    rungs = found.scores.join(issued, on="invoice_id").select("issued_on", "rung", "model_id")
    new = pl.col("issued_on") >= day_of(240)
    assert set(rungs.filter(new).get_column("rung")) == {"model"}
    assert set(rungs.filter(~new).get_column("rung")) == {"customer_history"}
    assert rungs.filter(~new).get_column("model_id").null_count() == rungs.filter(~new).height
    assert "the customer's own history is better" in found.notes


def test_an_invoice_issued_on_as_of_is_the_new_landmark_and_a_later_one_waits(model: TimingModel) -> None:
    """Known a week ahead: the curve of the issue day is the one a backtest asks for; before the issue it is flat 0."""
    from duecourse.science.timing.facts import facts_from_view
    from duecourse.science.timing.landmarks import Landmarks

    frames = habit_frames(**OPTIONS)
    early = frames["invoices"].with_columns(pl.col("recorded_at") - pl.duration(days=20))
    view = Ledger.from_frames({**frames, "invoices": early}).as_of(day_of(240))
    found = predict(model, view)
    issued = view.table("invoices").select("invoice_id", "issued_on")
    facts = facts_from_view(Ledger.from_frames(frames).as_of(day_of(275)))
    today = issued.filter(pl.col("issued_on") == day_of(240)).get_column("invoice_id").to_list()
    assert today
    place = {one: row for row, one in enumerate(found.scores.get_column("invoice_id"))}
    rows = np.array([int(np.flatnonzero(facts.invoice_id == one)[0]) for one in today])
    asked = model.cdf(facts, Landmarks(rows, facts.issue[rows]))
    np.testing.assert_allclose(_curves(found)[[place[one] for one in today]], asked, atol=1e-12)
    ahead = issued.filter(pl.col("issued_on") == day_of(247)).get_column("invoice_id").to_list()
    assert ahead
    for one in ahead:
        assert (_curves(found)[place[one]][:7] == 0).all()


def test_too_few_payments_are_refused_with_the_cure() -> None:
    with pytest.raises(NotEnoughData, match="at least 500 are needed"):
        fit(habit_ledger(invoices=300).as_of(day_of(240)), config=QUICK)


def test_the_card_tells_what_it_learnt_from_and_what_it_does_not_know(tmp_path: Path, model: TimingModel) -> None:
    save_model(model, tmp_path)
    card = (tmp_path / "card.md").read_text()
    assert model.model_id in card
    assert "1100" not in card  # only what was known on the day, not the whole file
    assert "Payments arrive on: Monday, Tuesday, Wednesday, Thursday, Friday." in card
    assert "Not judged against the simple methods" in card


def test_a_small_book_gets_few_and_small_trees() -> None:
    config = TimingConfig()
    small = config.for_book(1_999)
    assert (small.num_leaves, small.rounds, small.payment_beat) == (7, 100, False)
    seen = dict(zip(FEATURE_NAMES, parameters(small, seed=0, threads=1)["feature_contri"], strict=True))
    assert {name for name, share in seen.items() if not share} == {"days_since_payment_on_day", "payment_gap_ratio"}
    assert "feature_contri" not in parameters(config, seed=0, threads=1)
    assert config.for_book(2_000) is config
    assert TimingConfig(num_leaves=4, rounds=30).for_book(500).rounds == 30, "never larger than asked for"
