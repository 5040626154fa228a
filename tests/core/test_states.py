import pytest

from duecourse.core.states import INVOICE, PROMISE, ForbiddenMove, can_reach, move


@pytest.mark.parametrize("table", [INVOICE, PROMISE])
def test_every_target_is_a_state(table: dict[str, frozenset[str]]) -> None:
    assert {to for targets in table.values() for to in targets} <= set(table)


def test_a_listed_move_gives_the_new_state() -> None:
    assert move(PROMISE, "open", "due") == "due"
    assert move(INVOICE, "paid", "open") == "open"  # the payment came back


@pytest.mark.parametrize(
    ("state", "to"), [("open", "kept"), ("kept", "due"), ("broken", "superseded"), ("open", "open")]
)
def test_an_unlisted_move_raises(state: str, to: str) -> None:
    with pytest.raises(ForbiddenMove, match=f"'{state}' cannot become '{to}'"):
        move(PROMISE, state, to)


def test_an_unknown_state_raises() -> None:
    with pytest.raises(ForbiddenMove, match="'lost' is not a state"):
        move(PROMISE, "lost", "due")


def test_judged_promises_are_final() -> None:
    final = {state for state, targets in PROMISE.items() if not targets}
    assert final == {"kept", "part_kept", "broken", "superseded", "withdrawn"}
    assert can_reach(PROMISE, "open", "broken")
    assert not can_reach(PROMISE, "broken", "kept")
