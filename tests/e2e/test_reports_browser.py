"""The pages in a real browser: no network, no script, both themes, a phone's width, print, and axe's rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from duecourse.reports import audit_page, backtest_page, run_page
from support.audit_samples import audit_dict
from support.report_samples import backtest, empty_report, run_report
from support.what_if import what_if_report

pytestmark = pytest.mark.browser

SHOCK = '[[step]]\nkind = "shock"\nseverity = 2\n'
PAGES: dict[str, Any] = {
    "run": lambda: run_page.render(run_report(invoices=60, customers=30, listed=5)),
    "run-empty": lambda: run_page.render(empty_report()),
    "run-what-if": lambda: run_page.render(what_if_report(SHOCK)),
    "audit": lambda: audit_page.render(audit_dict(currencies=("USD",))),
    "backtest": lambda: backtest_page.render(backtest(allowed=False)),
}
WIDE_OUTSIDE_A_SCROLL_REGION = """
() => [...document.querySelectorAll('body *')]
  .filter(one => !one.closest('.scroll, .unseen, .skip') && one.getBoundingClientRect().width > 0)
  .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1)
  .map(one => one.tagName + '.' + one.getAttribute('class'))
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each page as a file."""
    folder = tmp_path_factory.mktemp("pages")
    written = {}
    for name, make in PAGES.items():
        written[name] = folder / f"{name}.html"
        written[name].write_text(make(), encoding="utf-8")
    return written


def opened(browser: Any, file: Path, *, width: int = 1200, scheme: str = "light") -> tuple[Any, list[str], list[str]]:
    """The page with what it asked for beyond itself and what the console said (a breach of its policy shows there)."""
    asked: list[str] = []
    said: list[str] = []
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(file.as_uri())
    return page, [url for url in asked if url != file.as_uri()], said


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_asks_for_nothing_and_keeps_its_own_policy(browser: Any, files: dict[str, Path], name: str) -> None:
    page, asked, said = opened(browser, files[name])
    assert asked == []
    assert said == []
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "15px"  # the style was let in by its hash
    page.close()


@pytest.mark.parametrize("name", sorted(PAGES))
@pytest.mark.parametrize("width", [320, 800])
def test_nothing_sticks_out_on_a_narrow_screen(browser: Any, files: dict[str, Path], name: str, width: int) -> None:
    page, _, _ = opened(browser, files[name], width=width)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(WIDE_OUTSIDE_A_SCROLL_REGION) == []
    reasons = page.evaluate("[...document.querySelectorAll('.why')].map(one => one.getBoundingClientRect().right)")
    assert all(right <= width for right in reasons)  # the words of the worklist are read without scrolling sideways
    page.close()


def test_the_dark_page_is_dark(browser: Any, files: dict[str, Path]) -> None:
    shown = {}
    for scheme in ("light", "dark"):
        page, _, _ = opened(browser, files["run"], scheme=scheme)
        shown[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.close()
    assert shown == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 23, 28)"}


def test_the_draft_of_a_customer_unfolds_by_keyboard(browser: Any, files: dict[str, Path]) -> None:
    page, _, _ = opened(browser, files["run"])
    summary = page.locator(".queue summary").first
    draft = page.locator(".queue .draft").first
    assert not draft.is_visible()
    summary.focus()
    page.keyboard.press("Enter")
    assert draft.is_visible()
    assert draft.inner_text().startswith("Subject: Open invoices")
    page.close()


def test_print_has_no_navigation_no_closed_folds_and_several_sheets(browser: Any, files: dict[str, Path]) -> None:
    page, _, _ = opened(browser, files["run"], scheme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav.contents").is_visible()
    assert not page.locator("details:not([open]) > summary").first.is_visible()
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert 8 <= pdf.count(b"/Type /Page\n") <= 20
    page.close()


@pytest.mark.parametrize(("name", "scheme"), [*((name, "light") for name in sorted(PAGES)), ("run", "dark")])
def test_axe_finds_nothing(browser: Any, files: dict[str, Path], axe: str, name: str, scheme: str) -> None:
    page, _, _ = opened(browser, files[name], scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.evaluate(axe)
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate("tags => axe.run(document, {runOnly: {type: 'tag', values: tags}})", tags)
    lines = [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:160]}" for one in found["violations"]]
    assert lines == []
    assert len(found["passes"]) > 20
    page.close()
