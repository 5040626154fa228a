"""Every measure against its SQL oracle on 1,000 random ledgers; writes results/metrics.md, fails where one differs.

    python benchmarks/metrics.py                    # 1,000 ledgers, two processes
    python benchmarks/metrics.py --ledgers 50

The ledgers (tests/support/random_books.py) hold part payments, reversals, credits, write-offs, disputes, promises,
contacts, several currencies, entities and parents, rows recorded late, and newer versions of rows of every table. The
oracle (tests/support/metrics_oracle.py) derives everything anew in SQL on DuckDB from the raw tables; it uses neither
the product's views nor its balances. Half of them are asked on the day of the view, half on a day two months before.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from machine import publish, table

from duecourse.ledger.metrics import Books
from support.metrics_cases import CASES, DAYS, GROUPINGS, Ask, Part, asked, differences
from support.metrics_oracle import oracle
from support.random_books import AS_OF, random_ledger

SIZES = (3, 12, 30, 60, 60, 60, 120)  # invoices; small books have the empty groups, large ones the crowded
EXAMPLES = 5


@dataclass
class Tally:
    """What was compared: figures of any value and those that are not blank, by case; and what differed."""

    figures: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)
    invoices: int = 0

    def add(self, name: str, part: Part) -> list[str]:
        """Counts one part and gives its differences."""
        rows = part.frame.select(part.columns)
        self.figures[name] += rows.height * rows.width
        self.filled[name] += rows.height * rows.width - sum(rows.null_count().row(0))
        found = differences(part)
        self.wrong[name] += len(found)
        return found

    def join(self, other: Tally) -> None:
        """Takes another tally in."""
        self.figures += other.figures
        self.filled += other.filled
        self.wrong.update(other.wrong)
        self.examples += other.examples
        self.invoices += other.invoices


def compare(seed: int) -> Tally:
    """Every measure of one ledger: as a company and by one grouping in turn, on one of the two days in turn."""
    tally = Tally()
    ledger = random_ledger(seed, invoices=SIZES[seed % len(SIZES)])
    view = ledger.as_of(AS_OF)
    tally.invoices = view.table("invoices").height
    books = Books(view)
    with tempfile.TemporaryDirectory() as folder, oracle(ledger, AS_OF, Path(folder)) as truth:
        for at, by, case, part in _parts(seed, Ask(books, truth, AS_OF, ())):
            for text in tally.add(case, part):
                tally.examples.append(f"ledger {seed}, {at}, {by or 'company'}: {text}")
    return tally


def _parts(seed: int, start: Ask) -> Iterator[tuple[str, str, str, Part]]:
    finer = [by for by in GROUPINGS if by]
    turn, place = divmod(seed, len(finer))
    at = DAYS[turn % len(DAYS)]
    for by in ((), finer[place]):
        for case in CASES:
            if asked(case, by):
                for part in case(Ask(start.books, start.truth, at, by)):
                    yield at.isoformat(), ", ".join(by), case.__name__, part


def main() -> int:
    """Compares, publishes, and gives 1 where anything differs."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--ledgers", type=int, default=1000)
    options.add_argument("--processes", type=int, default=2)
    chosen = options.parse_args()
    began = time.perf_counter()
    total = Tally()
    with ProcessPoolExecutor(chosen.processes, mp_context=get_context("spawn")) as pool:
        for number, tally in enumerate(pool.map(compare, range(chosen.ledgers), chunksize=5), start=1):
            total.join(tally)
            if number % 50 == 0:
                print(f"{number} ledgers, {total.wrong.total()} differences", file=sys.stderr, flush=True)
    _publish(total, chosen.ledgers, time.perf_counter() - began)
    return 1 if total.wrong.total() else 0


def _publish(total: Tally, ledgers: int, seconds: float) -> None:
    rows = [
        [name.replace("_", " "), f"{total.figures[name]:,}", f"{total.filled[name]:,}", f"{total.wrong[name]:,}"]
        for name in (case.__name__ for case in CASES)
    ]
    rows.append(["**all**", *(f"**{one.total():,}**" for one in (total.figures, total.filled, total.wrong))])
    levels = ", ".join(" and ".join(by) for by in GROUPINGS if by)
    parts = [
        f"{ledgers:,} random ledgers with {total.invoices:,} invoices in the view, asked on {DAYS[0]} or {DAYS[1]} "
        f"in turn, each as a company and by one of {levels}. Integers (amounts, counts) must be equal, shares and days "
        f"to 1e-9 of their size, and where SQL has no figure there may be none. "
        f"{seconds / 60:.0f} minutes in two processes.",
        table(["measures", "figures compared", "of them not blank", "differing"], rows),
        "Goal: 0 differing. "
        + ("Met." if not total.wrong.total() else "**Missed**: " + "; ".join(total.examples[:EXAMPLES])),
        "What differed while this was built is in docs/reference/metrics.md, last section.",
    ]
    publish("metrics", "Measures against SQL", parts)


if __name__ == "__main__":
    sys.exit(main())
