"""Lines, references and accounts of a told ledger: to the minor unit, with valid check digits, slips as drawn."""

import polars as pl
import pytest

from duecourse.science.simulate.living import ledger_of
from duecourse.science.simulate.living.background import background_of
from duecourse.science.simulate.telling.accounts import account_of, iban, is_valid_iban, routing_number
from duecourse.science.simulate.telling.keyed import Luck
from duecourse.science.simulate.telling.lines import price_list
from support.told_companies import small_house, told_company, told_house


@pytest.mark.parametrize("told", [told_house, told_company])
def test_lines_sum_to_the_invoice_and_quantity_times_price_to_the_line(told: object) -> None:
    ledger = told().ledger  # type: ignore[operator]
    lines = ledger.table("invoice_lines")
    assert lines.filter(pl.col("quantity") * pl.col("unit_price_minor") != pl.col("amount_minor")).height == 0
    assert lines.filter((pl.col("amount_minor") <= 0) | (pl.col("tax_minor") < 0)).height == 0
    sums = lines.group_by("invoice_id").agg(
        (pl.col("amount_minor") + pl.col("tax_minor")).sum().alias("gross"), pl.len().alias("count"),
        pl.col("line_no").sort().alias("numbers"),
    )  # fmt: skip
    both = ledger.table("invoices").unique("invoice_id").join(sums, on="invoice_id", how="full")
    assert both.filter(pl.col("gross") != pl.col("amount_minor")).height == 0
    assert both.filter(pl.col("count") != pl.col("line_count")).height == 0
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in both["numbers"].to_list())


def test_an_article_has_one_price_in_a_year_and_a_currency_but_for_the_discount() -> None:
    ledger = told_house().ledger
    about = ledger.table("invoices").unique("invoice_id").select(
        "invoice_id", "currency", pl.col("issued_on").dt.year().alias("year")
    )  # fmt: skip
    lines = ledger.table("invoice_lines").filter(~pl.col("sku").str.ends_with("-900"))
    plain = lines.filter(~pl.col("description").str.contains(" %)", literal=True)).join(about, on="invoice_id")
    prices = plain.group_by("sku", "currency", "year").agg(pl.col("unit_price_minor").n_unique())
    assert prices.height > 50
    assert prices["unit_price_minor"].max() == 1


def test_tax_is_the_home_rate_and_none_across_borders() -> None:
    ledger = told_house().ledger
    rates = (
        ledger.table("invoice_lines").join(ledger.table("invoices").unique("invoice_id"), on="invoice_id")
        .join(ledger.table("customers").select("customer_id", "country"), on="customer_id")
        .group_by("country").agg(pl.col("tax_minor").sum() / pl.col("amount_minor").sum())
    )  # fmt: skip
    shown = dict(rates.select("country", "tax_minor").iter_rows())
    assert shown["DE"] == pytest.approx(0.19, abs=0.001)
    assert shown["GB"] == pytest.approx(0.20, abs=0.001)
    assert shown["FR"] == 0
    assert 0 <= shown["US"] < 0.07


def test_a_price_list_goes_from_cheap_to_dear_and_speaks_five_languages() -> None:
    prices = price_list("spare parts")
    assert (prices.minor[1:] >= prices.minor[:-1]).all()
    at = list(prices.sku).index("S-510-01")
    assert [prices.names[language][at] for language in ("en", "de", "fr", "nl", "es")] == [
        "Ball bearing 608", "Kugellager 608", "Roulement à billes 608", "Kogellager 608", "Rodamiento de bolas 608",
    ]  # fmt: skip


def test_check_digits_are_those_of_the_standards() -> None:
    """ISO 13616's own example, the routing number of the ABA's, and every account of the ledger."""
    assert iban("GB", "WEST12345698765432") == "GB82WEST12345698765432"
    assert routing_number("12223582") == "122235821"
    assert not is_valid_iban("GB82WEST12345698765431")
    accounts = told_house().ledger.table("payments")["payer_account"].drop_nulls().unique().to_list()
    european = [each for each in accounts if "/" not in each]
    assert len(european) > 20
    assert all(is_valid_iban(each) for each in european)
    fortune = Luck(1).own("C00001")
    assert [len(account_of(country, fortune)) for country in ("DE", "GB", "FR", "NL", "ES")] == [22, 22, 27, 18, 24]


def test_a_payment_says_what_its_truth_says() -> None:
    """Whoever names invoices in full and does not slip names every one of them, unless the list is cut."""
    told = told_house()
    both = told.truth["remittances"].join(told.ledger.table("payments").unique("payment_id"), on="payment_id")
    assert both.height == told.ledger.table("payments")["payment_id"].n_unique()
    clean = both.filter((pl.col("names") == "full") & (pl.col("slip") == "") & (pl.col("method") == "sepa")
                        & (pl.col("invoice_ids").list.len() <= 4))  # fmt: skip
    assert clean.height > 20
    for text, ids in clean.select("remittance_text", "invoice_ids").iter_rows():
        assert all(each in text for each in ids), text
    silent = both.filter(pl.col("names") == "nothing")
    assert silent.height > 5
    assert silent.filter(pl.col("remittance_text").str.contains("INV-", literal=True)).height == 0
    assert both.filter(pl.col("remittance_text").str.len_chars() > 140).height == 0


def test_what_is_held_back_is_what_was_paid_short() -> None:
    house, told = small_house(), told_house()
    items, truth = background_of(house).items, told.truth["remittances"]
    short = truth.filter(pl.col("residual_kind").is_in(["deduction_known", "short_payment"]))
    known = ledger_of(house).table("payments")["payment_id"]
    expected = items.filter(pl.col("payment_id").is_in(known.implode())).group_by("payment_id").agg(
        pl.col("short_minor").sum(), pl.col("discount_minor").sum()
    ).filter(pl.col("short_minor") > 0)  # fmt: skip
    assert short.height == expected.height > 3
    joined = short.join(expected, on="payment_id")
    assert joined.filter(pl.col("residual_minor") != pl.col("short_minor") + pl.col("discount_minor")).height == 0


def test_strays_settle_nothing() -> None:
    payments = told_company().ledger.table("payments")
    strays = payments.filter(pl.col("payment_id").str.contains(r"-[DR]$"))
    used = told_company().ledger.table("allocations")["source_id"]
    assert strays.height > 0
    assert strays.filter(pl.col("payment_id").is_in(used.implode())).height == 0
    back = strays.filter(pl.col("payment_id").str.ends_with("-R")).sort("recorded_at")
    assert set(back.group_by("payment_id").agg(pl.col("status").last())["status"]) <= {"returned", "cleared"}
