"""Debian's own Chromium and the rules of axe, once for all browser tests of a process."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE = "axe-core@4.10.3"  # a tool of this test only: never shipped, never part of a page


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's own Chromium, headless."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no page was opened")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium): no page was opened")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe, fetched for this run."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed: the rules of axe were NOT checked (contrast is, in tests/reports)")
    folder = tmp_path_factory.mktemp("axe")
    command = [npm, "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(folder), AXE]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{AXE} could not be fetched ({type(error).__name__}): the rules of axe were NOT checked")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
