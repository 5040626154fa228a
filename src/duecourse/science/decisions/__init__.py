"""Decisions: whom to contact, how, when and why, within capacity and hard limits; and whom to leave alone.

``plan`` gives the decision log, the ranked worklist and the named list of everybody else under a baseline policy or
the learned one, and what may be done without a person. How: docs/science/baseline-policies.md, learned-policy.md.
"""

from duecourse.science.decisions.autonomy import Autonomy, read_autonomy
from duecourse.science.decisions.capacity import DEFAULT_CAPACITY, Arm, Capacity, read_capacity
from duecourse.science.decisions.plan import Plan, plan
from duecourse.science.decisions.policies import POLICIES, policy_version

__all__ = [
    "DEFAULT_CAPACITY", "POLICIES", "Arm", "Autonomy", "Capacity", "Plan", "plan", "policy_version", "read_autonomy",
    "read_capacity",
]  # fmt: skip
