"""The moves that things may make from state to state, as data (glossary, section 4). A move that is not listed raises.

``INVOICE`` and ``PROMISE`` are derived states: nothing stores them, they follow from balances and dates. What stores a
state (drafts, messages, cases) brings its own table in the same form.
"""

from __future__ import annotations

from collections.abc import Mapping

from duecourse.core.errors import DuecourseError

Transitions = Mapping[str, frozenset[str]]

_CLOSED = frozenset({"paid", "credited", "written_off"})
_REOPENED = frozenset({"open", "part_paid"})  # a reversal takes back all or part of what closed it

INVOICE: Transitions = {
    "open": frozenset({"part_paid"}) | _CLOSED,
    "part_paid": frozenset({"open"}) | _CLOSED,
    **dict.fromkeys(sorted(_CLOSED), _REOPENED),
}

PROMISE: Transitions = {
    "open": frozenset({"due", "superseded", "withdrawn"}),
    "due": frozenset({"kept", "part_kept", "broken", "superseded", "withdrawn"}),
    **dict.fromkeys(("kept", "part_kept", "broken", "superseded", "withdrawn"), frozenset[str]()),
}


class ForbiddenMove(DuecourseError):
    """A thing was asked to move to a state that it cannot reach from where it is."""


def move(table: Transitions, state: str, to: str) -> str:
    """``to``, when the table lists the move from ``state``; raises ForbiddenMove otherwise.

    Staying where one is counts as a move and must be listed like any other.
    """
    if state not in table:
        raise ForbiddenMove(f"{state!r} is not a state: expected one of {', '.join(table)}")
    if to not in table[state]:
        allowed = ", ".join(sorted(table[state])) or "nothing, it is final"
        raise ForbiddenMove(f"{state!r} cannot become {to!r}: expected {allowed}")
    return to


def can_reach(table: Transitions, state: str, to: str) -> bool:
    """True when a chain of listed moves leads from ``state`` to ``to``, or both are the same."""
    seen, todo = {state}, [state]
    while todo:
        for following in table[todo.pop()] - seen:
            seen.add(following)
            todo.append(following)
    return to in seen
