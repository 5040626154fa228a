from duecourse.core.errors import BadInput, Problem


def test_problem_says_where_what_expected_and_cure() -> None:
    problem = Problem("invoices.csv", 3, "due_on", "31/02", "a date", "write 2026-02-28")
    assert str(problem) == "invoices.csv, row 3, column due_on: '31/02': expected a date (write 2026-02-28)"


def test_bad_input_keeps_all_problems_and_shows_twenty() -> None:
    problems = tuple(Problem("f.csv", row, None, None, "better") for row in range(2, 27))
    error = BadInput("No.", problems)
    assert error.exit_code == 3
    assert error.problems == problems
    assert str(error).endswith("... and 5 more problems")
    assert str(error).count("f.csv") == 20
