"""The long table of all measures: the same figures as the measures themselves, at every level and month."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from duecourse.ledger import metrics
from duecourse.ledger.audit.measure_table import PER_CUSTOMER, SCHEMA, measure_table
from duecourse.ledger.metrics import Books
from duecourse.ledger.metrics.books import trend_days
from support.books import allocation, customer, invoice, known
from support.random_books import AS_OF, random_ledger


@pytest.fixture(scope="module")
def books() -> Books:
    return Books(random_ledger(5).as_of(AS_OF))


@pytest.fixture(scope="module")
def table(books: Books) -> pl.DataFrame:
    return measure_table(books)


def test_it_holds_each_figure_once_in_a_fixed_order(table: pl.DataFrame) -> None:
    assert table.schema == SCHEMA
    keys = ["level", "key", "currency", "metric", "month"]
    assert not table.select(keys).is_duplicated().any()
    assert table.select(keys).equals(table.select(keys).sort(keys))
    assert set(table["level"]) == {"company", "entity", "segment", "customer"}
    assert sorted(set(table["month"])) == list(trend_days(AS_OF))


@pytest.mark.parametrize(("level", "by"), [("company", ()), ("entity", ("entity_id",)), ("segment", ("segment",))])
def test_a_figure_is_the_one_of_its_measure(books: Books, table: pl.DataFrame, level: str, by: tuple[str, ...]) -> None:
    for day in (trend_days(AS_OF)[4], AS_OF):
        rows = table.filter(level=level, metric="cei", month=day)
        truth = metrics.cei(books, at=day, by=by).sort(*by, "currency")
        assert rows["value"].to_list() == truth["cei_percent"].to_list()
        assert rows["missing"].to_list() == truth["missing"].to_list()
        assert rows["key"].to_list() == (truth[by[0]].to_list() if by else [""] * truth.height)


def test_roll_rates_stand_bucket_by_bucket(books: Books, table: pl.DataFrame) -> None:
    truth = metrics.roll_rates(books).sort("currency", "from_bucket")
    rows = table.filter(pl.col("metric").str.starts_with("roll_rate_"), level="company", month=AS_OF)
    assert rows["metric"].to_list() == [f"roll_rate_{bucket}" for bucket in truth["from_bucket"]]
    assert rows["value"].to_list() == truth["roll_rate"].to_list()


def test_amounts_are_integers_and_never_decimals(table: pl.DataFrame) -> None:
    amounts = table.filter(unit="minor")
    assert set(amounts["metric"]) == {"receivable", "past_due", "sales"}
    assert amounts["value"].null_count() == amounts.height
    others = table.filter(pl.col("unit") != "minor")
    assert others["amount_minor"].null_count() == others.height


def test_customers_have_their_own_figures_and_no_empty_rows(books: Books, table: pl.DataFrame) -> None:
    own = table.filter(level="customer")
    assert set(own["metric"]) == set(PER_CUSTOMER)
    assert own.filter(pl.col("value").is_null() & pl.col("amount_minor").is_null()).height == 0
    owed = own.filter(metric="receivable", month=AS_OF).group_by("currency").agg(pl.col("amount_minor").sum())
    whole = table.filter(level="company", metric="receivable", month=AS_OF).filter(pl.col("amount_minor") > 0)
    assert dict(owed.rows()) == dict(whole.select("currency", "amount_minor").rows())
    dso = metrics.dso_countback(books, by=("customer_id",), min_invoices=3).filter(pl.col("dso_days").is_not_null())
    assert own.filter(metric="dso_countback", month=AS_OF).height == dso.height > 0


def test_a_level_that_the_books_do_not_know_is_left_out_and_no_figure_says_why() -> None:
    view = known("2026-03-01", customer(), invoice("I1"), allocation("I1", 10_000, "2026-02-10"))
    found = measure_table(view)
    assert set(found["level"]) == {"company", "customer"}
    row = found.filter(level="company", metric="touchless_share", month=date(2026, 3, 1)).row(0, named=True)
    assert (row["value"], row["missing"]) == (None, "needs the table activities (who was contacted, when, how)")


def test_an_empty_ledger_gives_an_empty_table() -> None:
    assert measure_table(known("2026-03-01")).filter(pl.col("currency") != "").is_empty()
