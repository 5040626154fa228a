"""The policy that learns: payment hazard with contact effects, value of a contact, plan with exact propensities.

``decide`` plans from a ``Book``; ``LearnedPolicy`` is the same as a function for simulated companies. The method and
what was measured: docs/science/learned-policy.md.
"""

from duecourse.science.decisions.learned.book import Book, Decided, Resources
from duecourse.science.decisions.learned.policy import LearnedPolicy, Outcome, Settings, decide

__all__ = ["Book", "Decided", "LearnedPolicy", "Outcome", "Resources", "Settings", "decide"]
