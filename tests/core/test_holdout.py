"""The guardrail holdout: its share, its stability, and that nobody changes sides."""

from __future__ import annotations

import pytest

from duecourse.core.holdout import holdout, size_deciles


def strata(n: int) -> dict[str, str]:
    return {f"P{number:05}": f"{number % 10}/{'late' if number % 3 else 'prompt'}" for number in range(n)}


def test_the_holdout_is_five_percent_of_every_stratum() -> None:
    payers = strata(6000)
    held = holdout(payers)
    assert len(held) / 6000 == pytest.approx(0.05, abs=0.003)
    for stratum in set(payers.values()):
        members = [payer for payer, own in payers.items() if own == stratum]
        assert abs(len(held & set(members)) - 0.05 * len(members)) <= 1


def test_who_is_held_out_stays_and_order_says_nothing() -> None:
    payers = strata(2000)
    held = holdout(payers)
    assert holdout(dict(reversed(payers.items()))) == held
    more = strata(3000)
    grown = holdout(more, already=held)
    assert held <= grown
    assert len(grown) / 3000 == pytest.approx(0.05, abs=0.006)
    moved = dict.fromkeys(payers, "9/late")
    assert held <= holdout(moved, already=held)
    assert holdout(payers, seed=1) != held


def test_small_strata_are_held_out_in_proportion() -> None:
    payers = {f"P{number}": f"S{number // 2}" for number in range(4000)}  # 2,000 strata of two payers
    assert len(holdout(payers)) / 4000 == pytest.approx(0.05, abs=0.012)
    assert holdout({}) == frozenset()
    assert holdout(payers, share=0.0) == frozenset()
    with pytest.raises(ValueError, match="share of the holdout"):
        holdout(payers, share=1.0)


def test_deciles_hold_a_tenth_each() -> None:
    found = size_deciles([float(number) for number in range(1000)])
    assert [found.count(decile) for decile in range(10)] == pytest.approx([100] * 10, abs=1)
    assert size_deciles([5.0, 5.0]) == [0, 0]
    assert size_deciles([]) == []


def test_who_was_under_the_policy_while_others_were_held_out_never_changes_sides() -> None:
    payers = strata(2000)
    held = holdout(payers)
    under_policy = frozenset(payers) - held
    assert holdout(payers, already=held, settled=under_policy, share=0.5) == held
    more = strata(3000)
    grown = holdout(more, already=held, settled=under_policy)
    assert held <= grown
    assert not grown & under_policy
    assert len(grown) / 3000 == pytest.approx(0.05, abs=0.006)  # newcomers bring the share back
