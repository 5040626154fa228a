"""What-if answers on the run page: every figure from the summary, drawings where something moves, texts escaped."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from duecourse.reports import run_page
from duecourse.reports.charts import Paired, paired_chart
from duecourse.reports.sections.scenarios import scenario_values
from support.report_samples import run_report
from support.what_if import what_if_report

NET_60 = '[[step]]\nkind = "terms"\ncustomers = "all"\nfrom = 2026-11-02\nto_net = 60\n'
DISCOUNT = '[[step]]\nkind = "discount"\ncustomers = "all"\nfrom = 2026-11-02\npercent = 2\ndays = 10\n'
HOSTILE = "<script>alert('x')</script>"


def section(html: str) -> str:
    found = re.search(r'<section[^>]*id="what-if".*?</section>', html, re.DOTALL)
    return found[0] if found else ""


def test_without_a_question_the_page_has_no_such_section() -> None:
    html = run_page.render(run_report(invoices=20, customers=8, listed=2))
    assert section(html) == ""
    assert "what-if" not in html


def test_a_range_shows_both_named_ends_and_draws_only_what_moves() -> None:
    html = section(run_page.render(what_if_report(NET_60)))
    assert html.count("<strong>Days late kept:</strong> payments move with the due date.") == 3
    assert html.count("<strong>Pay-day kept:</strong> customers pay as long after the issue as before.") == 3
    assert html.count("Nothing differs from the base.") == 3
    # Per currency one end moves: cash and difference, each for wide pages and for phones.
    assert html.count("<svg") == 3 * 2 * 2


def test_figures_are_those_of_the_summary() -> None:
    asked = what_if_report(NET_60, DISCOUNT)
    html = section(run_page.render(asked))
    effect = asked.scenarios[0]["effects"][0]
    assert _whole(effect["difference"]["mean_minor"]) in html
    answers = scenario_values(asked)["answers"]
    assert [answer.title for answer in answers] == ["test 0", "test 1"]
    assert [book.currency for book in answers[1].books] == ["EUR", "GBP", "USD"]
    assert [name for name, _ in answers[1].books[0].effects] == ["low take-up", "high take-up"]
    assert answers[1].books[0].has_discounts
    assert not answers[0].books[0].has_discounts
    assert len(answers[1].books[0].discounts) == 2


def _whole(minor: int) -> str:
    return f"€{abs(round(minor / 100)):,}"


def test_a_question_that_changes_nothing_says_so() -> None:
    html = section(run_page.render(what_if_report("")))
    assert "Nothing changes within 91 days." in html
    assert "<svg" not in html


def test_hostile_names_stay_texts_and_ids_stay_unique() -> None:
    asked = what_if_report(NET_60, DISCOUNT)
    for summary in asked.scenarios:
        assert isinstance(summary, dict)
        summary["steps"] = summary["notes"] = summary["assumptions"] = [HOSTILE]
        summary["question"] = HOSTILE
    html = run_page.render(asked)
    assert "<script" not in html
    assert "&lt;script&gt;" in section(html)
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    assert not re.search(r"\bNone\b|\bnan\b", re.sub(r"<[^>]*>", " ", section(html)))


def test_a_difference_below_zero_is_drawn_below_the_zero_line() -> None:
    paired = Paired(["a", "b"], "difference", [-5.0, 5.0], [-10.0, 0.0], [0.0, 10.0])
    svg = paired_chart("k", paired, title="T", description="D")
    dots = list(ET.fromstring(svg).iter("circle"))  # noqa: S314 - our own drawing
    zero = [one for one in ET.fromstring(svg).iter("line") if one.get("class") == "base"]  # noqa: S314
    assert float(dots[0].attrib["cy"]) > float(zero[0].attrib["y1"]) > float(dots[1].attrib["cy"])
    assert paired_chart("k", Paired([], "x", [], [], []), title="T", description="D") == ""
    with pytest.raises(ValueError, match="one value per label"):
        Paired(["a"], "x", [1.0, 2.0], [1.0], [1.0])


def test_names_at_the_end_of_close_lines_do_not_cover_each_other() -> None:
    paired = Paired(["a", "b"], "what if", [5.0, 5.0], [4.0, 4.0], [6.0, 6.0], "base", [5.0, 5.01])
    svg = paired_chart("k", paired, title=HOSTILE, description="D")
    texts = {one.text: float(one.attrib["y"]) for one in ET.fromstring(svg).iter("text")}  # noqa: S314
    assert abs(texts["what if"] - texts["base"]) >= 13
    assert "<script" not in svg
