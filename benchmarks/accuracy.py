"""The timing model against all baselines on the real sets, with goals and floors; writes results/accuracy-*.md.

    python benchmarks/accuracy.py                    # all three sets
    python benchmarks/accuracy.py --sets highradius

Every set goes through the importer with its ready map, as a user's export would, and through the same backtest as the
verb. Nothing was tuned on the snapshots that are printed. Skips loudly where ../shared/data is absent; no row of those
sets is in this repository.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from machine import publish, table

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.importing import ImportOptions, import_files, ready_maps
from duecourse.science.timing.backtest import BacktestPlan, backtest, last_outcome, rolling_backtest
from duecourse.science.timing.backtest_report import BacktestReport, Check, SetResult
from duecourse.science.timing.baselines import LABELS
from duecourse.science.timing.measures import Measures

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "receivables"


@dataclass(frozen=True)
class RealSet:
    """One real set: its file, the snapshots, and what is to be known before reading the figures."""

    title: str
    file: str
    snapshots: tuple[date, ...]
    horizon: int
    new_days: int
    caution: str
    ignored: tuple[str, ...] = ()

    def ledger(self) -> Ledger:
        """The set as a ledger by its ready map, without the fields that are ``ignored``."""
        column_map = ready_maps()[self.file.split("/")[0]]
        tables = tuple(
            replace(each, columns={name: found for name, found in each.columns.items() if name not in self.ignored})
            for each in column_map.tables
        )
        options = ImportOptions(skip_bad_rows=True)
        return import_files([DATA / self.file], column_map=replace(column_map, tables=tables), options=options).ledger


def _months(year: int, *months: int) -> tuple[date, ...]:
    return tuple(date(year, month, 1) for month in months)


SETS = {
    "highradius": RealSet(
        "HighRadius: a food supplier's receivables (US, Canada)",
        "highradius/invoices_known_2019-09-01.csv",
        _months(2019, 4, 5, 6, 7),
        60,
        30,
        "Real and masked. Everything in it is paid in the end (no bad debt, disputes, credits or part payments), issue "
        "dates are inferred, and one payer has 24 % of the invoices. April and May know three and four months of "
        "payments: this is where a model should not be trusted, and the gate is there to say so.",
    ),
    "cassandra": RealSet(
        "Cassandra: a buyer's purchase ledger, vendors read as customers",
        "cassandra/invoices_known_2016-08-04.csv",
        (date(2015, 7, 1), date(2015, 10, 1), date(2016, 1, 1), date(2016, 4, 1)),
        120,
        61,
        "Looks real, names are faked. Three quarters of the vendors have one invoice, so there is little to learn "
        "from; 46 % of the invoices were recorded after their date. New sets span 61 days. Five rows that were paid "
        "before their date are left out. `settled` and `outstanding` are known only after payment and are not used: "
        "a part settlement (486 rows) counts as paid on its date.",
        ("paid_amount", "open_amount"),
    ),
    "ibm": RealSet(
        "IBM: a simulated book",
        "ibm/WA_Fn-UseC_-Accounts-Receivable.csv",
        _months(2013, 4, 5, 6, 7, 8),
        60,
        30,
        "Looks simulated: a smoke test and never a headline. The undated dispute flag is not used (it is known only "
        "afterwards).",
    ),
}


@dataclass(frozen=True)
class Column:
    """One column of a table: the figures of a method that it shows, and how each is printed."""

    name: str
    figures: Callable[[Measures], Sequence[float | None]]
    form: str = ".3f"
    between: str = " "

    def cell(self, measures: Sequence[Measures]) -> str:
        """The figures, each its plain mean over the snapshots that have it."""
        rows = [self.figures(one) for one in measures]
        width = max(len(row) for row in rows)
        means = [_mean([row[place] for row in rows if len(row) > place]) for place in range(width)]
        return self.between.join("-" if mean is None else format(mean, self.form) for mean in means) or "-"


COLUMNS = (
    Column("MAE", lambda m: [m.mae], ".2f"),
    Column("w5", lambda m: [m.within_5]),
    Column("RMSE", lambda m: [m.rmse], ".2f"),
    Column("bias", lambda m: [m.bias], "+.2f"),
    Column("CRPS", lambda m: [m.crps]),
    Column("cover", lambda m: [m.coverage]),
    Column("AUC late", lambda m: [m.ranking["late"].auc]),
    Column("AP late", lambda m: [m.ranking["late"].average_precision]),
    Column("AUC 60+", lambda m: [m.ranking["late_60"].auc]),
    Column("rec5 60+", lambda m: [m.ranking["late_60"].recall_at_5_percent], ".2f"),
    Column("PIT tails", lambda m: [m.uniformity.below_10, m.uniformity.above_90] if m.uniformity else [None]),
    Column("cash 7/14/30 d", lambda m: list(m.cash_error.values()), ".1%", " / "),
)
HEADER = ("method", *(column.name for column in COLUMNS))


def main() -> None:
    """Run the named sets, print the tables and write them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", default=",".join(SETS), help="comma-separated: " + ", ".join(SETS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    for name in chosen.sets.split(","):
        one = SETS[name]
        if not (DATA / one.file).exists():
            print(f"SKIPPED {name}: {DATA / one.file} is absent; its table was not regenerated")
            continue
        run(name, one, seed=chosen.seed, threads=chosen.threads)


def run(name: str, one: RealSet, *, seed: int, threads: int) -> None:
    """One set: the named snapshots, the goals, and for HighRadius the gate as the product applies it."""
    ledger = one.ledger()
    plan = BacktestPlan(seed=seed, threads=threads, horizon=one.horizon, new_days=one.new_days, progress=print)
    rolling = rolling_backtest(ledger, last_outcome(ledger), plan=plan) if name == "highradius" else None
    # The gate tests exactly the snapshots that are to be printed, in the same way: once is enough.
    same = rolling is not None and tuple(snapshot.snapshot for snapshot in rolling.snapshots) == one.snapshots
    report = rolling if rolling is not None and same else backtest(ledger, one.snapshots, plan=plan)
    parts = [one.caution, _protocol(report, one)]
    if name == "highradius":
        parts += ["## Goals and floors, June and July", _goals(report)]
    parts += [_means(report), _snapshots(report)]
    if rolling is not None:
        parts += [_gate(rolling)]
    parts.append(f"Seed {seed}.")
    publish(f"accuracy-{name}", one.title, parts)


def _protocol(report: BacktestReport, one: RealSet) -> str:
    return (
        f"Payments are known until the day before {report.known_until}; horizon {one.horizon} days, shorter where the "
        "outcome is not known that long (stated per set). MAE, RMSE, bias, CRPS in days; w5 = share within 5 days; "
        "rec5 = share of the 60+ cases among the 5 % highest scores; cover and PIT tails of the 10-90 % band. "
        "Definitions: docs/science/backtest-and-gate.md."
    )


def _means(report: BacktestReport) -> str:
    """Means over all snapshots, from the report itself."""
    parts = []
    for name in report.means:
        results = [snapshot.sets[name] for snapshot in report.snapshots if snapshot.sets[name].methods]
        if results:
            cases = sum(result.cases for result in results)
            rows = [
                _row(method, [result.methods[method] for result in results if method in result.methods])
                for method in results[0].methods
            ]
            parts += [
                f"## {name.capitalize()}, mean of {len(results)} snapshots ({cases:,} cases)",
                table(HEADER, rows),
            ]
    return "\n\n".join(parts)


def _row(method: str, measures: Sequence[Measures]) -> list[str]:
    label = f"**{LABELS[method]}**" if method == "model" else LABELS[method]
    return [label, *(column.cell(measures) for column in COLUMNS)]


def _snapshots(report: BacktestReport) -> str:
    parts = ["## Snapshot by snapshot"]
    for snapshot in report.snapshots:
        parts.append(
            f"### {snapshot.snapshot}: {snapshot.cleared:,} paid invoices of {snapshot.months_of_clearings} calendar "
            f"months were known"
        )
        if snapshot.model:
            parts.append(f"No model: {snapshot.model}")
        for name, result in snapshot.sets.items():
            if result.not_scored:
                parts.append(f"{name}: {result.not_scored}")
                continue
            rows = [_row(method, [measures]) for method, measures in result.methods.items()]
            size = f"**{name}**, {result.cases:,} cases of {result.customers} customers, horizon {result.horizon} days"
            parts += [size, table(HEADER, rows)]
            parts.append(f"Gate on this snapshot alone, {name}: {snapshot.gate.verdicts[name].says}.")
    return "\n\n".join(parts)


def _gate(rolling: BacktestReport) -> str:
    title = f"## The gate as the product applies it on {rolling.known_until}"
    days = ", ".join(str(one.snapshot) for one in rolling.snapshots)
    lines = [f"Month starts tested: {days}. **{rolling.gate.says}**"]
    for name, verdict in rolling.gate.verdicts.items():
        lines += [f"{name}: {verdict.says}", _checks(verdict.checks)]
    lines.append(f"Recalibration: {rolling.recalibration.says}.")
    return "\n\n".join([title, *lines])


def _checks(checks: Sequence[Check]) -> str:
    return "\n".join(f"- {'holds' if one.holds else 'FAILS'}: {one.because}" for one in checks)


def _goals(report: BacktestReport) -> str:
    """The bars for the two snapshots with five and six months of payments, each with what was reached."""
    late = [snapshot for snapshot in report.snapshots if snapshot.snapshot >= date(2019, 6, 1)]
    rows: list[list[str]] = []
    for name, goal, floor in (("new", 0.86, 0.90), ("open", 0.74, 0.80)):
        sets = [snapshot.sets[name] for snapshot in late]
        ratio = _of(sets, "model", _crps) / _of(sets, "customer_empirical", _crps)
        rows.append([f"{name}: CRPS / customer's own distribution", f"<= {goal}", f"<= {floor}", f"{ratio:.3f}",
                     _met(ratio <= goal, ratio <= floor)])  # fmt: skip
        for tail in ("below_10", "above_90"):
            share = _of(sets, "model", lambda m, tail=tail: getattr(m.uniformity, tail))
            rows.append([f"{name}: PIT {'< .1' if tail == 'below_10' else '> .9'}", ".08-.12", ".06-.14",
                         f"{share:.3f}", _met(0.08 <= share <= 0.12, 0.06 <= share <= 0.14)])  # fmt: skip
        rows += [_against_all(name, label, sets, figure, higher=label.startswith("AUC")) for label, figure in RIVALRIES
                 if name == "open" or not label.startswith("cash")]  # fmt: skip
    return table(("measure, mean of 2019-06-01 and 2019-07-01", "goal", "floor", "reached", ""), rows)


def _crps(m: Measures) -> float:
    return float("nan") if m.crps is None else m.crps


RIVALRIES: Sequence[tuple[str, Callable[[Measures], float]]] = (
    ("MAE", lambda m: m.mae),
    ("CRPS", _crps),
    ("AUC late", lambda m: m.ranking["late"].auc or float("nan")),
    ("cash error 7 d", lambda m: m.cash_error.get("7", float("nan"))),
    ("cash error 14 d", lambda m: m.cash_error.get("14", float("nan"))),
)


def _against_all(
    name: str, label: str, sets: Sequence[SetResult], figure: Callable[[Measures], float], *, higher: bool
) -> list[str]:
    """A row: the model must be better than every baseline; shows the best of them."""
    values = {method: _of(sets, method, figure) for method in sets[0].methods}
    rivals: Mapping[str, float] = {m: v for m, v in values.items() if m != "model" and not np.isnan(v)}
    best = max(rivals, key=lambda m: rivals[m]) if higher else min(rivals, key=lambda m: rivals[m])
    won = values["model"] > rivals[best] if higher else values["model"] < rivals[best]
    reached = f"{values['model']:.3f} against {rivals[best]:.3f} ({LABELS[best]})"
    return [f"{name}: {label}", "better than all", "better than all", reached, _met(won, won)]


def _of(sets: Sequence[SetResult], method: str, figure: Callable[[Measures], float]) -> float:
    return float(np.mean([figure(one.methods[method]) for one in sets]))


def _met(goal: bool, floor: bool) -> str:
    return "goal met" if goal else "floor met" if floor else "**not met**"


def _mean(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else None


if __name__ == "__main__":
    main()
