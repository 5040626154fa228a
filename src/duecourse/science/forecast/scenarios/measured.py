"""More contact enters a forecast only by an effect that was measured; without one the question is refused."""

from __future__ import annotations

from duecourse.core.errors import NotEnoughData
from duecourse.science.forecast.scenarios.steps import Collections, Uplift

LEAST_SAMPLE = 200  # below it, or below this overlap, the honest answer is "cannot tell" (docs/concepts.md)
LEAST_OVERLAP = 0.8
NEEDED = (
    "what is needed: an uplift file with the days by which contact brought late payments forward, measured by chance "
    "assignment or doubly robust on logged decisions (measured_by, accounts, effective_sample_size >= 200, overlap >= "
    "0.8, days_earlier_p10, days_earlier_p50, days_earlier_p90); who was contacted and paid proves no effect, because "
    "late payers are contacted most"
)


def refuse_unmeasured(step: Collections, file: str) -> Uplift:
    """The measured effect of a step. Raises NotEnoughData that says what is needed."""
    where, uplift = f"{file}, {step.place}", step.uplift
    if uplift is None:
        raise NotEnoughData(f"{where}: nothing says what more contact would bring; {NEEDED}")
    if uplift.effective_sample_size < LEAST_SAMPLE or uplift.overlap < LEAST_OVERLAP:
        raise NotEnoughData(
            f"{where}: {uplift.source} cannot tell: an effective sample of {uplift.effective_sample_size:.0f} with "
            f"overlap {uplift.overlap:.2f}; {NEEDED}"
        )
    if uplift.days_earlier[0] <= 0:
        raise NotEnoughData(
            f"{where}: {uplift.source} does not show an effect: its P10 is {uplift.days_earlier[0]:g} days earlier, "
            "and an interval that holds 0 cannot tell whether more contact brings anything"
        )
    return uplift
