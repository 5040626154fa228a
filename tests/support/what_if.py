"""A small simulated book with its base forecast, for tests of scenarios."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import lru_cache

import polars as pl

from duecourse.reports.run_data import RunReport
from duecourse.science.forecast import forecast_book
from duecourse.science.forecast.scenarios import (
    BaseBook,
    ScenarioCash,
    compare_scenario,
    read_scenario,
    scenario_summary,
    scenario_tables,
)
from duecourse.science.simulate import load_world, simulate
from duecourse.science.timing.predict import predict
from support.report_samples import run_report

AS_OF = date(2026, 11, 2)  # the end of the world "base"
DAYS, DRAWS, SEED = 91, 200, 7


@lru_cache(maxsize=1)
def simulated_base() -> BaseBook:
    """Thirty customers over a year, without a model: every customer's own past."""
    ledger = simulate(load_world("base"), customers=30, months=12, seed=2).ledger
    view = ledger.as_of(AS_OF)
    curves = predict(None, view).curves
    bands = forecast_book(view, curves, days=DAYS, draws=DRAWS, seed=SEED)
    return BaseBook.of(view, curves, bands, seed=SEED)


@lru_cache(maxsize=32)
def ask(steps: str) -> ScenarioCash:
    """The answer of the simulated book to a scenario whose steps are TOML text."""
    return compare_scenario(simulated_base(), read_scenario(f'name = "test"\n{steps}', "s.toml"))


def what_if_report(*steps: str) -> RunReport:
    """A run page with the answers of the simulated book to these scenarios, named test 0, test 1 ..."""
    results = [ask(one) for one in steps]
    summaries = [scenario_summary(one, simulated_base()) for one in results]
    for number, summary in enumerate(summaries):
        summary["scenario"] = f"test {number}"
    frames = [
        scenario_tables([one], AS_OF)[1].with_columns(scenario=pl.lit(f"test {number}"))
        for number, one in enumerate(results)
    ]
    plain = run_report(invoices=20, customers=8, listed=2)
    return replace(plain, scenarios=summaries, scenario_weekly=pl.concat(frames))
