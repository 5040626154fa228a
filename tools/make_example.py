"""Writes the bundled examples: ``examples/export.csv`` as an ERP would give it, ``examples/ledger`` in strict form.

    python tools/make_example.py --seed 7

Both are simulated (world ``healthy``): every company, person and number is invented. The export has the quirks of a
real one: lines above the header, semicolons, decimal commas and dots for thousands, day.month.year, spellings that
differ, missing due dates, doubled rows, free credits. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from duecourse.core.ids import key_codes, uniform
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.balances import invoice_balances
from duecourse.ledger.write import write_ledger
from duecourse.science.simulate import World, load_world, simulate

ROOT = Path(__file__).parents[1]
ENDS_ON = date(2026, 11, 17)
EXPORT_CUSTOMERS, EXPORT_MONTHS = 250, 24
LEDGER_CUSTOMERS, LEDGER_MONTHS = 60, 12
HEADER = (
    "Document No.", "Type", "Customer No.", "Customer", "Country", "Document Date", "Payment Terms", "Due Date",
    "Currency", "Amount", "Open Amount", "Clearing Date", "Purchase Order",
)  # fmt: skip


def main() -> None:
    """Write both examples below ``--out`` (default: ``examples`` in the repository)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=ROOT / "examples")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    make_export(arguments.out / "export.csv", seed=arguments.seed)
    make_ledger(arguments.out / "ledger", seed=arguments.seed)
    print(f"wrote {arguments.out / 'export.csv'} and {arguments.out / 'ledger'}")


def example_world() -> World:
    """``healthy`` with fewer, busier customers, ending in the middle of a month, so that much is open."""
    world = load_world("healthy")
    orders = replace(world.orders, invoices_per_customer_week=0.36)
    return replace(world, ends_on=ENDS_ON, orders=orders)


def make_ledger(directory: Path, *, seed: int) -> None:
    """The strict form with contacts, disputes, promises and activities, as CSV."""
    simulated = simulate(example_world(), customers=LEDGER_CUSTOMERS, months=LEDGER_MONTHS, seed=seed)
    with tempfile.TemporaryDirectory(dir=directory.parent) as work:
        write_ledger(simulated.ledger, Path(work) / "ledger", "csv")
        shutil.rmtree(directory, ignore_errors=True)
        (Path(work) / "ledger").rename(directory)


def make_export(path: Path, *, seed: int) -> None:
    """One row per document, as an ERP lists them on the morning of ``ENDS_ON``."""
    simulated = simulate(example_world(), customers=EXPORT_CUSTOMERS, months=EXPORT_MONTHS, seed=seed)
    rows = pl.concat([_invoice_rows(simulated.ledger), _free_credit_rows(simulated.ledger, seed)])
    rows = _with_dirt(rows.sort("issued_on", "document", maintain_order=True), seed)
    lines = [
        f"Customer ledger entries;;exported {ENDS_ON:%d.%m.%Y} 06:00",
        "Simulated data of an invented company (duecourse tools/make_example.py)",
        "",
        ";".join(HEADER),
        *(";".join(row) for row in rows.select(_cells()).iter_rows()),
    ]
    path.write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode("utf-8"))


def _invoice_rows(ledger: Ledger) -> pl.DataFrame:
    """Net of credit notes; what the books wrote off stands as open, as it does in many ledgers until the year ends."""
    view = ledger.as_of(ENDS_ON)
    credited = (
        view.table("allocations")
        .filter(pl.col("source_kind") == "credit")
        .group_by("invoice_id")
        .agg(pl.col("amount_minor").sum().alias("credited_minor"))
    )
    lost = pl.col("closed_as") == "written_off"
    return (
        invoice_balances(view)
        .join(view.table("customers").select("customer_id", "name", "country"), on="customer_id", how="left")
        .join(credited, on="invoice_id", how="left")
        .select(
            pl.col("invoice_id").alias("document"),
            pl.lit("Invoice").alias("type"),
            "customer_id",
            "name",
            "country",
            "issued_on",
            "terms_days",
            "due_on",
            pl.when(pl.col("currency") == "GBP").then(pl.lit("GBP")).otherwise(pl.lit("EUR")).alias("currency"),
            (pl.col("amount_minor") - pl.col("credited_minor").fill_null(0)).alias("amount_minor"),
            pl.when(lost)
            .then(pl.col("amount_minor") - pl.col("credited_minor").fill_null(0))
            .otherwise("open_minor")
            .alias("open_minor"),
            pl.when(~lost).then("cleared_on").alias("cleared_on"),
            "po_number",
        )
    )


def _free_credit_rows(ledger: Ledger, seed: int) -> pl.DataFrame:
    """A few bonus credits that nobody has allocated yet."""
    customers = ledger.table("customers")
    codes = key_codes(customers["customer_id"].to_list())
    chosen = pl.Series(values=uniform(seed, "free credit", codes) < 0.05)
    share = uniform(seed, "free credit amount", codes)
    days_ago = (120 * uniform(seed, "free credit day", codes)).astype("int64") + 3
    issued = pl.lit(ENDS_ON) - pl.duration(days=pl.Series(values=days_ago))
    amount = -pl.Series(values=(5_000 + 95_000 * share).round().astype("int64"))
    return customers.select(
        (pl.lit("CR-") + pl.col("customer_id").str.slice(1)).alias("document"),
        pl.lit("Credit note").alias("type"),
        "customer_id",
        "name",
        "country",
        issued.cast(pl.Date).alias("issued_on"),
        pl.lit(0, dtype=pl.Int64).alias("terms_days"),
        issued.cast(pl.Date).alias("due_on"),
        pl.when(pl.col("currency") == "GBP").then(pl.lit("GBP")).otherwise(pl.lit("EUR")).alias("currency"),
        amount.alias("amount_minor"),
        amount.alias("open_minor"),
        pl.lit(None, dtype=pl.Date).alias("cleared_on"),
        pl.lit(None, dtype=pl.String).alias("po_number"),
    ).filter(chosen)


def _with_dirt(rows: pl.DataFrame, seed: int) -> pl.DataFrame:
    """1 % without due date, 2 % with the name in another spelling, .5 % doubled."""
    codes = key_codes(rows["document"].to_list())
    no_due = pl.Series(values=uniform(seed, "no due date", codes) < 0.01) & (rows["type"] == "Invoice")
    spelling = pl.Series(values=uniform(seed, "spelling", codes))
    doubled = pl.Series(values=uniform(seed, "doubled", codes) < 0.005)
    dirty = rows.with_columns(
        pl.when(no_due).then(None).otherwise("due_on").alias("due_on"),
        pl.when(spelling < 0.01)
        .then(pl.col("name").str.to_uppercase())
        .when(spelling < 0.02)
        .then(pl.col("name").str.replace(r" (GmbH|AG|KG|Ltd|plc|SARL|SAS|SA|Inc\.|LLC)$", ""))
        .otherwise("name")
        .alias("name"),
        pl.int_range(pl.len()).alias("at"),
    )
    return pl.concat([dirty, dirty.filter(doubled)]).sort("at", maintain_order=True).drop("at")


def _cells() -> list[pl.Expr]:
    def day(name: str) -> pl.Expr:
        return pl.col(name).dt.strftime("%d.%m.%Y").fill_null("").alias(name)

    def money(name: str) -> pl.Expr:
        return pl.col(name).map_elements(german_amount, return_dtype=pl.String).alias(name)

    return [
        pl.col("document"), pl.col("type"), pl.col("customer_id"), pl.col("name"), pl.col("country"), day("issued_on"),
        pl.col("terms_days").cast(pl.String), day("due_on"), pl.col("currency"), money("amount_minor"),
        money("open_minor"), day("cleared_on"), pl.col("po_number").fill_null(""),
    ]  # fmt: skip


def german_amount(minor: int) -> str:
    """Minor units as ``1.234,56``."""
    whole, cents = divmod(abs(minor), 100)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole:,}".replace(",", ".") + f",{cents:02d}"


if __name__ == "__main__":
    main()
