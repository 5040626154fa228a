"""Pages: self-contained, escaped, the same bytes for the same input, small, and never silent about an empty section."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pytest

from duecourse.core.errors import Problem
from duecourse.reports import audit_page, backtest_page, run_page
from duecourse.reports.page import stylesheet
from duecourse.reports.run_data import Guess, ImportNotes
from duecourse.reports.sections.honesty import worth_tile
from duecourse.reports.sections.queue import reason_text
from duecourse.reports.wording import Wording
from support.audit_samples import audit_dict
from support.report_samples import backtest, empty_report, run_report, scores

HOSTILE = "<script>alert('x')</script>\"&<img src=//evil.example>"
_VOID = {"meta", "br", "img", "link", "hr", "input"}
PAGES: dict[str, Any] = {
    "run": lambda: run_page.render(run_report()),
    "run without anything": lambda: run_page.render(empty_report()),
    "audit": lambda: audit_page.render(audit_dict()),
    "audit of one currency": lambda: audit_page.render(audit_dict(currencies=("USD",))),
    "audit of nothing": lambda: audit_page.render(audit_dict(currencies=())),
    "backtest": lambda: backtest_page.render(backtest()),
    "backtest of nothing": lambda: backtest_page.render({"known_until": "2026-08-31", "seed": 0}),
}


class Reader(HTMLParser):
    """Collects what the tests ask for, and checks that every element that opens is closed in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.levels: list[int] = []
        self.headings_without_scope = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._seen(tag, attrs)

    def _seen(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        given = {name: value or "" for name, value in attrs}
        self.attributes += [(tag, name, value) for name, value in given.items()]
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag == "th" and "scope" not in given:
            self.headings_without_scope += 1
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag


def read(html: str) -> Reader:
    """The page, parsed to its end."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.fixture(scope="module", params=sorted(PAGES))
def page(request: pytest.FixtureRequest) -> str:
    """Each page once."""
    text = PAGES[request.param]()
    assert isinstance(text, str)
    return text


def test_a_page_asks_for_nothing_outside_itself(page: str) -> None:
    reader = read(page)
    assert not reader.tags.keys() & {"script", "link", "img", "iframe", "object", "embed", "form", "base"}
    assert "http://" not in page
    assert "https://" not in page
    assert not re.search(r"url\(|@import", page)
    outside = [value for _, name, value in reader.attributes if name in {"href", "src"} and not value.startswith("#")]
    assert outside == []
    assert not [name for _, name, _ in reader.attributes if name.startswith("on") or name == "style"]


def test_the_policy_allows_exactly_the_style_of_the_page(page: str) -> None:
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert style is not None
    assert policy is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    text = policy[1].replace("&#39;", "'")
    assert text == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_ids_are_unique_and_everything_that_is_pointed_at_exists(page: str) -> None:
    reader = read(page)
    assert [name for name, times in reader.ids.items() if times > 1] == []
    pointed = [value for _, name, value in reader.attributes if name in {"aria-labelledby", "aria-describedby"}]
    anchors = [value[1:] for _, name, value in reader.attributes if name == "href"]
    assert set(" ".join([*pointed, *anchors]).split()) <= set(reader.ids)


def test_tables_and_headings_can_be_followed_by_ear(page: str) -> None:
    reader = read(page)
    assert reader.headings_without_scope == 0
    assert reader.levels[0] == 1
    assert reader.levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in zip(reader.levels, reader.levels[1:], strict=False))
    assert reader.tags["main"] == reader.tags["nav"] == 1


def test_no_value_of_the_program_leaks_into_the_text(page: str) -> None:
    visible = re.sub(r"<[^>]*>", " ", page)
    assert not re.search(r"\bNone\b|\bnan\b|Undefined|\{\{|\}\}|<bound", visible)


def test_the_same_input_gives_the_same_bytes() -> None:
    assert run_page.render(run_report()) == run_page.render(run_report())
    assert audit_page.render(audit_dict()) == audit_page.render(audit_dict())
    assert backtest_page.render(backtest()) == backtest_page.render(backtest())


def test_hostile_texts_stay_texts() -> None:
    plain = run_report(invoices=80, customers=12, listed=6)
    hostile = replace(
        plain,
        identity=replace(plain.identity, title=HOSTILE, sources=(HOSTILE,)),
        scores=plain.scores.with_columns(pl.lit('[{"reason": "<script>", "days": 2}]').alias("reasons")),
        worklist=plain.worklist.with_columns(name=pl.lit(HOSTILE), why=pl.lit(HOSTILE), needs_human=pl.lit(HOSTILE)),
        decisions=plain.decisions.with_columns(masked=pl.lit('{"sms_soft": "<script>alert(1)</script>"}')),
        not_worked=plain.not_worked.with_columns(name=pl.lit(HOSTILE), reason=pl.lit(HOSTILE)),
        drafts=dict.fromkeys(plain.drafts, HOSTILE),
        names=dict.fromkeys(plain.names, HOSTILE),
        imported=ImportNotes(
            files=(HOSTILE,),
            guesses=(Guess(about=HOSTILE, chosen=HOSTILE, because=HOSTILE, change=HOSTILE),),
            problems=(Problem(HOSTILE, 2, HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
            column_map={HOSTILE: HOSTILE},
            name_proposals=((HOSTILE, HOSTILE),),
            unknown_columns=(HOSTILE,),
        ),
        model_card=HOSTILE,
        notices=(HOSTILE,),
    )
    html = run_page.render(hostile)
    reader = read(html)
    assert reader.tags["script"] == 0
    assert reader.tags["img"] == 0
    assert html.count("alert(") > 20  # it is shown, as text


def test_a_large_book_stays_a_small_page() -> None:
    """23,000 open invoices: the lists are cut and say so, the page stays below 3 MB."""
    report = run_report(invoices=23_000, customers=4_000, listed=900)
    html = run_page.render(report)
    assert len(html.encode()) < 3_000_000
    assert html.count('<td class="rank">') == 50
    assert f"And {report.worklist.height - 50:,} more" in html


def test_every_empty_section_says_the_next_step() -> None:
    html = run_page.render(empty_report())
    assert "nothing is open, so nothing is predicted" in html
    assert "predicted by" not in html
    empty = re.findall(r'<div class="empty"><p><strong>(.*?)</strong></p><p>(.*?)</p></div>', html)
    assert len(empty) >= 9
    assert all(what and step for what, step in empty)


def test_headline_figures_are_those_of_the_frames() -> None:
    report = run_report()
    html = run_page.render(report)
    words = Wording()
    opened = int(report.scores["open_minor"].sum())
    overdue = int(report.scores.filter(pl.col("days_late") > 0)["open_minor"].sum())
    week = int(report.cash_daily.sort("date").head(7)["open_mean_minor"].sum())
    for minor in (opened, overdue, week):
        assert f'title="{words.exact(minor, "USD")}">{words.short(minor, "USD")}</dd>' in html


def test_currencies_are_never_added_up() -> None:
    dollars, euros = scores(40, 9), scores(30, 9, seed=2, currency="EUR")
    report = replace(run_report(), scores=pl.concat([dollars, euros]))
    html = run_page.render(report)
    words = Wording()
    both = int(dollars["open_minor"].sum()) + int(euros["open_minor"].sum())
    assert words.exact(int(dollars["open_minor"].sum()), "USD") in html
    assert words.exact(int(euros["open_minor"].sum()), "EUR") in html
    assert words.exact(both, "USD") not in html
    assert words.exact(both, "EUR") not in html


def test_the_page_says_so_when_the_baseline_is_better() -> None:
    html = run_page.render(run_report(allowed=False))
    assert "The model is not used." in html
    assert "The customer&#39;s own history is more accurate on your book." in html
    assert "not better" in html
    assert "The model is used." not in html


def test_the_worth_of_the_model_is_measured_against_the_best_rival() -> None:
    tile = worth_tile(backtest(), "", Wording())
    assert tile.value == "32 % closer"  # 1 - 1.93 / 2.85
    assert tile.note == "CRPS 1.93 against 2.85 days (Customer's own payments)"
    ours = backtest()
    ours["means"]["open"]["customer_history"] = {**ours["means"]["open"]["customer_empirical"], "crps": 2.0}
    assert worth_tile(ours, "", Wording()) == tile  # our own lower rung is no rule that others use
    unproven = backtest()
    unproven["gate"]["allowed"] = False
    assert worth_tile(unproven, "", Wording()).value == "not proven"  # closer by CRPS, but a condition fails
    assert worth_tile(backtest(allowed=False), "", Wording()).value == "not better"
    assert worth_tile(None, "3 months of history", Wording()).value == "not yet known"


def test_both_pages_say_where_the_model_earns_its_place() -> None:
    for html in (run_page.render(run_report()), backtest_page.render(backtest())):
        row = re.search(r"<tr><th scope=\"row\">Prompt</th>(.*?)</tr>", html)
        assert row is not None
        assert re.findall(r"<td[^>]*>(.*?)</td>", row[1]) == [
            "812", "2.00", "2.40", "0.40 (0.30 to 0.50)", "Use the model.",
        ]  # fmt: skip
        assert "Too few to tell." in html


def test_a_backtest_names_the_best_of_each_column_once_and_keeps_dashes_for_what_it_cannot_know() -> None:
    html = backtest_page.render(backtest())
    assert "<strong>1.93</strong>" in html
    assert "<strong>2.85</strong>" not in html
    row = re.search(r"LightGBM quantiles</th>(.*?)</tr>", html)
    assert row is not None
    assert "–" in row[1]


def test_reasons_are_written_with_their_days() -> None:
    text = '[{"reason": "pays on Thursdays", "days": 2.2}, {"reason": "size", "days": -1}]'
    assert reason_text(text) == "pays on Thursdays (+2\N{NO-BREAK SPACE}d), size (-1\N{NO-BREAK SPACE}d)"
    assert reason_text("not json") == ""
    assert reason_text(None) == ""


@pytest.mark.parametrize(
    ("minor", "currency", "whole", "exact"),
    [(1_234_567, "USD", "$12,346", "$12,345.67"), (1_234_567, "JPY", "¥1,234,567", "¥1,234,567"),
     (1_234_567, "KWD", "KWD1,235", "KWD1,234.567"), (-5_050, "EUR", "-€51", "-€50.50")],
)  # fmt: skip
def test_amounts_round_to_whole_units_and_keep_the_exact_one(minor: int, currency: str, whole: str, exact: str) -> None:
    words = Wording()
    plain = str.maketrans({"\N{NO-BREAK SPACE}": None})
    assert words.money(minor, currency).translate(plain) == whole
    assert words.exact(minor, currency).translate(plain) == exact


def test_dates_carry_their_iso_form() -> None:
    assert Wording().day("2019-09-01") == '<time datetime="2019-09-01" title="2019-09-01">1 Sep 2019</time>'
    assert Wording("de_DE").day("2019-09-01").endswith(">1 Sept. 2019</time>")
    assert Wording().day(None) == "–"


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast_is_that_of_wcag_aa(theme: int) -> None:
    """Text 4.5 : 1 on every ground it stands on; shapes that carry meaning 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    themes = [_colours(block) for block in re.findall(r":root \{(.*?)\}", stylesheet(), re.DOTALL)]
    assert len(themes) == 3
    colours = themes[theme]
    for text in ("ink", "quiet", "accent"):
        for ground in ("paper", "raised"):
            assert _contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert _contrast(colours["on-accent"], colours["accent"]) >= 4.5
    for shape in ("accent", "edge"):
        assert _contrast(colours[shape], colours["paper"]) >= 3, shape
    steps = [_luminance(colours[f"age{step}"]) for step in range(5)]
    assert steps in (sorted(steps), sorted(steps, reverse=True))
