"""``duecourse check`` says whether the data are good enough, for what, and where the receivables stand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click
import polars as pl

from duecourse.cli.common import (
    as_of_option,
    force_option,
    format_option,
    json_option,
    ledger_argument,
    note,
    print_summary,
    refuse_existing,
    resolve_as_of,
    result_directory,
    step,
    write_frames,
)
from duecourse.cli.inputs import read_inputs, reading_of, reading_options
from duecourse.core.errors import UsageError
from duecourse.core.money import Money, to_minor
from duecourse.ledger.as_of import Ledger
from duecourse.ledger.audit import Audit, audit
from duecourse.ledger.audit.measure_table import measure_table
from duecourse.ledger.audit.model import CurrencyBook, Figure

HEADLINES = (
    "receivable", "past_due_share", "dso_countback", "dso_simple", "best_possible_dso", "average_days_delinquent",
    "cei", "days_to_pay", "days_to_pay_km_median", "days_beyond_terms",
)  # fmt: skip
FAULTS_SHOWN = 10


@click.command("check")
@ledger_argument
@as_of_option
@click.option(
    "--out", type=click.Path(path_type=Path), help="Directory for audit.html, audit.json and metrics; created."
)
@click.option("--hourly-cost", metavar="AMOUNT", help="Cost of an hour of collection work, in the book's currency.")
@reading_options
@format_option
@force_option
@json_option
def check(ledger: Path, *, as_of: date | None, out: Path | None, hourly_cost: str | None, file_format: str,
          force: bool, as_json: bool, **given: Any) -> None:  # noqa: ANN401 - options that settle a doubt # fmt: skip
    """Audit the data and measure the baseline: DSO, CEI, ageing, days to pay, who drives lateness.

    Bad rows are left out, counted and shown with their cure; the ledger itself is not changed. --as-of defaults to
    the day after the last recorded fact.
    """
    if out is not None:
        refuse_existing(out, force=force)
    with step("read", quiet=as_json):
        source = read_inputs((ledger,), {**given, "skip_bad_rows": True}, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    with step("audit", quiet=as_json):
        hourly_minor = _hourly_minor(hourly_cost, source.ledger)
        found = audit(source.ledger, day, reading=reading_of(source), hourly_cost_minor=hourly_minor)
    files = []
    if out is not None:
        with step("write", quiet=as_json):
            measures = measure_table(source.ledger.as_of(day), hourly_cost_minor=hourly_minor)
            files = _write(found, measures, out, file_format=file_format, force=force)
    else:
        note("nothing was written; pass --out DIR for audit.html, audit.json and metrics", quiet=as_json)
    print_summary(_summary(found, files), as_json=as_json, text=_text(found, files))


def _hourly_minor(text: str | None, ledger: Ledger) -> int | None:
    """Minor units of ``--hourly-cost``; needs a book with one currency."""
    if text is None:
        return None
    currencies = ledger.table("invoices").get_column("currency").unique().to_list()
    if len(currencies) != 1:
        raise UsageError("--hourly-cost needs a ledger with one currency: an hour of work belongs to none of several")
    try:
        cost = to_minor(Decimal(text), currencies[0])
    except (InvalidOperation, ValueError):
        raise UsageError(f"--hourly-cost {text!r}: expected an amount in {currencies[0]}, for example 40.00") from None
    if cost <= 0:
        raise UsageError(f"--hourly-cost {text!r}: expected an amount above zero")
    return cost


def _write(found: Audit, measures: pl.DataFrame, out: Path, *, file_format: str, force: bool) -> list[str]:
    from duecourse.reports.audit_page import render

    content = found.to_dict()
    with result_directory(out, force=force) as directory:
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        (directory / "audit.json").write_text(text + "\n", encoding="utf-8")
        (directory / "audit.html").write_text(render(content), encoding="utf-8")
        write_frames(directory, {"metrics": measures}, file_format)
    return [str(out / name) for name in ("audit.html", "audit.json", f"metrics.{file_format}")]


def _summary(found: Audit, files: list[str]) -> dict[str, Any]:
    rounded = found.to_dict()["books"]
    return {
        "as_of": found.as_of,
        "snapshot_id": found.snapshot_id,
        "verdict": found.verdict,
        "rows_read": found.rows_read,
        "rows_accepted": found.rows_accepted,
        "rows_refused": found.rows_refused,
        "rung": found.history.rung,
        "faults": {fault.code: fault.rows for fault in found.faults},
        "books": {book["currency"]: {figure["key"]: figure["value"] for figure in book["figures"]} for book in rounded},
        "files": files,
    }


def _text(found: Audit, files: list[str]) -> str:
    lines = [f"As of {found.as_of}: {found.verdict}", ""]
    lines.append(f"{found.rows_read:,} rows read, {found.rows_accepted:,} accepted, {found.rows_refused:,} refused")
    lines += [
        f"  {fault.severity:<8} {fault.rows:>9,}  {fault.table}: {fault.what}" for fault in found.faults[:FAULTS_SHOWN]
    ]
    if len(found.faults) > FAULTS_SHOWN:
        lines.append(f"  ... and {len(found.faults) - FAULTS_SHOWN} more kinds")
    past = found.history
    lines += [
        "",
        f"History: {_count(past.invoices, 'invoice')}, {_count(past.customers, 'customer')}, {past.cleared:,} paid "
        f"over {past.months_of_clearings:.1f} months; rung {past.rung}",
    ]
    lines += [f"  until {rung.name}: {rung.gap_costs}" for rung in past.ladder if not rung.reached]
    for book in found.books:
        lines += ["", *_book_lines(book)]
    if files:
        lines += ["", *files]
    return "\n".join(lines)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _book_lines(book: CurrencyBook) -> list[str]:
    shown = {figure.key: figure for figure in book.figures}
    width = max(len(shown[key].label) for key in HEADLINES)
    lines = [book.currency]
    lines += [f"  {shown[key].label:<{width}}  {_value(shown[key], book.currency)}" for key in HEADLINES]
    for late in book.late:
        if late.count_share is not None and late.amount_share is not None:
            lines.append(
                f"  {late.label:<{width}}  {late.count_share:.1%} of invoices, {late.amount_share:.1%} of their amount"
            )
    if book.drivers.invoices_for_80 is not None:
        drivers = book.drivers
        lines.append(
            f"  {'80 % of the late cash':<{width}}  {drivers.invoices_for_80:,} of {drivers.late_invoices:,} late "
            f"invoices, {drivers.customers_for_80:,} of {drivers.late_customers:,} late customers"
        )
    return lines


def _value(figure: Figure, currency: str) -> str:
    if figure.value is None:
        return f"n/a because {figure.missing}"
    if figure.unit == "minor":
        try:
            return Money(int(figure.value), currency).format()
        except ValueError:  # a currency that ISO 4217 does not list: the audit reports it as a fault
            return f"{int(figure.value):,} minor units"
    return {
        "days": f"{figure.value:,.1f} days",
        "share": f"{figure.value:.1%}",
        "percent": f"{figure.value:.1f}",
    }.get(figure.unit, f"{figure.value:,.3g}")
