"""The application's own house rules: how actions look, who writes, and how features call each other."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import call_command
from django.test import override_settings
from django.urls import path

import duecourse.app
from duecourse.app.ui.views import health

APP = Path(duecourse.app.__file__).parent
WRITES = {"create", "bulk_create", "update", "bulk_update", "delete", "save", "get_or_create", "update_or_create"}
SHARED_ROOMS = {"ui"}  # pages, forms and needs are for every feature


def modules() -> list[tuple[Path, ast.Module]]:
    files = [file for file in sorted(APP.rglob("*.py")) if "migrations" not in file.parts]
    return [(file.relative_to(APP), ast.parse(file.read_text(encoding="utf-8"))) for file in files]


def test_every_action_takes_actor_and_now_by_keyword_only() -> None:
    seen = 0
    for feature in settings.FEATURES:
        if not (APP / feature / "actions.py").exists():
            continue
        module = import_module(f"duecourse.app.{feature}.actions")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith("_"):
                continue
            parameters = inspect.signature(function).parameters
            assert all(one.kind is not one.POSITIONAL_OR_KEYWORD for one in parameters.values()), name
            assert {"actor", "now"} <= set(parameters), name
            seen += 1
    assert seen >= 10


def test_only_actions_write() -> None:
    faults = [
        f"{where}:{node.lineno} {node.func.attr}"
        for where, tree in modules()
        if where.name not in {"actions.py", "bulk.py", "runner.py"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in WRITES
        and "objects" in ast.unparse(node.func.value)
    ]  # fmt: skip
    assert faults == []


def test_a_feature_reaches_another_by_actions_and_queries_only() -> None:
    faults = []
    for where, tree in modules():
        home = where.parts[0]
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("duecourse.app."):
                continue
            parts = (node.module or "").split(".")[2:]
            if len(parts) < 2 or parts[0] in {home, *SHARED_ROOMS} or parts[0] not in settings.FEATURES:
                continue
            if parts[1] not in {"actions", "queries", "models", "codes", "kinds", "snapshot"}:
                faults.append(f"{where}: {node.module}")
    assert faults == []


def test_migrations_match_the_models(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


def undeclared(request: object) -> None:
    """A view that says nothing about who may see it."""


urlpatterns = [path("open-door/", undeclared), path("health", health)]


@override_settings(ROOT_URLCONF=__name__)
def test_a_view_that_declares_nothing_stops_the_start() -> None:
    found = [error for error in run_checks() if error.id == "ui.E001"]
    assert [error.msg for error in found] == ["the view of /open-door/ does not declare what it needs"]


def test_the_style_sheet_is_fresh() -> None:
    tool = APP.parents[2] / "tools" / "css.py"
    checked = subprocess.run([sys.executable, str(tool), "--check"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("template", sorted(APP.rglob("*.html")), ids=lambda file: str(file.relative_to(APP)))
def test_no_template_needs_an_inline_script_or_style(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    for forbidden in ("<style", " style=", " onclick=", " onload=", " onsubmit=", "javascript:", "|safe", "<script>"):
        assert forbidden not in text
