"""Pictures of the report for docs/images, taken in headless Chromium from the bundled example export alone.

Usage: python tools/screenshots.py [REPORT.html]. Without a report the main job is run on examples/export.csv first.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# name -> width, height, colour scheme, the section to bring into view (empty: the top of the page)
PICTURES = {
    "report-light": (1280, 900, "light", ""),
    "report-dark": (1280, 900, "dark", ""),
    "report-queue": (1280, 900, "light", "contact"),
    "report-forecast": (1280, 900, "light", "forecast"),
    "report-honesty": (1280, 1000, "light", "honesty"),
    "report-phone": (360, 780, "light", "contact"),
}


def main() -> int:
    """Takes every picture; gives the exit code."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        print("Chromium is not installed; on Debian: apt-get install chromium")
        return 1
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        report = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else run_example(Path(folder) / "out")
        IMAGES.mkdir(parents=True, exist_ok=True)
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        for name, setting in PICTURES.items():
            take(browser, report, IMAGES / f"{name}.png", setting)
            print(f"docs/images/{name}.png")
        browser.close()
    return 0


def run_example(out: Path) -> Path:
    """The report of the main job on the bundled example export."""
    program = Path(sys.executable).with_name("duecourse")
    command = [str(program), "run", str(ROOT / "examples" / "export.csv"), "--out", str(out)]
    subprocess.run(command, check=True, cwd=ROOT)
    return out / "report.html"


def take(browser: Browser, report: Path, picture: Path, setting: tuple[int, int, str, str]) -> None:
    """One picture of the part of the report that a reader would see at that size."""
    width, height, scheme, section = setting
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(report.as_uri() + (f"#{section}" if section else ""))
    if section == "contact":
        page.locator(".queue details").first.evaluate("fold => fold.open = true")
    page.screenshot(path=picture)
    page.close()


if __name__ == "__main__":
    sys.exit(main())
