"""``duecourse backtest``: how wrong every method was on one's own past, and whether the model earns its place."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from duecourse import __version__
from duecourse.cli.common import (
    IsoDate,
    force_option,
    json_option,
    ledger_argument,
    note,
    out_option,
    print_summary,
    read_source,
    refuse_existing,
    result_directory,
    seed_option,
    threads_option,
)

if TYPE_CHECKING:
    from duecourse.science.timing.backtest_report import BacktestReport


class IsoDates(click.ParamType[tuple[date, ...]]):
    """Several ISO dates with commas between them."""

    name = "dates"

    def convert(
        self,
        value: Any,  # noqa: ANN401 - click's signature
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[date, ...]:
        """The dates in the order given; fails with what was expected."""
        if isinstance(value, tuple):
            return value
        return tuple(IsoDate().convert(one.strip(), param, ctx) for one in value.split(",") if one.strip())


@click.command("backtest")
@ledger_argument
@click.option(
    "--snapshots",
    required=True,
    type=IsoDates(),
    metavar="D1,D2,...",
    help="Days in the past from which everything is predicted as it was known then.",
)
@click.option(
    "--horizon",
    type=click.IntRange(7, 178),
    default=120,
    show_default=True,
    help="Days after which errors are capped; shortened where outcomes are not known that long.",
)
@click.option(
    "--new-days",
    type=click.IntRange(1, 366),
    default=30,
    show_default=True,
    help="The new set: invoices issued in so many days from a snapshot on.",
)
@click.option(
    "--known-until",
    type=IsoDate(),
    metavar="DATE",
    help="First day whose payments are not known [default: the day after the last payment].",
)
@out_option
@force_option
@seed_option
@threads_option
@json_option
def backtest(
    *,
    ledger: Path,
    snapshots: tuple[date, ...],
    horizon: int,
    new_days: int,
    known_until: date | None,
    out: Path,
    force: bool,
    seed: int,
    threads: int,
    as_json: bool,
) -> None:
    """Honest history: the model against all simple methods at days in the past; writes backtest.json and .html.

    Each snapshot fits on what was known that morning and is scored on what happened afterwards.
    """
    from duecourse.reports import backtest_page
    from duecourse.science.timing.backtest import BacktestPlan
    from duecourse.science.timing.backtest import backtest as run_backtest

    refuse_existing(out, force=force)
    source = read_source(ledger, quiet=as_json)
    plan = BacktestPlan(
        seed=seed, threads=threads, horizon=horizon, new_days=new_days, known_until=known_until,
        progress=lambda step: note(f"  {step}", quiet=as_json),
    )  # fmt: skip
    report = run_backtest(source.ledger, snapshots, plan=plan)
    plain = report.to_dict()
    with result_directory(out, force=force) as directory:
        text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        (directory / "backtest.json").write_text(text + "\n", encoding="utf-8")
        page = backtest_page.render(plain, title=f"Backtest of {ledger.name}", program_version=__version__)
        (directory / "backtest.html").write_text(page, encoding="utf-8")
    summary = {
        "means": plain["means"],
        "gate": plain["gate"],
        "files": [str(out / "backtest.json"), str(out / "backtest.html")],
    }
    print_summary(summary, as_json=as_json, text=_text(report, out))


def _text(report: BacktestReport, out: Path) -> str:
    """The table and the verdict for a person at the terminal."""
    lines = []
    for name, methods in report.means.items():
        if not methods:
            continue
        lines.append(f"{name} invoices, mean over snapshots" + " " * 12 + "  MAE   CRPS  within 5 days")
        for method, figures in methods.items():
            crps = f"{figures['crps']:6.2f}" if figures["crps"] is not None else "     -"
            lines.append(f"  {report.labels[method]:<40}{figures['mae']:6.2f} {crps}  {figures['within_5']:.1%}")
    lines += [f"{name} invoices: {verdict.says}" for name, verdict in report.gate.verdicts.items()]
    lines += [report.gate.says, f"wrote {out / 'backtest.html'}"]
    return "\n".join(lines)
