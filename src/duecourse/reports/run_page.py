"""The page of the main job: whom to contact today and why, what will arrive, and how wrong such pages were before."""

from __future__ import annotations

from markupsafe import Markup

from duecourse.reports.page import Page, Section, print_page
from duecourse.reports.run_data import RunReport
from duecourse.reports.sections.customer_trends import customer_trend_values
from duecourse.reports.sections.customers import change_values, segment_values
from duecourse.reports.sections.forecast_record import forecast_record_values
from duecourse.reports.sections.honesty import honesty_values, worth_tile
from duecourse.reports.sections.measures import measure_values
from duecourse.reports.sections.outlook import forecast_values, headline_values
from duecourse.reports.sections.queue import left_alone_values, queue_values
from duecourse.reports.sections.scenarios import scenario_values
from duecourse.reports.sections.source import guess_values, method_values, problem_values
from duecourse.reports.wording import Wording, humane, predicted_by

__all__ = ["RunReport", "render"]


def render(report: RunReport) -> str:
    """The run page as one self-contained HTML text; the same report gives the same bytes."""
    words = Wording(report.locale)
    worth = worth_tile(report.backtest, report.backtest_missing, words)
    honesty = honesty_values(report.backtest, report.backtest_missing, words)
    asked = (Section("what-if", "What if", "scenarios.html", scenario_values(report)),) if report.scenarios else ()
    sections = (
        Section("overview", "Overview", "headline.html", headline_values(report, worth)),
        Section("contact", "Whom to contact", "queue.html", queue_values(report)),
        Section("left-alone", "Who is left alone, and why", "left_alone.html", left_alone_values(report)),
        Section("forecast", "What cash to expect", "forecast.html", forecast_values(report), new_page=True),
        *asked,
        Section(
            "forecast-record", "What came of such forecasts", "forecast_record.html", forecast_record_values(report)
        ),
        Section("measures", "Where receivables stand", "measures.html", measure_values(report), new_page=True),
        Section("segments", "How customers pay", "segments.html", segment_values(report)),
        Section("changes", "Who is changing, and who weighs most", "changes.html", change_values(report)),
        Section("trends", "Customers over twelve months", "customer_trends.html", customer_trend_values(report)),
        Section("honesty", "How wrong this was on your own past", "honesty.html", honesty, new_page=True),
        Section("problems", "Problems in the data", "problems.html", problem_values(report), new_page=True),
        Section("guesses", "What was guessed at import", "guesses.html", guess_values(report)),
        Section("method", "Method, definitions, how to read", "method.html", method_values(report)),
    )
    page = Page(
        title=report.identity.title,
        eyebrow="Collection plan",
        facts=_facts(report, words),
        sections=sections,
        footer=_footer(report),
        locale=report.locale,
    )
    return print_page(page)


def _facts(report: RunReport, words: Wording) -> list[Markup | str]:
    identity = report.identity
    return [
        Markup("as of {}").format(words.day(identity.as_of)),
        f"{words.plural(report.scores.height, 'open invoice')}",
        predicted_by(identity.rung, report.scores.height),
        f"policy: {humane(identity.policy).lower()}",
    ]


def _footer(report: RunReport) -> list[tuple[str, str]]:
    identity = report.identity
    lines = [
        ("Made by", f"duecourse {identity.program_version}; the same input and seed give the same page"),
        ("Known before", identity.as_of.isoformat()),
        ("Snapshot", identity.snapshot_id),
        ("Model", identity.model_id),
        ("Policy", f"{identity.policy} {identity.policy_version}".strip()),
        ("Seed", str(identity.seed)),
        ("Sources", ", ".join(identity.sources)),
    ]
    if identity.command:
        lines.append(("Command", identity.command))
    if identity.generated_at:
        lines.append(("Printed", identity.generated_at.isoformat(timespec="seconds")))
    return lines
