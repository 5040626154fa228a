"""What-if questions on the cash forecast: a scenario file, the worlds it means in a book, and the difference it makes.

Public face: ``read_scenario``, ``BaseBook.of(...)``, ``compare_scenario``, then ``scenario_tables`` and
``scenario_summary``. See docs/science/scenarios.md and docs/how-to/ask-what-if.md.
"""

from duecourse.science.forecast.scenarios.compare import BaseBook, Comparison, ScenarioCash, compare_scenario
from duecourse.science.forecast.scenarios.economics import DiscountTerms, DiscountValue, discount_value
from duecourse.science.forecast.scenarios.reading import read_scenario, read_uplift
from duecourse.science.forecast.scenarios.resolve import resolve
from duecourse.science.forecast.scenarios.steps import Collections, Scenario
from duecourse.science.forecast.scenarios.summary import scenario_summary
from duecourse.science.forecast.scenarios.tables import scenario_tables
from duecourse.science.forecast.scenarios.words import short_end

__all__ = [
    "BaseBook",
    "Collections",
    "Comparison",
    "DiscountTerms",
    "DiscountValue",
    "Scenario",
    "ScenarioCash",
    "compare_scenario",
    "discount_value",
    "read_scenario",
    "read_uplift",
    "resolve",
    "scenario_summary",
    "scenario_tables",
    "short_end",
]
