"""``duecourse simulate``: a company with a known truth, as a complete ledger directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from duecourse.cli.common import force_option, format_option, json_option, print_summary, result_directory, step
from duecourse.core.errors import UsageError

if TYPE_CHECKING:
    from duecourse.ledger.as_of import Ledger
    from duecourse.science.simulate.telling import Background


USUAL_WEEKS = 52  # under the policy


@click.command("simulate")
@click.option("--world", "name", required=True, metavar="NAME", help="Which company; an unknown name lists them all.")
@click.option("--customers", type=click.IntRange(1, 1_000_000), help="Number of customers; default: the world's own.")
@click.option("--months", type=click.IntRange(1, 240), help="Whole length of its books; default: the world's own.")
@click.option(
    "--contacts",
    type=click.Choice(["none", "ladder", "explored", "random"]),
    help="A company whose contacts matter: 52 weeks of human history, then --weeks of this policy. Own world names; "
    "default for those that have no other form (demo ...): explored.",
)
@click.option(
    "--weeks",
    type=click.IntRange(1, 520),
    help="Weeks under the policy of --contacts; default 52, or --months less the history.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed; same world, size and seed, same bytes.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Ledger directory to create.")
@click.option(
    "--bank-months",
    type=click.IntRange(1, 240),
    help="Also write OUT/bank: statements of the last months as camt.053, MT940, BAI2 and CSV.",
)
@click.option("--effects", is_flag=True, help="With --contacts: the true effect of each contact in truth (minutes).")
@click.option("--plain", is_flag=True, help="Only what the dynamics say: no lines, texts, references or cases.")
@format_option
@force_option
@json_option
def simulate(
    *,
    name: str,
    customers: int | None,
    months: int | None,
    contacts: str | None,
    weeks: int | None,
    seed: int,
    out: Path,
    bank_months: int | None,
    effects: bool,
    plain: bool,
    file_format: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write a simulated company as a ledger directory, with the truth kept aside in OUT/truth.

    Everything is invented and everything derived from it is to be called simulated.
    """
    from duecourse.ledger.schema import TABLES
    from duecourse.ledger.write import write_ledger

    contacts = contacts or _usual_policy(name)
    if contacts is None and weeks is not None:
        raise UsageError("--weeks counts the weeks under a policy: it needs --contacts")
    if effects and contacts is None:
        raise UsageError("--effects are those of contacts: it needs --contacts")
    if weeks is not None and months is not None:
        raise UsageError("--months is the whole length and --weeks the part under the policy: give one of them")
    if plain and bank_months is not None:
        raise UsageError("--bank-months needs the references that --plain leaves out")
    with result_directory(out, force=force) as work:
        with step(f"simulating world {name}", quiet=as_json):
            if contacts is None:
                company = _quiet(work, name, customers, months, seed)
            else:
                way = _Way(contacts, weeks, months, effects)
                company = _living(work, name, way, customers=customers, seed=seed)
        ledger, as_of = company.ledger, company.as_of
        if not plain:
            with step("telling it in words", quiet=as_json):
                ledger = _told(company, work / "truth")
        if bank_months is not None:
            with step("writing bank statements", quiet=as_json):
                _write_bank(work, ledger, company, bank_months)
        with step("writing the ledger", quiet=as_json):
            write_ledger(ledger, work / "ledger", "csv" if file_format == "csv" else "parquet")
            for table in sorted((work / "ledger").iterdir()):
                table.rename(work / table.name)
            (work / "ledger").rmdir()
        written = {item.name for item in work.iterdir()}
    for stale in (out / f"{table}.{ending}" for table in TABLES for ending in ("csv", "parquet")):
        if stale.name not in written:  # a table of the company that --force replaces is not this company's
            stale.unlink(missing_ok=True)
    if (out / "bank").is_dir() and "bank" not in written:
        shutil.rmtree(out / "bank")
    rows = {table: frame.height for table, frame in ledger.tables.items()}
    print_summary(
        {"world": name, "seed": seed, "out": out, "as_of": as_of, "rows": rows},
        as_json=as_json,
        text=f"{out}: {rows['customers']} customers, {rows['invoices']} invoices, {rows['payments']} payments "
        f"(simulated, world {name}, seed {seed}); use --as-of {as_of}",
    )


def _usual_policy(name: str) -> str | None:
    """The policy of a world in which contacts matter and that has no quiet form; None for all others."""
    from duecourse.science.simulate import world_names
    from duecourse.science.simulate.living import living_names

    return "explored" if name in living_names() and name not in world_names() else None


@dataclass(frozen=True)
class _Way:
    """How a company whose contacts matter is lived: the name of the policy, for how long, with effects noted or not.

    At most one of ``weeks`` (under the policy) and ``months`` (in all) is given.
    """

    policy: str
    weeks: int | None
    months: int | None
    effects: bool

    def weeks_after(self, history_weeks: int) -> int:
        """Weeks under the policy, at least one, after so many of human history."""
        if self.months is not None:
            return max(1, round(self.months * 365.25 / 12 / 7) - history_weeks)
        return USUAL_WEEKS if self.weeks is None else self.weeks


@dataclass(frozen=True)
class _Company:
    """A simulated company: its ledger, the first day that it does not know, and what its texts are made from."""

    ledger: Ledger
    as_of: date
    background: Callable[[], Background]
    seed: int


def _told(company: _Company, truth: Path) -> Ledger:
    """The ledger with all its words, their truth written to ``truth``."""
    from duecourse.science.simulate.telling import tell

    told = tell(company.ledger, company.background())
    for table, frame in told.truth.items():
        frame.write_parquet(truth / f"{table}.parquet", compression="zstd", statistics=True)
    return told.ledger


def _write_bank(work: Path, ledger: Ledger, company: _Company, months: int) -> None:
    """Bank statements of the last ``months`` months in WORK/bank, what their lines mean in WORK/truth."""
    from duecourse.science.simulate.telling.statements import bank_files

    index = company.as_of.year * 12 + company.as_of.month - 1 - (months - 1)
    since = date(index // 12, index % 12 + 1, 1)
    lines, files = bank_files(ledger.table("payments"), company.seed, since=since, until=company.as_of)
    for path, content in files:
        file = work / "bank" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())
    lines.write_parquet(work / "truth" / "bank_lines.parquet", compression="zstd", statistics=True)


def _quiet(work: Path, name: str, customers: int | None, months: int | None, seed: int) -> _Company:
    """A company whose contacts change nothing, its truth written to WORK/truth."""
    from duecourse.science.simulate import load_world
    from duecourse.science.simulate import simulate as run
    from duecourse.science.simulate.quiet_background import quiet_background
    from duecourse.science.simulate.truth_files import write_truth

    world = load_world(name)
    simulated = run(world, customers=customers, months=months, seed=seed)
    write_truth(simulated.truth, work / "truth")
    return _Company(simulated.ledger, world.ends_on, lambda: quiet_background(simulated), seed)


def _living(work: Path, name: str, way: _Way, *, customers: int | None, seed: int) -> _Company:
    """A company whose contacts matter, after its weeks under a policy, its truth written to WORK/truth."""
    from duecourse.science.simulate.living import LivingWorld, Policy, ledger_of, load_living
    from duecourse.science.simulate.living.background import background_of
    from duecourse.science.simulate.living.effects import Witness
    from duecourse.science.simulate.living.policies.explored import explored
    from duecourse.science.simulate.living.policies.ladder import ladder
    from duecourse.science.simulate.living.policies.simple import RandomLog, none
    from duecourse.science.simulate.living.truth_files import write_living_truth
    from duecourse.science.simulate.pay_calendar import to_date

    spec = load_living(name, {"changes": {"customers": customers}} if customers else {})
    weeks = way.weeks_after(spec.span.history_weeks)
    world = LivingWorld(spec, seed, weeks)
    house = world.stepper()
    policies: dict[str, Policy] = {"none": none, "ladder": ladder, "explored": explored, "random": RandomLog()}
    witness = Witness(policies[way.policy])
    world.steer(house, witness if way.effects else witness.policy, house.week + weeks)
    write_living_truth(house, work / "truth")
    if way.effects:
        witness.effects().write_parquet(work / "truth" / "effects.parquet", compression="zstd", statistics=True)
    return _Company(ledger_of(house), to_date(house.week * 7 - 3), lambda: background_of(house), seed)
