"""``LEDGER/truth`` of a living house: what really is, beside its ledger and read by nobody who learns from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from duecourse.core.ids import sha256_hex
from duecourse.ledger.schema import ARMS
from duecourse.science.simulate.books import days
from duecourse.science.simulate.fates import NEVER
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.inboxes import FAR
from duecourse.science.simulate.living.ledger import placed_rows, point_ids
from duecourse.science.simulate.pay_calendar import Ints, to_date
from duecourse.science.simulate.truth_files import pay_run_name


def write_living_truth(house: House, directory: Path) -> None:
    """Write ``world.json`` (all parameters, seed, hash) and the tables of ``living_truth`` into a new directory."""
    directory.mkdir(parents=True)
    nature = house.nature
    described: dict[str, Any] = {
        "world": nature.world.as_json(), "seed": nature.seed, "customers": len(nature.customers.ids),
        "from": to_date(nature.first_week * 7 - 3).isoformat(), "until": to_date(house.week * 7 - 3).isoformat(),
        "policies_from": to_date(nature.start_week * 7 - 3).isoformat(),
    }  # fmt: skip
    text = json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False)
    described["sha256"] = sha256_hex(text.encode())
    (directory / "world.json").write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for name, frame in living_truth(house).items():
        frame.write_parquet(directory / f"{name}.parquet", compression="zstd", statistics=True)


def living_truth(house: House) -> dict[str, pl.DataFrame]:
    """The latent facts as frames: contact points as of the last Monday, invoices in the books, and all disputes."""
    nature, state, rows = house.nature, house.state, placed_rows(house)
    inboxes, at = nature.inboxes, house.week - nature.first_week
    names = list(nature.world.company.types)
    theta = nature.theta(house.week)
    fails = np.where(inboxes.fails_week < FAR, inboxes.fails_week * 7 - 3, -1)
    points: dict[str, Any] = {
        "customer_id": point_ids(house),
        "type": [names[kind] for kind in inboxes.kind[at].tolist()],
        "drift": inboxes.drift[at],
        "pay_run": [pay_run_name(schedule) for schedule in inboxes.schedule[at].tolist()],
        "insolvent_on": days(np.where(fails < house.week * 7 - 3, fails, -1)),
        **{f"effect_{arm}": theta[:, code] for code, arm in enumerate(ARMS) if code},
    }
    invoices = pl.DataFrame({
        "invoice_id": [f"INV-{100_001 + number}" for number in range(rows.size)],
        "decided_on": days(state.decided[rows]),
        "paid_on": days(state.paid[rows]),
        "written_off_on": days(state.written_off[rows]),
        "dispute_opened_on": days(state.dispute_opened[rows]),
        "dispute_known_on": days(state.dispute_known[rows]),
    }, schema_overrides={"invoice_id": pl.String})  # fmt: skip
    return {"contact_points": pl.DataFrame(points), "invoices": invoices, "disputes": _disputes(house, rows)}


def _disputes(house: House, rows: Ints) -> pl.DataFrame:
    """Every dispute there is, told or not: what would end it, how much it is about, how much of that is right."""
    latent, state = house.nature.latent, house.state
    at = np.flatnonzero(state.dispute_opened[rows] != NEVER)
    own = rows[at]
    return pl.DataFrame({
        "invoice_id": [f"INV-{100_001 + number}" for number in at.tolist()],
        "opened_on": days(state.dispute_opened[own]), "known_on": days(state.dispute_known[own]),
        "silent": latent.silent[own],
        "right_act": np.where(latent.documents[own], "send_documents", "route_dispute"),
        "disputed_share": latent.disputed_share[own], "valid_share": latent.granted_share[own],
    }, schema_overrides={"invoice_id": pl.String, "right_act": pl.String})  # fmt: skip
