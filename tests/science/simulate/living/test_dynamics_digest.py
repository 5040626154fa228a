"""The living dynamics are what they were: learners are measured on them, and the shipped prior names their worlds."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from duecourse.science.simulate.living import LivingWorld, Policy, load_living
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.policies.simple import RandomLog


@pytest.mark.parametrize(
    ("world", "policy", "digest"),
    [
        ("base", RandomLog(), "ad40a2cb0b4b28bd"),
        ("healthy", ladder, "eb84bc3069fc4ab7"),
        ("stress", RandomLog(), "700de8f656452196"),
    ],
)
def test_who_pays_when_and_who_is_contacted_is_drawn_as_ever(world: str, policy: Policy, digest: str) -> None:
    """Only whole numbers are counted in, so that the digest is the same on every machine."""
    spec = load_living(world)
    spec = replace(spec, company=replace(spec.company, customers=120), span=replace(spec.span, history_weeks=20))
    living = LivingWorld(spec, 2, 12)
    house = living.stepper()
    living.steer(house, policy, house.week + 8)
    state, hashed = house.state, hashlib.sha256()
    for name in ("decided", "received", "posted", "rest_posted", "paid", "written_off", "dispute_known", "handed_over"):
        hashed.update(getattr(state, name).astype(np.int64).tobytes())
    for log, names in (
        (state.contacts, ("point", "day", "arm", "reached")), (state.decisions, ("point", "day", "arm", "executed")),
        (state.promises, ("invoice", "made", "due")), (state.replies, ("point", "day")),
        (state.complaints, ("point", "day", "kind")),
    ):  # fmt: skip
        for name in names:
            hashed.update(log.ints(name).tobytes())
    hashed.update(house.nature.orders.amount_minor.tobytes())
    assert hashed.hexdigest()[:16] == digest
