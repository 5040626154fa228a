"""Errors for the person who can mend them: what was wrong, where, what was expected, how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


class DuecourseError(Exception):
    """Base of every error that a user may see; its text is complete without a stack trace.

    ``exit_code`` is the process exit code of the command line (cli.md): 0 done, 2 wrong usage,
    3 bad input, 4 not enough data for what was asked, 1 anything else.
    """

    exit_code = 1


class UsageError(DuecourseError):
    """The command was given options that do not fit together."""

    exit_code = 2


class NotEnoughData(DuecourseError):
    """The books hold too little history for what was asked; the text says how much is needed."""

    exit_code = 4


class MissingLibrary(DuecourseError):
    """A system library is missing; the text is the one-line cure."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with one cell, row or file of the input.

    ``row`` counts as a spreadsheet does: the header is row 1, the first record row 2; None when the
    problem is not about one row. ``value`` is the offending text as it was read, cut to 200 characters.
    """

    file: str
    row: int | None
    column: str | None
    value: str | None
    expected: str
    cure: str = ""

    def __str__(self) -> str:
        where = self.file
        if self.row is not None:
            where += f", row {self.row}"
        if self.column:
            where += f", column {self.column}"
        got = f": {self.value!r}" if self.value is not None else ""
        cure = f" ({self.cure})" if self.cure else ""
        return f"{where}{got}: expected {self.expected}{cure}"


class BadInput(DuecourseError):
    """The input cannot be used. Carries every problem found, not only the first; nothing was written."""

    exit_code = 3

    def __init__(self, what: str, problems: tuple[Problem, ...] = ()) -> None:
        self.what = what
        self.problems = problems
        lines = [what, *(f"  {problem}" for problem in problems[:20])]
        if len(problems) > 20:
            lines.append(f"  ... and {len(problems) - 20} more problems")
        super().__init__("\n".join(lines))
