"""House rules that no general linter knows: run by ``make check``, prints what, where and how to mend it.

1. core, ledger, science and reports read no clock, no environment and no random state of their own.
2. No float money: a name that ends in ``_minor`` is never annotated or cast as float.
3. A module has at most 400 lines (600 is the hard stop for the listed ones), a function at most 70, and the
   90th percentile of function lengths is at most 40; at most five positional parameters.
4. No mark of unfinished work, and no path of somebody's machine.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "duecourse"
PURE = ("core", "ledger", "science", "reports")
# method -> the names on which it reads the clock (Polars' `.dt.time()` does not)
CLOCK_OWNERS = {
    **dict.fromkeys(("now", "today", "utcnow"), ("datetime", "date", "dt")),
    **dict.fromkeys(("time", "time_ns", "localtime", "gmtime", "perf_counter"), ("time",)),
}
MODULE_LINES, FUNCTION_LINES, FUNCTION_P90, POSITIONAL = 400, 70, 40, 5
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"(^|[^\w.])/(home|work|root|Users)/\w")


def hidden_inputs(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Calls that read the clock, the environment or global random state."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if name in CLOCK_OWNERS.get(node.func.attr, ()):
                yield node.lineno, f"reads the clock ({name}.{node.func.attr}); take `now` or `as_of` as a parameter"
            if name == "random" and node.func.attr in {"seed", "rand", "randn", "normal", "shuffle", "choice"}:
                yield node.lineno, "uses global random state; take a seed and use core.ids.uniform or a Generator"
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}:
            yield node.lineno, "reads the environment; take the value as a parameter"


def float_money(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """``*_minor`` names annotated as float, in parameters, variables and fields."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.expr | None, int]] = []
        if isinstance(node, ast.arg):
            pairs.append((node.arg, node.annotation, node.lineno))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            pairs.append((node.target.id, node.annotation, node.lineno))
        for name, annotation, line in pairs:
            if name.endswith("_minor") and isinstance(annotation, ast.Name) and annotation.id == "float":
                yield line, f"{name} is money in minor units and must be int, never float"


def functions(tree: ast.AST) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Every function with its length in lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node, (node.end_lineno or node.lineno) - node.lineno + 1


def positional(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Number of positional parameters, self and cls not counted."""
    names = [argument.arg for argument in node.args.posonlyargs + node.args.args]
    return len(names) - (1 if names and names[0] in {"self", "cls"} else 0)


def module_faults(path: Path, lengths: list[int]) -> Iterator[str]:
    """All faults of one module; adds its function lengths to ``lengths``."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    where = path.relative_to(ROOT)
    lines = text.count("\n")
    if lines > MODULE_LINES:
        yield f"{where}: {lines} lines; split it by subject (at most {MODULE_LINES})"
    for node, length in functions(tree):
        lengths.append(length)
        if length > FUNCTION_LINES:
            yield f"{where}:{node.lineno} {node.name}: {length} lines; at most {FUNCTION_LINES}"
        # Click hands options over by keyword, so a verb may have many.
        if positional(node) > POSITIONAL and "cli" not in where.parts:
            yield f"{where}:{node.lineno} {node.name}: more than {POSITIONAL} positional parameters; name a dataclass"
    pure = path.relative_to(SOURCE).parts[0] in PURE
    for line, fault in [*(hidden_inputs(tree) if pure else ()), *float_money(tree)]:
        yield f"{where}:{line} {fault}"


def text_faults() -> Iterator[str]:
    """Marks of unfinished work and machine paths, in code and documents alike."""
    for folder in ("src", "docs", "benchmarks", "tests", "tools"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix not in {".py", ".md", ".html", ".css", ".toml", ".txt", ".j2"} or path == Path(__file__):
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if UNFINISHED.search(line) and folder == "src":
                    yield f"{path.relative_to(ROOT)}:{number} mark of unfinished work"
                if MACHINE_PATH.search(line):
                    yield f"{path.relative_to(ROOT)}:{number} path of a machine"


def main() -> int:
    """Prints every fault; returns 1 when there is one."""
    lengths: list[int] = []
    faults = [fault for path in sorted(SOURCE.rglob("*.py")) for fault in module_faults(path, lengths)]
    faults += text_faults()
    p90 = sorted(lengths)[int(len(lengths) * 0.9)] if lengths else 0
    if p90 > FUNCTION_P90:
        faults.append(f"90th percentile of function lengths is {p90} lines; at most {FUNCTION_P90}")
    print("\n".join(faults) if faults else f"house rules hold: {len(lengths)} functions, p90 {p90} lines")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
