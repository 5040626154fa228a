"""Worlds in which contacts matter: what a policy does changes who pays when, and everything of it is known.

``LivingWorld(load_living(name), seed)`` runs policies, compares them on the same random numbers and gives the true
effect of single contacts; ``stepper()`` drives a house week by week from outside. Learners never import this package.
"""

from duecourse.science.simulate.living.book import Book, Capacity, Decided, Policy, none, surely
from duecourse.science.simulate.living.family import family
from duecourse.science.simulate.living.house import House
from duecourse.science.simulate.living.ledger import decided_from, ledger_of
from duecourse.science.simulate.living.outcome import Outcome
from duecourse.science.simulate.living.policies.ladder import ladder
from duecourse.science.simulate.living.spec import Living, living_names, load_living
from duecourse.science.simulate.living.world import Comparison, Effect, LivingWorld

__all__ = [
    "Book",
    "Capacity",
    "Comparison",
    "Decided",
    "Effect",
    "House",
    "Living",
    "LivingWorld",
    "Outcome",
    "Policy",
    "decided_from",
    "family",
    "ladder",
    "ledger_of",
    "living_names",
    "load_living",
    "none",
    "surely",
]
