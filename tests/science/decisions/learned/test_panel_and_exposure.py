"""Weeks, exposures and rows by hand: what counts as a contact, when, and which invoice-weeks are learnt from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import ARM, Book, empty_book
from duecourse.science.decisions.learned.exposure import DEFAULT_KERNEL, KERNELS, contacts_of, expected, lagged
from duecourse.science.decisions.learned.panel import past_of
from duecourse.science.decisions.learned.segments import SEGMENTS, days_since_contact, habits_of
from duecourse.science.decisions.learned.weeks import near_month_end, phases, weeks_of

MONDAY = 20458  # 2026-01-05


def ints(*values: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def book(as_of: int = MONDAY + 70, points: int = 1, **given: Any) -> Book:
    """A book with the given fields; invoice fields default to open invoices of 1,000 at point 0."""
    content = empty_book(as_of, points)
    size = len(given.get("due", ()))
    content |= {
        "point": np.zeros(size, dtype=np.int64), "amount_minor": np.full(size, 1000.0),
        "collectible_minor": np.full(size, 1000.0), "timing_logit": np.zeros(size),
        **{name: np.full(size, -1, dtype=np.int64) for name in ("paid_day", "closed_day", "written_off_day")},
    }  # fmt: skip
    if "due" in given and "issued" not in given:
        content["issued"] = given["due"] - 30
    return Book(**{**content, **given})  # type: ignore[arg-type]


def decisions(*rows: tuple[int, int, str, str, float]) -> dict[str, Any]:
    """point, day, drawn arm, executed arm, propensity of the drawn arm; the rest goes to none or email_soft."""
    chances = np.zeros((len(rows), len(ARMS)))
    for at, (_, _, arm, _, p) in enumerate(rows):
        chances[at, ARM[arm]] = p
        chances[at, 0 if arm != "none" else 1] = 1 - p
    return {
        "decision_point": ints(*(row[0] for row in rows)), "decision_day": ints(*(row[1] for row in rows)),
        "decision_arm": ints(*(ARM[row[2]] for row in rows)), "decision_executed": ints(*(ARM[row[3]] for row in rows)),
        "decision_propensities": chances,
    }  # fmt: skip


def contacts(*rows: tuple[int, int, str, bool]) -> dict[str, Any]:
    return {
        "contact_point": ints(*(row[0] for row in rows)), "contact_day": ints(*(row[1] for row in rows)),
        "contact_arm": ints(*(ARM[row[2]] for row in rows)),
        "contact_human": np.array([row[3] for row in rows], dtype=np.bool_),
        "contact_reached": np.full(len(rows), -1, dtype=np.int64),
    }  # fmt: skip


def test_the_default_kernel_is_carry_over_times_delay_to_cash() -> None:
    assert pytest.approx((0.6667, 1.0, 0.881, 0.5476, 0.1905, 0.0476), abs=1e-4) == DEFAULT_KERNEL
    assert len(KERNELS) == 12
    assert DEFAULT_KERNEL in KERNELS
    assert all(max(kernel) == 1 and len(kernel) == 6 and min(kernel) >= 0 for kernel in KERNELS)


def test_a_point_counts_its_weeks_from_its_own_decision_day() -> None:
    wednesday = MONDAY + 2
    one = book(MONDAY + 70, 2, due=ints(MONDAY, MONDAY), point=ints(0, 1),
               **decisions((0, wednesday + 21, "email_soft", "email_soft", 0.5)))  # fmt: skip
    weeks = weeks_of(one)
    assert weeks.begins.tolist() == [MONDAY + 65, MONDAY + 70]
    assert weeks.counted_from(ints(wednesday, wednesday + 1), ints(0, 0)).tolist() == [weeks.last - 9, weeks.last - 8]


def test_contacts_act_with_lag_and_fatigue_and_only_the_randomised_ones_teach() -> None:
    today = MONDAY + 28
    one = book(
        today, 2, due=ints(MONDAY - 60, MONDAY - 60), point=ints(0, 1),
        **decisions((0, MONDAY, "email_soft", "email_soft", 0.5), (0, MONDAY + 7, "email_firm", "email_firm", 0.25),
                    (0, MONDAY + 14, "email_soft", "none", 0.5), (1, MONDAY, "call_service", "call_service", 1.0)),
        **contacts((0, MONDAY, "email_soft", False), (0, MONDAY + 7, "email_firm", False),
                   (1, MONDAY, "call_service", False), (1, MONDAY + 8, "email_soft", True)),
    )  # fmt: skip
    weeks = weeks_of(one)
    found = contacts_of(one, weeks)
    now = weeks.last
    assert found.fatigue[now - 4 :, 0].tolist() == pytest.approx([0, 1, 1.7, 1.19, 0.833])
    week, point, listed = ints(now - 2, now), ints(0, 0), ints(50, 50)
    rows = lagged(found, week, point, listed, DEFAULT_KERNEL)
    soft, firm = rows[:, ARM["email_soft"]], rows[:, ARM["email_firm"]]
    assert soft == pytest.approx([DEFAULT_KERNEL[2], DEFAULT_KERNEL[4]])
    assert firm == pytest.approx([DEFAULT_KERNEL[1] / 1.5, DEFAULT_KERNEL[3] / 1.5])
    other = lagged(found, ints(now - 2, now - 1), ints(1, 1), ints(50, 50), DEFAULT_KERNEL)
    assert not other[:, : len(ARMS)].any()  # its arm was certain: nothing to learn from
    assert other[0, len(ARMS) + 2] == pytest.approx(DEFAULT_KERNEL[2])  # as a call outside the experiment
    assert other[0, len(ARMS)] == pytest.approx(DEFAULT_KERNEL[0] / 1.35)  # Tuesday's mail counts from next Monday on
    fresh = lagged(found, ints(now - 3), ints(0), ints(0), DEFAULT_KERNEL)
    assert fresh[0, ARM["email_soft"]] == 0  # sent before this invoice was on the list
    due = expected(found, ints(now - 3), ints(0), ints(50), DEFAULT_KERNEL)
    assert due[0, ARM["email_soft"]] == pytest.approx(0.5 * DEFAULT_KERNEL[1])
    assert due[0, ARM["email_firm"]] == pytest.approx(0.25 * DEFAULT_KERNEL[0] / 1.5)


def test_an_invoice_gives_a_row_for_each_overdue_week_until_it_ends() -> None:
    due = MONDAY - 3
    one = book(
        due=ints(due, due, due, due, due),
        paid_day=ints(MONDAY + 16, -1, -1, -1, MONDAY - 1), closed_day=ints(-1, -1, MONDAY + 20, -1, -1),
        written_off_day=ints(-1, MONDAY + 22, -1, -1, -1),
        dispute_invoice=ints(3), dispute_opened=ints(MONDAY + 6), dispute_resolved=ints(MONDAY + 28),
        dispute_whole=np.array([True]),
    )  # fmt: skip
    panel = past_of(one).panel
    ages = {code: panel.age[panel.invoice == code].tolist() for code in range(5)}
    assert ages[0] == [0, 1, 2]
    assert panel.paid[panel.invoice == 0].tolist() == [False, False, True]
    assert ages[1] == [0, 1, 2, 3]
    assert panel.lost[panel.invoice == 1].tolist() == [False, False, False, True]
    assert ages[2] == [0, 1]  # the week of the credit says nothing about payment
    assert ages[3] == [0, 5, 6, 7, 8, 9]  # paused while disputed, the week that the resolution falls on included
    assert ages[4] == []  # paid before its first overdue week
    assert not panel.paid[panel.invoice == 3].any()


def test_nothing_later_than_the_week_is_in_a_row() -> None:
    """Features of past rows do not move when later facts are added."""
    rng = np.random.default_rng(5)
    due = np.sort(MONDAY - rng.integers(10, 500, 80))
    late = rng.integers(-5, 60, 80)
    early = MONDAY - 70
    content: dict[str, Any] = {"due": due, "point": rng.integers(0, 4, 80), "paid_day": due + late}
    past = book(MONDAY, 4, **{**content, "paid_day": np.where(content["paid_day"] < MONDAY, content["paid_day"], -1)})
    before = book(early, 4, **{**content, "paid_day": np.where(content["paid_day"] < early, content["paid_day"], -1)})
    now, then = past_of(past).panel, past_of(before).panel
    key_now = {(i, a): at for at, (i, a) in enumerate(zip(now.invoice.tolist(), now.age.tolist(), strict=True))}
    matched = [
        (at, key_now[i, a]) for at, (i, a) in enumerate(zip(then.invoice.tolist(), then.age.tolist(), strict=True))
    ]
    left, right = (np.array(side) for side in zip(*matched, strict=True))
    assert len(matched) > 50
    np.testing.assert_array_equal(then.segment[left], now.segment[right])
    np.testing.assert_allclose(then.modifiers[left], now.modifiers[right])
    np.testing.assert_allclose(then.batchness[left], now.batchness[right])
    np.testing.assert_array_equal(then.paid[left], now.paid[right])


def test_segments_are_told_from_behaviour_first_rule_first() -> None:
    as_of = MONDAY
    due: list[int] = []
    paid: list[int] = []
    point: list[int] = []

    def history(who: int, lates: list[int], *, month_end: bool = False, every: int = 30) -> None:
        for number, late in enumerate(lates):
            month_ends = np.datetime64("2025-03-30", "D") + np.timedelta64(30 * number, "D")
            day = int(month_ends.astype(np.int64)) if month_end else as_of - 290 + every * number
            due.append(day)
            paid.append(day + late)
            point.append(who)

    history(0, [5, 5])
    history(1, [0, -1, -3, 2, 0])
    history(2, [20, 21, 22, 20, 19, 21], every=23)
    history(3, [4, 12, 30, 3, 9], every=23)
    history(4, [1] * 6, month_end=True)
    one = book(as_of, 5, due=ints(*due), paid_day=ints(*paid), point=ints(*point))
    habits = habits_of(one, weeks_of(one))
    names = [SEGMENTS[code] for code in habits.segment[-1]]
    assert names == ["new", "prompt", "strategic", "occasional", "batch"]
    told = contacts(*((3, day - 2, "email_soft", True) for day, who in zip(paid, point, strict=True) if who == 3))
    reminded = book(as_of, 5, due=ints(*due), paid_day=ints(*paid), point=ints(*point), **told)
    assert SEGMENTS[habits_of(reminded, weeks_of(reminded)).segment[-1, 3]] == "forgetful"
    first = due.index(due[point.index(3)])
    short = book(as_of, 5, due=ints(*due), paid_day=ints(*paid), point=ints(*point), part_invoice=ints(7, 8),
                 part_day=ints(as_of - 50, as_of - 90))  # fmt: skip
    assert SEGMENTS[habits_of(short, weeks_of(short)).segment[-1, point[7]]] == "cash_tight"
    quarrel = book(
        as_of, 5, due=ints(*due), paid_day=ints(*paid), point=ints(*point), dispute_invoice=ints(first),
        dispute_opened=ints(as_of - 40), dispute_resolved=ints(-1), dispute_whole=np.array([True]),
    )  # fmt: skip
    assert SEGMENTS[habits_of(quarrel, weeks_of(quarrel)).segment[-1, point[first]]] in ("disputer", "new")


def test_calendar_phases_and_days_since_contact() -> None:
    days = np.array(["2026-01-26", "2026-02-02", "2026-02-09", "2026-02-23"], dtype="datetime64[D]").astype(np.int64)
    assert phases(days).tolist() == [0, 1, 2, 0]
    assert near_month_end(days + np.array([4, 0, 0, 0])).tolist() == [True, True, False, False]
    one = book(points=2, **contacts((0, MONDAY, "email_soft", True), (1, MONDAY + 5, "email_soft", True)))
    gaps = days_since_contact(one, ints(0, 0, 1), ints(MONDAY + 3, MONDAY, MONDAY + 3))
    assert gaps[0] == 3
    assert gaps[1] > 10_000  # a contact of the same day came no earlier
    assert gaps[2] > 10_000  # another point's contact is no contact
