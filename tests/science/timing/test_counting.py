from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.science.timing.counting import RangeCounter

values = st.lists(st.integers(-9, 9), min_size=1, max_size=40)


@settings(deadline=None)
@given(values, st.integers(-12, 12), st.data())
def test_below_counts_what_a_loop_counts(numbers: list[int], bound: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(numbers)))
    end = data.draw(st.integers(start, len(numbers)))
    counter = RangeCounter(np.array(numbers))
    counted = counter.below((np.array([start]), np.array([end])), np.array([bound]))
    assert counted.tolist() == [sum(number < bound for number in numbers[start:end])]


@settings(deadline=None)
@given(values, st.data())
def test_smallest_left_is_the_smallest_of_the_difference(numbers: list[int], data: st.DataObject) -> None:
    taken = data.draw(st.lists(st.booleans(), min_size=len(numbers), max_size=len(numbers)))
    gone = [number for number, away in zip(numbers, taken, strict=True) if away]
    left = [number for number, away in zip(numbers, taken, strict=True) if not away]
    alphabet = np.unique(np.array(numbers))
    there = RangeCounter(np.array(numbers), alphabet=alphabet)
    away = RangeCounter(np.array(gone, dtype=np.int64), alphabet=alphabet)
    span, gone_span = (
        (np.array([0]), np.array([len(numbers)])),
        (np.array([0]), np.array([len(gone)])),
    )
    found = there.smallest_left(span, away, gone_span)
    assert found.tolist() == [min(left) if left else max(numbers)]
