"""Builds the style sheet of the web application, and says whether the committed one is fresh (no Node.js needed).

``python tools/css.py`` builds (``make css``); ``python tools/css.py --check`` compares the mark in the built file with
the sources: the hand-written style sheet and every class name that the templates use.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
APP = ROOT / "src" / "duecourse" / "app"
SOURCE, BUILT = APP / "ui" / "styles" / "app.css", APP / "ui" / "static" / "dist" / "app.css"
TOOL = ROOT / ".cache" / "css"
CLASS = re.compile(r'class="([^"]*)"')
MARK = "/* sources: {} */\n"


def class_names() -> list[str]:
    """Every word in a class attribute of a template or of the code that writes tags."""
    files = [*APP.rglob("templates/**/*.html"), *APP.rglob("*.py")]
    words = {
        word
        for file in files
        for text in CLASS.findall(file.read_text(encoding="utf-8"))
        for word in re.sub(r"{[{%].*?[%}]}", " ", text).split()
    }
    return sorted(words)


def mark() -> str:
    """The first line of a built file that belongs to the sources as they are now."""
    content = SOURCE.read_text(encoding="utf-8") + "\n".join(class_names())
    return MARK.format(hashlib.sha256(content.encode()).hexdigest()[:16])


def is_fresh() -> bool:
    """Whether the committed style sheet was built from the sources as they are now."""
    return BUILT.is_file() and BUILT.read_text(encoding="utf-8").startswith(mark())


def build() -> None:
    """Run Tailwind over the sources; raises CalledProcessError with its own message."""
    link = SOURCE.parent / "node_modules"
    if not link.exists():
        link.symlink_to(TOOL / "node_modules", target_is_directory=True)
    try:
        command = [str(TOOL / "node_modules" / ".bin" / "tailwindcss"), "-i", str(SOURCE), "-o", str(BUILT), "--minify"]
        subprocess.run(command, check=True, cwd=TOOL)
    finally:
        link.unlink()
    BUILT.write_text(mark() + BUILT.read_text(encoding="utf-8"), encoding="utf-8")


def main() -> int:
    """Build, or with ``--check`` say whether that is needed (1) or not (0)."""
    if "--check" not in sys.argv:
        build()
    elif not is_fresh():
        print("the style sheet is older than its sources: run `make css`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
