"""The shell of every page: one self-contained HTML file with its style inside and everything else forbidden."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from duecourse.reports import wording
from duecourse.reports.wording import Wording


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a page: its anchor, its heading, the template that prints it, and what that template reads.

    ``new_page`` starts it on a new sheet in print.
    """

    anchor: str
    heading: str
    template: str
    values: Mapping[str, Any]
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page before printing. ``facts`` are short texts below the title; ``footer`` says what made the page."""

    title: str
    eyebrow: str
    facts: Sequence[Markup | str]
    sections: Sequence[Section]
    footer: Sequence[tuple[str, str]]
    locale: str = "en_US"


@cache
def stylesheet() -> str:
    """The style of all pages, from the package's own files."""
    return resources.files("duecourse.reports").joinpath("static/report.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("duecourse.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    spoken = (wording.arm, wording.method, wording.segment, wording.silence, wording.humane, wording.sentence)
    environment.globals.update({function.__name__: function for function in spoken})
    return environment


def content_security_policy(style: str) -> str:
    """A policy that allows exactly this style and nothing else: no script, no image, no font, no network, no form."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def print_page(page: Page) -> str:
    """The page as HTML text. The same page gives the same bytes; texts of the data are escaped."""
    style = stylesheet()
    words = Wording(page.locale)
    environment = _environment()
    bodies = [
        Markup(environment.get_template(section.template).render(w=words, **section.values))  # noqa: S704
        for section in page.sections
    ]
    return environment.get_template("page.html").render(
        w=words,
        page=page,
        style=Markup(style),  # noqa: S704 - our own file
        policy=content_security_policy(style),
        sections=list(zip(page.sections, bodies, strict=True)),
    )
