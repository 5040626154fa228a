"""Evaluate: would another policy have done better, is a difference real, may a policy do more by itself.

``evaluate`` answers from a ledger's decision log; ``compare`` does so for arrays. ``look`` and ``guardrails`` judge a
running test, ``weeks_needed`` plans one, ``uplift_curve`` judges a ranking, ``propensity_audit`` the log itself,
``rule`` moves the ladder of autonomy. How it works: docs/science/would-it-have-been-better.md.
"""

from duecourse.science.evaluate.always_valid import Groups, guardrails, look
from duecourse.science.evaluate.audit import propensity_audit
from duecourse.science.evaluate.autonomy import Evidence, Ruling, rule
from duecourse.science.evaluate.decision_log import read_log
from duecourse.science.evaluate.evaluation import Evaluation, Target, evaluate
from duecourse.science.evaluate.gates import Standing
from duecourse.science.evaluate.logged import Logged
from duecourse.science.evaluate.off_policy import compare
from duecourse.science.evaluate.power import weeks_needed
from duecourse.science.evaluate.report import answer_of, to_dict
from duecourse.science.evaluate.uplift_curves import uplift_curve

__all__ = [
    "Evaluation", "Evidence", "Groups", "Logged", "Ruling", "Standing", "Target", "answer_of", "compare", "evaluate",
    "guardrails", "look", "propensity_audit", "read_log", "rule", "to_dict", "uplift_curve", "weeks_needed",
]  # fmt: skip
