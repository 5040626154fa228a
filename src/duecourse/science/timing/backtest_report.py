"""``BacktestReport``: the honest history of every method on one's own past, as plain values for JSON and pages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from duecourse.science.timing.blend_choice import BlendReport
from duecourse.science.timing.measures import Measures


@dataclass(frozen=True, slots=True)
class GroupShare:
    """Coverage in one group: ``inside`` of ``n`` outcomes lay between the 10 % and the 90 % day."""

    group: str
    n: int
    inside: int


@dataclass(frozen=True, slots=True)
class HorizonShare:
    """One horizon: share inside the 10-90 % band with all capped at ``days``, and paid within it, expected and real."""

    days: int
    n: int
    inside: int
    expected_paid: float
    paid: int


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Cases with a predicted probability in [low, high): their mean prediction and how many came true."""

    low: float
    high: float
    n: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Whether the distribution of one method can be believed, pooled over the snapshots of one set.

    ``pit_histogram``: ten shares, flat is right; ``n`` cases. ``coverage``: group kind (paid_before, segment,
    customer_size) -> groups. ``reliability``: label (late, late_60) -> bins.
    """

    n: int
    pit_histogram: tuple[float, ...]
    by_horizon: tuple[HorizonShare, ...]
    coverage: dict[str, tuple[GroupShare, ...]]
    reliability: dict[str, tuple[ReliabilityBin, ...]]


@dataclass(frozen=True, slots=True)
class SetResult:
    """One set (open or new) of one snapshot: its size, the horizon that is mature, every method's measures.

    ``not_scored`` says in words why there is nothing, else it is empty. ``gain`` is the mean CRPS of the customer's own
    distribution minus the model's (positive: the model is better), None without a model. ``brier``: curve method ->
    days -> Brier score of "paid within that many days" over all cases, also those not observed for the whole horizon.
    """

    set: str
    snapshot: date
    cases: int
    customers: int
    horizon: int
    wanted_horizon: int
    not_scored: str
    methods: dict[str, Measures]
    gain: float | None
    brier: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the gate: its name, whether it holds, and the figures in one sentence."""

    name: str
    holds: bool
    because: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's word on one set: ``use_model``, in words (``says``), with each condition's figures.

    ``rung`` is what serves the set: ``model``, else the better one of ``customer_history`` and ``book``.
    ``gain`` is the CRPS of the customer's own distribution minus the model's, mean over snapshots, with ``gain_low``
    and ``gain_high`` its parent-clustered 10-90 % interval; None when nothing could be judged.
    """

    set: str
    use_model: bool
    says: str
    checks: tuple[Check, ...]
    snapshots: int
    cases: int
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    rung: str = "customer_history"


@dataclass(frozen=True, slots=True)
class SegmentVerdict:
    """The model against the best simple method (``rival``) on one behaviour segment, over all snapshots of a set.

    CRPS in days; ``gain`` is the rival's less the model's, with its parent-clustered 10-90 % interval.
    """

    segment: str
    cases: int
    customers: int
    crps_model: float
    rival: str
    crps_rival: float
    gain: float
    gain_low: float
    gain_high: float
    says: str


@dataclass(frozen=True, slots=True)
class GateReport:
    """Whether rung ``model`` may be shown on this book: only when both sets allow it; ``rung`` is what is shown.

    ``verdicts``: set -> the word on the whole book; ``entities``: entity -> set -> the word on it alone, which goes
    before the book's.
    """

    allowed: bool
    rung: str
    says: str
    verdicts: dict[str, Verdict]
    entities: dict[str, dict[str, Verdict]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecalibrationReport:
    """Whether the model's curves are corrected, why (one sentence), and the table (``Recalibration.to_dict()``)."""

    used: bool
    says: str
    table: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class SnapshotResult:
    """One snapshot: how much was known then, both sets, and what the gate says of this snapshot alone.

    ``model`` is empty where a model was fitted, else it says why not.
    """

    snapshot: date
    cleared: int
    months_of_clearings: int
    model: str
    sets: dict[str, SetResult]
    gate: GateReport


@dataclass(frozen=True, slots=True)
class BacktestReport:
    """All snapshots, the means over them, calibration per set and method, and the gate's verdict on these snapshots.

    ``means``: set -> method -> measure (nested as in ``Measures``) -> mean over the snapshots that have it; ``n`` there
    is the number of cases and ``snapshots`` how many. Where a model could be fitted on some snapshots only, means and
    calibration are over those, so that all methods stand on the same rows. ``recalibration`` is asked for by the
    rolling backtest. ``labels`` names the methods for people. ``segments``: set -> verdict per behaviour segment.
    ``blend``: what the rolling backtest says of the share of the customer's own distribution.
    """

    known_until: date
    seed: int
    new_days: int
    snapshots: tuple[SnapshotResult, ...]
    means: dict[str, dict[str, dict[str, Any]]]
    calibration: dict[str, dict[str, Calibration]]
    gate: GateReport
    recalibration: RecalibrationReport
    labels: dict[str, str] = field(default_factory=dict)
    segments: dict[str, tuple[SegmentVerdict, ...]] = field(default_factory=dict)
    blend: BlendReport | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, numbers and texts (dates in ISO form), ready for JSON."""
        plain = _plain(asdict(self))
        assert isinstance(plain, dict)  # noqa: S101 - asdict of a dataclass is a dict
        return plain


def mean_measures(results: Sequence[Measures]) -> dict[str, Any]:
    """Plain mean over snapshots of each measure, skipping those that a snapshot could not give; counts are summed."""
    combined = _mean([asdict(one) for one in results])
    combined["n"] = sum(one.n for one in results)
    combined["snapshots"] = len(results)
    combined["horizon"] = sorted({one.horizon for one in results})
    return combined


def _mean(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    names: dict[str, None] = dict.fromkeys(name for value in values for name in value)
    result: dict[str, Any] = {}
    for name in names:
        present = [value[name] for value in values if value.get(name) is not None]
        if not present:
            result[name] = None
        elif isinstance(present[0], Mapping):
            result[name] = _mean(present)
        elif isinstance(present[0], tuple | list):
            result[name] = [sum(column) / len(present) for column in zip(*present, strict=True)]
        elif name in {"n", "positives"}:
            result[name] = sum(present)
        else:
            result[name] = sum(present) / len(present)
    return result


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value
