"""Policies that know the truth's form and parameters, by which a gap is measured: nobody can do much better.

``BeliefOracle`` infers the payers' types from the books alone, ``Clairvoyant`` is told them. Both need a ``Paying``,
fitted by ``fit_paying`` on a random log of the same world.
"""

from duecourse.science.simulate.living.oracles.deciding import BeliefOracle, Clairvoyant
from duecourse.science.simulate.living.oracles.paying import Paying, fit_paying

__all__ = ["BeliefOracle", "Clairvoyant", "Paying", "fit_paying"]
