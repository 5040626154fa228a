"""``--scenario``: reading what-if files, asking them of a forecast, and telling the answers in text."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from duecourse.cli.common import step
from duecourse.core.errors import BadInput, UsageError
from duecourse.core.money import Money

if TYPE_CHECKING:
    from duecourse.ledger.as_of import View
    from duecourse.science.forecast.scenarios import BaseBook, Scenario

LARGEST_FILE = 1_000_000  # bytes

scenario_option = click.option(
    "--scenario", "scenario_files", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="A what-if file (TOML), shown beside the forecast; may be given several times.",
)  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What the scenarios change: tables by file name, and one summary per scenario."""

    frames: dict[str, pl.DataFrame]
    summaries: list[dict[str, Any]]


def read_scenarios(files: Sequence[Path]) -> list[Scenario]:
    """The scenarios of the files, with their measured effects read too.

    Raises BadInput for a file that cannot be used, UsageError for two scenarios of one name.
    """
    from duecourse.science.forecast.scenarios import Collections, read_scenario, read_uplift

    found: list[Scenario] = []
    for file in files:
        scenario = read_scenario(_text_of(file), str(file))
        steps = tuple(
            replace(
                one, uplift=read_uplift(_text_of(file.parent / one.uplift_file), str(file.parent / one.uplift_file))
            )
            if isinstance(one, Collections) and one.uplift_file
            else one
            for one in scenario.steps
        )
        if any(scenario.name == other.name for other in found):
            raise UsageError(f"--scenario {file}: another scenario is named {scenario.name!r} too; name them apart")
        found.append(replace(scenario, steps=steps))
    return found


def _text_of(file: Path) -> str:
    if not file.is_file():
        raise BadInput(f"{file}: no such file; expected a TOML file, see docs/how-to/ask-what-if.md")
    if file.stat().st_size > LARGEST_FILE:
        raise BadInput(f"{file}: larger than {LARGEST_FILE:,} bytes; expected a small TOML file")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise BadInput(f"{file}: not UTF-8 text; save it as UTF-8") from None


def fit_to_book(scenarios: Sequence[Scenario], view: View, days: int) -> None:
    """Finds before any long work what of the scenarios does not fit the book. Raises BadInput and NotEnoughData."""
    from duecourse.science.forecast import past_invoices
    from duecourse.science.forecast.scenarios import resolve

    past = past_invoices(view) if scenarios else {}
    for scenario in scenarios:
        resolve(scenario, view, past, days=days)


def answer(scenarios: Sequence[Scenario], base_book: Callable[[], BaseBook], *, quiet: bool) -> Answers:
    """Every scenario against the base forecast that ``base_book`` gives; without scenarios nothing is done."""
    from duecourse.science.forecast.scenarios import compare_scenario, scenario_summary, scenario_tables

    if not scenarios:
        return Answers({}, [])
    results, base = [], base_book()
    for scenario in scenarios:
        with step(f"asking: {scenario.name}", quiet=quiet):
            results.append(compare_scenario(base, scenario))
    daily, weekly = scenario_tables(results, base.view.as_of)
    frames = {"scenario_daily": daily, "scenario_weekly": weekly}
    return Answers(frames, [scenario_summary(result, base) for result in results])


def write_summary(work: Path, answers: Answers) -> None:
    """``scenario_summary.json``: one object per scenario; no file without scenarios."""
    if answers.summaries:
        text = json.dumps(answers.summaries, indent=2, ensure_ascii=False) + "\n"
        (work / "scenario_summary.json").write_text(text, encoding="utf-8")


def scenario_text(answers: Answers) -> list[str]:
    """The answers as lines for the terminal: totals, weeks, worth, and what was assumed."""
    lines: list[str] = []
    for summary in answers.summaries:
        lines += ["", f"What if: {summary['scenario']}", *(f"  {words}" for words in summary["steps"])]
        weekly = answers.frames["scenario_weekly"].filter(pl.col("scenario") == summary["scenario"])
        currencies = list(dict.fromkeys(effect["currency"] for effect in summary["effects"]))
        for currency in currencies:
            effects = [effect for effect in summary["effects"] if effect["currency"] == currency]
            lines += _currency_lines(effects, weekly.filter(pl.col("currency") == currency), summary)
        lines += [line for value in summary["discounts"] for line in _discount_lines(value)]
        lines += [f"  note: {line}" for line in summary["notes"]]
        lines += [f"  assumed: {line}" for line in summary["assumptions"]]
    return lines


def _currency_lines(effects: Sequence[dict[str, Any]], weekly: pl.DataFrame, summary: dict[str, Any]) -> list[str]:
    from duecourse.science.forecast.scenarios import short_end

    currency = effects[0]["currency"]
    names = [short_end(effect["end"]) or "difference" for effect in effects]
    if not any(any(effect["difference"].values()) or effect["in_the_end_mean_minor"] for effect in effects):
        return [f"  {currency}: no difference"]
    cells = [["week from", f"base {currency}", *names]]
    starts = weekly.get_column("week_start").unique(maintain_order=True).to_list()
    by_end = [weekly.filter(pl.col("end") == effect["end"]) for effect in effects]
    for place, start in enumerate(starts):
        rows = [frame.row(place, named=True) for frame in by_end]
        cells.append(
            [f"{start}", _money(rows[0]["base_mean_minor"], currency), *(_difference(row, currency) for row in rows)]
        )
    totals = [{f"difference_{key}": value for key, value in effect["difference"].items()} for effect in effects]
    cells.append([f"{summary['days']} days", _money(effects[0]["base"]["mean_minor"], currency),
                  *(_difference(total, currency) for total in totals)])  # fmt: skip
    return [*_aligned(cells), *(line for effect in effects for line in _worth(effect))]


def _difference(row: dict[str, Any], currency: str) -> str:
    mean, low, high = (row[f"difference_{name}_minor"] for name in ("mean", "p10", "p90"))
    return f"{_money(mean, currency, signed=True)} ({_money(low, currency)} to {_money(high, currency)})"


def _aligned(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return [
        "  "
        + row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in cells
    ]


def _worth(effect: dict[str, Any]) -> list[str]:
    from duecourse.science.forecast.scenarios import short_end

    currency, capital = effect["currency"], effect["working_capital"]
    name = short_end(effect["end"])
    head = f"  {currency}{', ' + name if name else ''}: "
    parts = [
        f"receivables {_money(capital['mean_minor'], currency, signed=True)} "
        f"({_money(capital['p10_minor'], currency)} to {_money(capital['p90_minor'], currency)})",
        "DSO cannot be told" if effect["dso_change_days"] is None else f"DSO {effect['dso_change_days']:+.1f} days",
        f"cost of capital {_money(effect['capital_cost_minor'], currency)}",
    ]
    if effect["discounts_minor"]:
        parts.append(f"discounts {_money(effect['discounts_minor'], currency)}")
    parts.append(f"once all is paid {_money(effect['in_the_end_mean_minor'], currency, signed=True)}")
    return [head + "; ".join(parts)]


def _discount_lines(value: dict[str, Any]) -> list[str]:
    currency = value["currency"]
    end = {"take_up_low": ", low", "take_up_high": ", high"}.get(value["end"], "")
    head = f"  discount a month, {currency}, take-up {100 * value['take_up']:.0f} %{end}: "
    if "missing" in value:
        return [head + str(value["missing"])]
    cost, gain, net, cash = (
        _money(value[f"{name}_minor"], currency) for name in ("cost", "gain", "net", "brought_forward")
    )
    return [
        f"{head}costs {cost}, gains {gain}, net {net}; brings {cash} {value['brought_forward_days']} days forward; "
        f"worth it from {100 * value['break_even_rate']:.1f} % a year"
    ]


def _money(minor: int, currency: str, *, signed: bool = False) -> str:
    text = Money(minor, currency).format()
    return f"+{text}" if signed and minor > 0 else text
