"""``duecourse simulate``: a company with a known truth, as a complete ledger directory."""

from __future__ import annotations

from pathlib import Path

import click

from duecourse.cli.common import force_option, format_option, json_option, print_summary, result_directory, step


@click.command("simulate")
@click.option("--world", "name", required=True, metavar="NAME", help="Which company; an unknown name lists them all.")
@click.option("--customers", type=click.IntRange(1, 1_000_000), help="Number of customers; default: the world's own.")
@click.option("--months", type=click.IntRange(1, 240), help="Length of the history; default: the world's own.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed; same world, size and seed, same bytes.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Ledger directory to create.")
@format_option
@force_option
@json_option
def simulate(
    name: str,
    customers: int | None,
    months: int | None,
    seed: int,
    out: Path,
    *,
    file_format: str,
    force: bool,
    as_json: bool,
) -> None:
    """Write a simulated company as a ledger directory, with the truth kept aside in OUT/truth.

    Everything is invented and everything derived from it is to be called simulated.
    """
    from duecourse.ledger.schema import TABLES
    from duecourse.ledger.write import write_ledger
    from duecourse.science.simulate import load_world
    from duecourse.science.simulate import simulate as run
    from duecourse.science.simulate.truth_files import write_truth

    world = load_world(name)
    with result_directory(out, force=force) as work:
        with step(f"simulating world {name}", quiet=as_json):
            simulated = run(world, customers=customers, months=months, seed=seed)
        with step("writing the ledger", quiet=as_json):
            write_ledger(simulated.ledger, work / "ledger", "csv" if file_format == "csv" else "parquet")
            for table in sorted((work / "ledger").iterdir()):
                table.rename(work / table.name)
            (work / "ledger").rmdir()
            write_truth(simulated.truth, work / "truth")
        written = {item.name for item in work.iterdir()}
    for stale in (out / f"{table}.{ending}" for table in TABLES for ending in ("csv", "parquet")):
        if stale.name not in written:  # a table of the company that --force replaces is not this company's
            stale.unlink(missing_ok=True)
    rows = {table: frame.height for table, frame in simulated.ledger.tables.items()}
    print_summary(
        {"world": name, "seed": seed, "out": out, "as_of": world.ends_on, "rows": rows},
        as_json=as_json,
        text=f"{out}: {rows['customers']} customers, {rows['invoices']} invoices, {rows['payments']} payments "
        f"(simulated, world {name}, seed {seed}); use --as-of {world.ends_on}",
    )
