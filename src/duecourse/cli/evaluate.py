"""``duecourse evaluate``: would another policy have done better than what was done, as far as the log can tell."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import click

from duecourse import __version__
from duecourse.cli.common import (
    IsoDate,
    as_of_option,
    force_option,
    json_option,
    ledger_argument,
    note,
    out_option,
    print_summary,
    read_source,
    refuse_existing,
    resolve_as_of,
    result_directory,
    seed_option,
    step,
)
from duecourse.cli.evaluate_targets import TARGETS, target_of
from duecourse.cli.plan import the_capacity
from duecourse.core.errors import NotEnoughData


@click.command("evaluate")
@ledger_argument
@as_of_option
@click.option(
    "--policy", type=click.Choice(TARGETS), required=True,
    help="The policy in question: what would it have done on each logged decision?",
)  # fmt: skip
@click.option(
    "--since", type=IsoDate(), metavar="DATE", help="Only decisions from this day on, such as the last 90 days."
)
@click.option("--capacity", "capacity_file", type=click.Path(path_type=Path), help="capacity.json: minutes and arms.")
@out_option
@seed_option
@force_option
@json_option
def evaluate(
    *,
    ledger: Path,
    as_of: date | None,
    policy: str,
    since: date | None,
    capacity_file: Path | None,
    out: Path,
    seed: int,
    force: bool,
    as_json: bool,
) -> None:
    """Say whether POLICY would have done better than what was done in LEDGER; writes evaluation.json and .html.

    Needs a decision log with propensities. Exit code 4 when the log cannot answer; the files then say why.
    """
    from duecourse.reports import evaluation_page
    from duecourse.science.evaluate import evaluate as run_evaluation
    from duecourse.science.evaluate import to_dict

    refuse_existing(out, force=force)
    source = read_source(ledger, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    capacity = None if policy == "none" else the_capacity(capacity_file, quiet=as_json)
    target = target_of(policy, source.ledger, capacity, seed=seed, say=lambda line: note(line, quiet=as_json))
    with step(f"evaluating {policy}", quiet=as_json):
        plain = to_dict(run_evaluation(source.ledger.as_of(day), policy, target, since=since, seed=seed))
    with result_directory(out, force=force) as directory:
        text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        (directory / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        page = evaluation_page.render(plain, program_version=__version__)
        (directory / "evaluation.html").write_text(page, encoding="utf-8")
    files = [str(out / "evaluation.json"), str(out / "evaluation.html")]
    keys = ("policy", "as_of", "answer", "sentence", "contacts")
    print_summary({**{key: plain[key] for key in keys}, "files": files}, as_json=as_json, text=_text(plain, out))
    if plain["answer"] == "refused":
        raise NotEnoughData(f"{plain['sentence']} See {files[1]}.")


def _text(plain: dict[str, Any], out: Path) -> str:
    """The answer and one line per outcome for a person at the terminal."""
    lines = [] if plain["answer"] == "refused" else [plain["sentence"]]
    for one in plain["outcomes"]:
        if "gain" in one and one["support"]["suffices"]:
            gain, support = one["gain"], one["support"]
            unit = f"{one['currency']} minor units" if one["currency"] else one["unit"]
            lines.append(
                f"  {one['label']:<42} {_end(gain['estimate'])} [{_end(gain['low'])}, {_end(gain['high'])}] {unit}; "
                f"{support['decisions']:,} decisions say as much as {support['ess']:,.0f}, "
                f"overlap {support['overlap']:.0%}"
            )
    log = plain["log"]
    lines.append(
        f"{log['decisions']:,} logged decisions: {log['used']:,} used, {log['too_recent']:,} too recent, "
        f"{log['no_choice']:,} without a choice, {log['nothing_open']:,} with nothing open, "
        f"{log['held_out']:,} held out, {sum(one['rows'] for one in log['faults'].values()):,} not whole"
    )
    lines.append(f"wrote {out / 'evaluation.html'}")
    return "\n".join(lines)


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.3f}"
