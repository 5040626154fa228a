"""Time and memory of the main work against its goals, the naive way in pandas, and the bytes that must be read.

    python benchmarks/speed.py                  # all parts, about ten minutes on 2 free cores
    python benchmarks/speed.py --only features  # fit, features or run; prints, writes nothing

Ledgers are simulated (worlds ``base`` and ``large``); ``run`` uses the real file beside the repository and is skipped,
loudly, where it is absent. Each part runs in its own process, so that its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
from machine import publish, table

from duecourse.ledger.as_of import Ledger
from duecourse.ledger.load import load_ledger
from duecourse.ledger.write import write_ledger
from duecourse.science.simulate import load_world, simulate
from duecourse.science.timing.config import TimingConfig
from duecourse.science.timing.facts import Facts, facts_from_view
from duecourse.science.timing.features import Features
from duecourse.science.timing.hazard import landmark_columns
from duecourse.science.timing.landmarks import Landmarks
from duecourse.science.timing.model import fit
from duecourse.science.timing.predict import predict

AS_OF = date(2026, 11, 2)
REAL_FILE = Path(__file__).parents[2] / "shared/data/receivables/highradius/invoices_known_2019-09-01.csv"
NAIVE_SAMPLE = 200
GIB = 2**30


@dataclass
class Timings:
    """Seconds by step, and figures that go with them."""

    seconds: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Take the time of a block."""
        started = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - started

    def result(self) -> dict[str, dict[str, float]]:
        """Plain values, with the peak memory of this process."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
        return {"seconds": self.seconds, "figures": {**self.figures, "peak_gib": peak}}


def part_fit() -> dict[str, dict[str, float]]:
    """Fit on about 100,000 invoices, score about 10,000 open ones."""
    timings = Timings()
    ledger = simulate(load_world("base"), customers=4_300, months=24, seed=1).ledger
    view = ledger.as_of(AS_OF)
    with timings.step("fit"):
        model = fit(view, seed=0, threads=2)
    with timings.step("score"):
        prediction = predict(model, view)
    timings.figures["invoices"] = view.table("invoices").height
    timings.figures["open"] = prediction.scores.height
    timings.figures["rows"] = float(model.fitted["rows"])
    return timings.result()


def part_features() -> dict[str, dict[str, float]]:
    """``as_of`` and as-of features on about 1,000,000 invoices; the floor; the naive way on a sample."""
    timings = Timings()
    directory = Path(tempfile.mkdtemp(prefix="duecourse-speed-"))
    try:
        write_ledger(simulate(load_world("base"), customers=43_000, months=24, seed=1).ledger, directory / "ledger")
        size = sum(file.stat().st_size for file in (directory / "ledger").iterdir())
        with timings.step("read_bytes"):
            for file in sorted((directory / "ledger").iterdir()):
                file.read_bytes()
        with timings.step("load"):
            ledger = load_ledger(directory / "ledger").ledger
    finally:
        shutil.rmtree(directory)
    facts = _fast(ledger, timings)
    timings.figures |= {"file_mb": size / 1e6, "frames_mb": _frames_mb(ledger), "invoices": float(len(facts))}
    with timings.step("touch_frames"):
        _touch(ledger)
    _naive(ledger, facts, timings)
    return timings.result()


def _fast(ledger: Ledger, timings: Timings) -> Facts:
    config = TimingConfig()
    with timings.step("as_of"):
        view = ledger.as_of(AS_OF)
    with timings.step("facts"):
        facts = facts_from_view(view)
    invoice = np.flatnonzero(facts.is_open).astype(np.int64)
    with timings.step("features_open"):
        features = Features(facts, horizon=config.horizon, groups=facts.groups)
        landmark_columns(features, Landmarks(invoice, np.full(invoice.size, facts.as_of)), config)
    everyone = np.arange(len(facts), dtype=np.int64)
    with timings.step("features_all"):
        landmark_columns(features, Landmarks(everyone, facts.issue.astype(np.int64)), config)
    timings.figures["open"] = float(invoice.size)
    return facts


def _frames_mb(ledger: Ledger) -> float:
    return sum(ledger.table(name).estimated_size() for name in ("invoices", "payments", "allocations")) / 1e6


def _touch(ledger: Ledger) -> None:
    """Read every number of the three tables once, as the least that any computation on them must do."""
    for name in ("invoices", "payments", "allocations"):
        frame = ledger.table(name)
        numbers = [column for column, dtype in frame.schema.items() if dtype.is_numeric() or dtype.is_temporal()]
        frame.select(pl.col(numbers).to_physical().cast(pl.Int64, strict=False).sum())


def _naive(ledger: Ledger, facts: Facts, timings: Timings) -> None:
    """What is usually written: for each invoice, filter the table to what was known, and average."""
    book = pd.DataFrame({
        "customer": facts.customer, "issue": facts.issue, "due": facts.due, "paid": facts.paid_on,
        "known": facts.paid_known, "amount": facts.amount,
    })  # fmt: skip
    book["delay"] = book["paid"] - book["due"]
    sample = np.random.default_rng(0).choice(len(book), NAIVE_SAMPLE, replace=False)
    with timings.step("naive_sample"):
        for at in sample:
            _naive_features(book, book.iloc[at])
    timings.figures["naive_sample"] = NAIVE_SAMPLE
    del ledger


def _naive_features(book: pd.DataFrame, row: pd.Series) -> list[float]:
    day = row["issue"]
    own = book[(book["customer"] == row["customer"]) & (book["issue"] < day)]
    paid = own[own["known"] < day].sort_values("paid").tail(50)
    still = own[own["known"] >= day]
    delay = paid["delay"]
    last = delay.tail(20)
    return [
        float(len(paid)), delay.mean(), delay.std(), *(last.quantile(q) for q in (0.1, 0.25, 0.5, 0.75, 0.9)),
        (delay > 0).mean(), (delay > 15).mean(), paid["amount"].mean(), delay.tail(1).sum(), delay.tail(3).mean(),
        day - paid["paid"].max() if len(paid) else np.nan, float(len(still)), float((still["due"] < day).sum()),
        float((day - still["due"]).max()) if len(still) else 0.0, still["amount"].sum(),
    ]  # fmt: skip


def part_run() -> dict[str, dict[str, float]]:
    """``duecourse run`` on the real file, end to end, with its peak memory."""
    if not REAL_FILE.exists():
        print(f"SKIPPED: {REAL_FILE} is not there", file=sys.stderr)
        return {"seconds": {}, "figures": {}}
    directory = Path(tempfile.mkdtemp(prefix="duecourse-speed-"))
    program = [sys.executable, "-c", "from duecourse.cli.main import main; main()"]
    command = [*program, "run", str(REAL_FILE), "--currency", "USD", "--out", str(directory / "out"), "--json"]
    started = time.perf_counter()
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = process.stderr.read() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status != 0:
            raise SystemExit(f"duecourse run failed (status {status}):\n{said}")
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    return {
        "seconds": {"run": seconds},
        "figures": {"peak_gib": usage.ru_maxrss * 1024 / GIB, "cpu_seconds": usage.ru_utime + usage.ru_stime},
    }


PARTS: dict[str, Callable[[], dict[str, dict[str, float]]]] = {
    "fit": part_fit, "features": part_features, "run": part_run,
}  # fmt: skip


def main() -> None:
    """Run the parts and publish the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(PARTS))
    parser.add_argument("--child", choices=sorted(PARTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(PARTS[arguments.child]()))
        return
    names = [arguments.only] if arguments.only else list(PARTS)
    results = {name: _in_own_process(name) for name in names}
    load = f"Load of the machine (1, 5, 15 minutes) at the end: {', '.join(f'{each:.1f}' for each in os.getloadavg())}."
    parts = [SECTIONS[name](results[name]) for name in names]
    if arguments.only:
        print("\n\n".join([*parts, load]))
        return
    publish("speed", "Speed and memory", [ABOUT, *parts, load])


ABOUT = """Wall-clock seconds. Simulated ledgers; the last table is the real file (23,122 invoices). Another load on the
machine makes the figures worse, never better."""


def _in_own_process(name: str) -> dict[str, dict[str, float]]:
    print(f"{name} ...", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, __file__, "--child", name], stdout=subprocess.PIPE, check=True, text=True)
    result: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return result


def _fit_section(result: dict[str, dict[str, float]]) -> str:
    seconds, figures = result["seconds"], result["figures"]
    rows = [
        [f"fit on {figures['invoices']:,.0f} invoices ({figures['rows']:,.0f} rows)", f"{seconds['fit']:.1f} s",
         "120 s (floor 300)", f"{figures['invoices'] / seconds['fit']:,.0f} invoices/s"],
        [f"score {figures['open']:,.0f} open invoices, reasons included", f"{seconds['score']:.1f} s",
         "15 s per 10,000 (floor 60)", f"{figures['open'] / seconds['score']:,.0f} invoices/s"],
        ["peak memory, simulation included", f"{figures['peak_gib']:.2f} GiB", "1.5 GB (floor 2)", ""],
    ]  # fmt: skip
    return "## Train and score\n\n" + table(("work", "measured", "goal", "throughput"), rows)


def _features_section(result: dict[str, dict[str, float]]) -> str:
    seconds, figures = result["seconds"], result["figures"]
    n = figures["invoices"]
    asked = seconds["as_of"] + seconds["facts"] + seconds["features_open"]
    naive = seconds["naive_sample"] / figures["naive_sample"]
    per_invoice = seconds["features_all"] / n
    rows = [
        [f"`as_of` on {n:,.0f} invoices", f"{seconds['as_of']:.2f} s", "", f"{n / seconds['as_of']:,.0f} invoices/s"],
        ["balances and facts", f"{seconds['facts']:.2f} s", "", f"{n / seconds['facts']:,.0f} invoices/s"],
        [f"features of the {figures['open']:,.0f} open ones", f"{seconds['features_open']:.2f} s", "",
         f"{figures['open'] / seconds['features_open']:,.0f} invoices/s"],
        ["**the three together**", f"**{asked:.1f} s**", "15 s", ""],
        ["features of all, each on its own issue day", f"{seconds['features_all']:.1f} s", "",
         f"{n / seconds['features_all']:,.0f} invoices/s"],
        [f"naive pandas: filter and average, 18 features, {figures['naive_sample']:.0f} sampled invoices",
         f"{seconds['naive_sample']:.1f} s", "", f"{1 / naive:,.0f} invoices/s"],
        ["naive pandas for all (**extrapolated** from the sample, not run)", f"{naive * n / 3600:.1f} h", "",
         f"{naive / per_invoice:,.0f} x slower per invoice, for 18 features instead of ours"],
        [f"read the ledger into frames ({figures['file_mb']:.0f} MB of Parquet)", f"{seconds['load']:.1f} s", "",
         "checks included"],
        ["floor: read the bytes of the files (warm)", f"{seconds['read_bytes']:.3f} s", "",
         f"{figures['file_mb'] / 1e3 / seconds['read_bytes']:.1f} GB/s"],
        [f"floor: touch every number of the frames once ({figures['frames_mb']:.0f} MB)",
         f"{seconds['touch_frames']:.3f} s", "", f"the three above: {asked / seconds['touch_frames']:,.0f} x that"],
        ["peak memory, simulation included", f"{figures['peak_gib']:.2f} GiB", "", ""],
    ]  # fmt: skip
    return "## `as_of` and features\n\n" + table(("work", "measured", "goal", "throughput"), rows)


def _run_section(result: dict[str, dict[str, float]]) -> str:
    seconds, figures = result["seconds"], result["figures"]
    if not seconds:
        return "## `duecourse run` on the real file\n\nSkipped: the file is not there."
    rows = [
        ["end to end", f"{seconds['run']:.0f} s ({figures['cpu_seconds']:.0f} CPU-s)", "180 s"],
        ["peak memory", f"{figures['peak_gib']:.2f} GiB", "4 GB"],
    ]
    return "## `duecourse run` on the real file\n\n" + table(("what", "measured", "goal"), rows)


SECTIONS = {"fit": _fit_section, "features": _features_section, "run": _run_section}

if __name__ == "__main__":
    main()
