"""``duecourse evaluate``: would another policy have done better than what was done, as far as the log can tell."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from duecourse.cli.plan import the_autonomy, the_capacity
from duecourse.core.errors import NotEnoughData
from duecourse.ledger.schema import ARMS

if TYPE_CHECKING:
    from duecourse.ledger.as_of import View
    from duecourse.science.decisions import Autonomy
    from duecourse.science.evaluate import Standing


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
@click.option(
    "--autonomy", "autonomy_file", type=click.Path(path_type=Path),
    help="autonomy.toml as given to `plan`: says what each act lacks for the next level.",
)  # fmt: skip
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
    autonomy_file: Path | None,
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
    autonomy = None if autonomy_file is None else the_autonomy(autonomy_file)
    source = read_source(ledger, quiet=as_json)
    day = resolve_as_of(as_of, source.ledger)
    capacity = None if policy == "none" else the_capacity(capacity_file, quiet=as_json)
    target = target_of(policy, source.ledger, capacity, seed=seed, say=lambda line: note(line, quiet=as_json))
    with step(f"evaluating {policy}", quiet=as_json):
        view = source.ledger.as_of(day)
        standing = None if autonomy is None else standing_of(view, autonomy)
        plain = to_dict(run_evaluation(view, policy, target, since=since, seed=seed, standing=standing))
    with result_directory(out, force=force) as directory:
        text = json.dumps(plain, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
        (directory / "evaluation.json").write_text(text + "\n", encoding="utf-8")
        page = evaluation_page.render(plain, program_version=__version__)
        (directory / "evaluation.html").write_text(page, encoding="utf-8")
    files = [str(out / "evaluation.json"), str(out / "evaluation.html")]
    keys = ("policy", "as_of", "answer", "sentence", "contacts", "gates")
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
        f"{log['held_out']:,} held out, {log['in_shadow']:,} in shadow, "
        f"{sum(one['rows'] for one in log['faults'].values()):,} not whole"
    )
    lines += [_guard(one) for one in plain["harms_by_arm"] if one["crossed"]]
    lines += [_guard(one) for trial in ("holdout", "offers") for one in (plain[trial] or {}).get("guardrails", ())
              if one["crossed"]]  # fmt: skip
    lines += [_gate(one) for one in plain["gates"]]
    lines.append(f"wrote {out / 'evaluation.html'}")
    return "\n".join(lines)


def standing_of(view: View, autonomy: Autonomy) -> Standing:
    """The levels now of every act that the log drew or the file names, for customers of no particular segment."""
    from duecourse.science.evaluate import Standing

    named = set(view.table("decisions").get_column("arm")).union(autonomy.levels, *autonomy.segments.values())
    general = replace(autonomy, kill_switch=False, segments={})
    levels = {arm: general.level_of(arm, "") for arm in ARMS if arm in named}
    return Standing(levels, autonomy.kill_switch, autonomy.calibrated_on)


def _guard(one: dict[str, Any]) -> str:
    what = one["name"] if "name" in one else f"{one['harm']} after {one['arm']}"
    return f"GUARDRAIL crossed: {what.replace('_', ' ')} are worse by at least {one['lower_bound']:.3g}"


def _gate(one: dict[str, Any]) -> str:
    arm = one["arm"].replace("_", " ")
    reasons = "; ".join(one["reasons"])
    if one["promotes"]:
        return f"  {arm}: level {one['level']} ({one['name']}); may rise to {one['to']} ({one['to_name']}): {reasons}"
    if one["to"] < one["level"]:
        return f"  {arm}: falls from level {one['level']} to {one['to']} ({one['to_name']}): {reasons}"
    return f"  {arm}: stays at level {one['level']} ({one['name']}): {reasons}"


def _end(value: float | None) -> str:
    return "open" if value is None else f"{value:+,.0f}" if abs(value) >= 100 else f"{value:+.3f}"
