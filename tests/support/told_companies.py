"""Small companies, simulated once for all tests of the telling."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from duecourse.science.simulate import Simulated, load_world, simulate
from duecourse.science.simulate.living import House, LivingWorld, ledger_of, load_living
from duecourse.science.simulate.living.background import background_of
from duecourse.science.simulate.living.policies.simple import RandomLog
from duecourse.science.simulate.quiet_background import quiet_background
from duecourse.science.simulate.telling import Told, tell


@cache
def small_house(world: str = "healthy") -> House:
    """120 customers, 40 weeks of history and eight of a random policy."""
    spec = load_living(world)
    spec = replace(spec, company=replace(spec.company, customers=120), span=replace(spec.span, history_weeks=40))
    living = LivingWorld(spec, 2, 12)
    house = living.stepper()
    living.steer(house, RandomLog(), house.week + 8)
    return house


@cache
def told_house() -> Told:
    """Its ledger in words."""
    return tell(ledger_of(small_house()), background_of(small_house()))


@cache
def quiet_company() -> Simulated:
    """A company whose contacts change nothing."""
    return simulate(load_world("base"), customers=80, months=9, seed=5)


@cache
def told_company() -> Told:
    """Its ledger in words."""
    return tell(quiet_company().ledger, quiet_background(quiet_company()))
