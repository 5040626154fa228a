"""The page of an evaluation: the answer first, figures only where the log suffices, hostile texts escaped."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.schema import ARMS
from duecourse.reports import evaluation_page
from duecourse.science.evaluate import evaluate, to_dict
from support.decided_books import decided_ledger


def report(ledger: Ledger, arm: str, day: date = date(2025, 9, 1)) -> dict[str, Any]:
    row = np.eye(len(ARMS))[ARMS.index(arm)]
    return to_dict(evaluate(ledger.as_of(day), "none", lambda rows: np.tile(row, (rows.height, 1))))


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return decided_ledger(payers=50, weeks=30)


def test_the_answer_comes_first_and_the_page_is_whole(ledger: Ledger) -> None:
    found = report(ledger, "call_service")
    page = evaluation_page.render(found, program_version="1")
    places = [page.index(f'id="{anchor}"') for anchor in ("answer", "outcomes", "support", "acts", "methods", "log")]
    assert places == sorted(places)
    assert page.index(found["sentence"]) < places[1]
    assert "<script" not in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert page == evaluation_page.render(found, program_version="1")
    assert "Doubly robust (the answer)" in page
    assert "this test" in page or "This test" in page


def test_a_refusal_shows_no_estimate_anywhere(ledger: Ledger) -> None:
    page = evaluation_page.render(report(ledger, "letter_formal"))
    assert "No answer: only 0%" in page
    assert "Doubly robust" not in page
    assert "No estimate is shown" in page
    assert "No stretch is shown" in page


def test_an_empty_ledger_still_gives_a_page() -> None:
    page = evaluation_page.render(report(Ledger.from_frames({}), "none"))
    assert "holds no decision log" in page
    assert "Nothing could be compared" in page
    assert "No holdout to compare with" in page


def test_hostile_names_are_escaped(ledger: Ledger) -> None:
    frames = dict(ledger.tables)
    frames["decisions"] = frames["decisions"].with_columns(pl.lit("<b onclick=x>").alias("policy"))
    page = evaluation_page.render(report(Ledger.from_frames(frames), "call_service"))
    assert "<b onclick" not in page
    assert "&lt;b onclick=x&gt;" in page


def test_faults_of_the_log_are_told_in_words(ledger: Ledger) -> None:
    frames = dict(ledger.tables)
    first = pl.int_range(pl.len()) < 7
    broken = pl.when(first).then(pl.lit("{}")).otherwise(pl.col("propensities")).alias("propensities")
    frames["decisions"] = frames["decisions"].with_columns(broken)
    found = report(Ledger.from_frames(frames), "call_service")
    assert found["log"]["faults"]["not_json"]["rows"] == 7
    assert "Left out: propensities or masked are no JSON object" in evaluation_page.render(found)
