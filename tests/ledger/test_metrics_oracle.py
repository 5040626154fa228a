"""Every measure equals an independent computation in SQL, to the cent, at every level; 1,000 ledgers: bench-metrics."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from duecourse.ledger.metrics import Books
from support.metrics_cases import CASES, DAYS, GROUPINGS, Ask, Case, asked, differences
from support.metrics_oracle import Oracle, oracle
from support.random_books import AS_OF, random_ledger

SEEDS = range(4)


@pytest.fixture(scope="module", params=SEEDS)
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Books, Oracle]]:
    ledger = random_ledger(request.param)
    with oracle(ledger, AS_OF, tmp_path_factory.mktemp("oracle")) as truth:
        yield Books(ledger.as_of(AS_OF)), truth


@pytest.mark.parametrize("at", DAYS, ids=str)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_measure_equals_its_oracle_at_every_level(both: tuple[Books, Oracle], case: Case, at: date) -> None:
    books, truth = both
    parts = 0
    for by in GROUPINGS:
        if asked(case, by):
            for part in case(Ask(books, truth, at, by)):
                assert differences(part) == [], by
                parts += 1
    assert parts >= 3


def test_the_comparison_sees_a_cent_too_much_and_a_group_too_few(both: tuple[Books, Oracle]) -> None:
    books, truth = both
    part = next(part for case in CASES for part in case(Ask(books, truth, AS_OF, ())))
    assert differences(part) == []
    (group, row), *rest = part.expected.items()
    wrong = type(part)(part.frame, part.keys, part.columns, {group: (row[0] + 1, *row[1:]), **dict(rest)})
    assert len(differences(wrong)) == 1
    fewer = type(part)(part.frame.filter(currency="none such"), part.keys, part.columns, part.expected)
    assert len(differences(fewer)) == sum(1 for each in part.expected.values() for value in each if value)
