"""Simulated companies whose truth is known: ledgers for tests, benchmarks, load and the bundled example.

``load_world`` and ``simulate`` make a company; ``true_cdf`` says when its invoices are paid, as a distribution, to one
who knows the payers or to one who knows what the books show. Learners never import this package.
"""

from duecourse.science.simulate.company import Simulated, Truth, simulate
from duecourse.science.simulate.oracle import true_cdf
from duecourse.science.simulate.world import World, load_world, world_from, world_names

__all__ = ["Simulated", "Truth", "World", "load_world", "simulate", "true_cdf", "world_from", "world_names"]
