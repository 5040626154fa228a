"""Time and memory of the cash forecast on 10,000 and 100,000 open invoices, beside the naive matrix of draws by items.

    python benchmarks/forecast_speed.py                       # all parts, a few minutes on 2 free cores
    python benchmarks/forecast_speed.py --only open_100000    # prints, writes nothing

Books are made up: a fifth as many customers as invoices, curves of constant hazard, due days over eight weeks, and a
year of past invoices. Each part runs in its own process, so that its peak memory is its own; reading and scoring the
book are not in the figures. The naive way draws one matrix of normals per shock for all items and looks for the first
day of every cell; 100,000 items would take minutes and more memory than a small machine has, so it runs on 10,000 and
is extrapolated, which is marked. CPU seconds are shown too: they change little when other programs run.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date

import numpy as np
from machine import publish, table
from scipy.special import ndtr

from duecourse.core.calendar import epoch_day
from duecourse.science.forecast import IssuedHistory, OpenItems, PastInvoices, Shares, forecast_cash, simulate_open_book
from duecourse.science.forecast.grouping import group_keys
from duecourse.science.forecast.issued import NOT_PAID
from duecourse.science.forecast.open_book import batch_keys

AS_OF = epoch_day(date(2026, 11, 2))
DAYS, DRAWS = 91, 2_000
SMALL, LARGE = 10_000, 100_000
CURVE_DAYS = 178
GIB = 2**30


def open_book(n: int) -> OpenItems:
    """``n`` open invoices of n/5 customers."""
    rng = np.random.default_rng(0)
    hazard = rng.uniform(0.01, 0.1, n)
    customer = rng.integers(0, n // 5, n)
    return OpenItems(
        invoice_id=[f"I{k}" for k in range(n)],
        parent_id=[f"C{k}" for k in customer],
        due_day=AS_OF + rng.integers(-28, 28, n),
        amount_minor=rng.lognormal(11, 1, n).astype(np.int64),
        cdf=1 - (1 - hazard[:, None]) ** np.arange(1, CURVE_DAYS + 1)[None, :],
        customer_id=[f"C{k}" for k in customer],
        entity_id=[f"E{k % 4}" for k in range(n)],
    )


def past_book(n: int) -> PastInvoices:
    """A year of past invoices of the same customers, so many that about ``n`` are open on terms of 30 days."""
    rng = np.random.default_rng(1)
    count = n * 9
    issue = AS_OF - 1 - rng.integers(0, 364, count)
    paid = issue + rng.integers(10, 70, count)
    customer = rng.integers(0, n // 5, count)
    names = np.array([f"C{k}" for k in range(n // 5)], dtype=object)[customer]
    return PastInvoices(
        IssuedHistory(
            AS_OF, issue, np.where(paid < AS_OF, paid, NOT_PAID), rng.lognormal(11, 1, count).astype(np.int64)
        ),
        names, issue + 30, names,
        entity_id=np.array([f"E{k}" for k in range(4)], dtype=object)[rng.integers(0, 4, count)],
        invoice_id=np.array([f"P{k}" for k in range(count)], dtype=object),
    )  # fmt: skip


def part_open(n: int) -> dict[str, float]:
    """The open book alone, with two threads and with one."""
    book = open_book(n)
    seconds, cpu = [], []
    for threads in (2, 1):
        started, used = time.perf_counter(), time.process_time()
        cash = simulate_open_book(book, days=DAYS, draws=DRAWS, seed=1, threads=threads)
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    expected = float(book.amount_minor @ book.cdf[:, DAYS - 1])
    return {
        "two_threads": seconds[0], "one_thread": seconds[1], "cpu": cpu[0],
        "mean_off": cash.sum(axis=1).mean() / expected - 1,
    }  # fmt: skip


def part_whole(n: int) -> dict[str, float]:
    """Open book, invoices not issued yet, exact means and three dimensions of groups."""
    book, past = open_book(n), past_book(n)
    segments = {customer: "prompt" if len(customer) % 2 else "chronic" for customer in book.customer_id}
    figures = {}
    for name, keys in (("plain", ()), ("grouped", group_keys(book, past, segments))):
        started, used = time.perf_counter(), time.process_time()
        forecast_cash(book, past, days=DAYS, draws=DRAWS, seed=1, keys=keys)
        figures[name] = time.perf_counter() - started
        figures[f"{name}_cpu"] = time.process_time() - used
    return figures


def part_naive(n: int) -> dict[str, float]:
    """One matrix of normals per shock, one search per item, one sum per day: what is usually written."""
    book, shares = open_book(n), Shares()
    started, used = time.perf_counter(), time.process_time()
    rng = np.random.default_rng(0)
    _, customer = np.unique(book.parent_id, return_inverse=True)
    _, batch = np.unique(batch_keys(book.parent_id, book.due_day), return_inverse=True)
    z = np.sqrt(shares.everybody) * rng.standard_normal((DRAWS, 1)) + np.sqrt(shares.own) * rng.standard_normal(
        (DRAWS, n)
    )
    z += np.sqrt(shares.customer) * rng.standard_normal((DRAWS, customer.max() + 1))[:, customer]
    z += np.sqrt(shares.batch) * rng.standard_normal((DRAWS, batch.max() + 1))[:, batch]
    u = ndtr(z)
    paid = np.stack([np.searchsorted(book.cdf[item, :DAYS], u[:, item]) for item in range(n)], axis=1)
    cash = np.stack([(paid == day) @ book.amount_minor for day in range(DAYS)], axis=1)
    seconds = time.perf_counter() - started
    expected = float(book.amount_minor @ book.cdf[:, DAYS - 1])
    cpu = time.process_time() - used
    return {"naive": seconds, "cpu": cpu, "mean_off": cash.sum(axis=1).mean() / expected - 1}


PARTS: dict[str, Callable[[], dict[str, float]]] = {
    f"naive_{SMALL}": lambda: part_naive(SMALL),
    f"open_{SMALL}": lambda: part_open(SMALL),
    f"open_{LARGE}": lambda: part_open(LARGE),
    f"whole_{LARGE}": lambda: part_whole(LARGE),
}


def main() -> None:
    """Run the parts and publish the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(PARTS))
    parser.add_argument("--child", choices=sorted(PARTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        figures = PARTS[arguments.child]()
        figures["peak_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB
        print(json.dumps(figures))
        return
    before = os.getloadavg()
    results = {name: _in_own_process(name) for name in ([arguments.only] if arguments.only else PARTS)}
    load = ", ".join(f"{each:.1f}" for each in (*before, *os.getloadavg()))
    if arguments.only:
        print(results, f"load before and after (1, 5, 15 minutes): {load}")
        return
    publish("forecast-speed", "Speed and memory of the cash forecast", [
        f"{DRAWS:,} draws, {DAYS} days; wall-clock seconds. {NOTE}", _table(results),
        f"Load of the machine (1, 5, 15 minutes) before and after: {load}. Each running program on top of the machine's"
        " cores makes the figures worse.",
    ])  # fmt: skip


NOTE = (
    "Made-up books; reading and scoring them is not included. The naive way draws a matrix of draws by items in NumPy."
)


def _in_own_process(name: str) -> dict[str, float]:
    print(f"{name} ...", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, __file__, "--child", name], stdout=subprocess.PIPE, check=True, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _table(results: dict[str, dict[str, float]]) -> str:
    naive, small, large, whole = (results[name] for name in PARTS)
    factor = LARGE / SMALL
    goals = "5 s, 1 GB (floor 15 s)", "30 s, 4 GB (floor 120 s)"
    rows = [
        [f"open book, {SMALL:,} invoices, naive", f"{naive['naive']:.1f} s", f"{naive['cpu']:.1f} s", _peak(naive), ""],
        [f"open book, {SMALL:,} invoices", _both(small), f"{small['cpu']:.1f} s", _peak(small), goals[0]],
        [f"open book, {LARGE:,} invoices, naive (**extrapolated**, not run)", f"{naive['naive'] * factor:.0f} s",
         f"{naive['cpu'] * factor:.0f} s", f"{naive['peak_gib'] * factor:.0f} GiB", ""],
        [f"**open book, {LARGE:,} invoices**", _both(large), f"{large['cpu']:.1f} s", _peak(large), goals[1]],
        [f"open book and coming invoices, {LARGE:,} open", f"{whole['plain']:.1f} s", f"{whole['plain_cpu']:.1f} s",
         "", ""],
        ["the same with groups by customer, entity, segment", f"{whole['grouped']:.1f} s",
         f"{whole['grouped_cpu']:.1f} s", _peak(whole), ""],
    ]  # fmt: skip
    return table(("work", "seconds", "CPU seconds", "peak memory", "goal"), rows)


def _both(figures: dict[str, float]) -> str:
    return f"{figures['two_threads']:.1f} s (one thread {figures['one_thread']:.1f} s)"


def _peak(figures: dict[str, float]) -> str:
    return f"{figures['peak_gib']:.2f} GiB"


if __name__ == "__main__":
    main()
