"""Where the learner starts: a cold prior, and the shipped one learnt on simulated companies, believed in part.

The shipped prior is a data file (``data/prior.json``: mean and standard deviation per coefficient name, the latter over
companies that differ from each other). Power prior: precision = half the cold one + ``TRUST`` x what the file adds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from duecourse.core.ids import sha256_hex
from duecourse.ledger.schema import ARMS
from duecourse.science.decisions.learned.book import HARSH, Bools, Floats
from duecourse.science.decisions.learned.hazard_model import MODIFIER_NAMES, Columns, Prior

TRUST = 0.4  # [A] share of the simulated evidence that a real company is given
COLD_SHARE = 0.5
STRENGTH_SD = 0.5  # [A] contacts do 1 +- .5 times what they do in simulated companies, which differ by .2
COLD_ID = "cold/1"
_AGE_MEANS = {"age_0": -1.0, "age_1": -0.4, "age_2": -0.1, "age_3": 0.0}
_HARSH_NAMES = tuple(ARMS[code] for code in HARSH)


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviation of each group of coefficients, to be updated from the tenant's own data."""

    mu: float = 0.4
    delta: float = 0.35
    phi: float = 0.2
    segment: float = 0.7
    batch: float = 0.7


ASSUMED_SPREAD = Spread()


def cold_prior(columns: Columns, spread: Spread = ASSUMED_SPREAD) -> Prior:
    """The prior without any simulation: contacts help a little, harsh ones are not assumed to."""
    mean, sd = np.zeros(columns.total), np.empty(columns.total)
    for at, name in enumerate(columns.names):
        group = name.partition(":")[0]
        if name == "intercept":
            mean[at], sd[at] = -1.5, 1.5
        elif name in _AGE_MEANS:
            mean[at], sd[at] = _AGE_MEANS[name], 0.8
        elif group == "mu":
            mean[at], sd[at] = (0.0 if name[3:] in _HARSH_NAMES else 0.3), spread.mu
        elif name == "age":
            sd[at] = 0.1
        else:
            sd[at] = _sd_of(group, name, spread)
    return Prior(mean, sd, COLD_ID)


def _sd_of(group: str, name: str, spread: Spread) -> float:
    if group == "delta":
        return spread.delta
    if group in MODIFIER_NAMES and ":" in name:
        return spread.phi
    if group == "segment":
        return spread.segment
    if name.startswith("batchness"):
        return spread.batch
    return 0.7


@dataclass(frozen=True)
class Learnt:
    """The content of a prior file: per coefficient name the mean and the spread over companies.

    ``losses``: coefficients of the write-off hazard (``write_off.Ends``), None where the file has none.
    """

    coefficients: Mapping[str, tuple[float, float]]
    losses: Floats | None
    prior_id: str
    about: str


@lru_cache(maxsize=1)
def shipped() -> Learnt | None:
    """The prior of the package; None when the installation has none."""
    file = files("duecourse.science.decisions.learned").joinpath("data/prior.json")
    if not file.is_file():
        return None
    return read_learnt(file.read_text(encoding="utf-8"))


def read_learnt(text: str) -> Learnt:
    """A prior file as ``benchmarks/learn_prior.py`` writes it; raises ValueError when it is none."""
    raw = json.loads(text)
    found = {str(name): (float(pair[0]), float(pair[1])) for name, pair in raw["coefficients"].items()}
    if any(not np.isfinite(pair).all() or pair[1] <= 0 for pair in found.values()):
        raise ValueError("a prior needs finite means and positive standard deviations")
    digest = sha256_hex(text.encode())[:8]
    return Learnt(
        found,
        None if raw.get("losses") is None else np.array(raw["losses"], dtype=np.float64),
        f"{raw['name']}/{digest}",
        str(raw["about"]),
    )


def mixed_prior(
    columns: Columns, learnt: Learnt | None, spread: Spread = ASSUMED_SPREAD, trust: float = TRUST
) -> Prior:
    """The cold prior where the file is silent; elsewhere the file's mean and its precision, believed in part.

    Beside what each coefficient does on its own, all effects of contacts may be stronger or weaker together: a company
    in which contacts do nothing is known as such from all arms at once.
    """
    cold = cold_prior(columns, spread)
    if learnt is None or trust <= 0:
        return cold
    mean, precision = cold.mean.copy(), cold.precision.copy()
    for at, name in enumerate(columns.names):
        if name in learnt.coefficients:
            centre, sd = learnt.coefficients[name]
            own = COLD_SHARE * cold.precision[at]
            added = trust * max(sd**-2 - cold.precision[at], 0.0)
            precision[at] = own + added
            mean[at] = (own * cold.mean[at] + added * centre) / precision[at]
    return Prior(mean, precision**-0.5, learnt.prior_id, STRENGTH_SD * np.where(effects(columns), mean, 0.0))


def effects(columns: Columns) -> Bools:
    """(coefficients,) True for what a contact does: mean effects, and how segment and history change them."""
    kinds = ("mu", "delta", *MODIFIER_NAMES)
    return np.array([":" in name and name.partition(":")[0] in kinds for name in columns.names])
