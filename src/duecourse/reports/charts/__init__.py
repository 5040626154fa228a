"""Charts as inline SVG: no script, themed by the page's CSS, each with a text alternative."""

from duecourse.reports.charts.bars import Bar, ageing_bar, bar_chart, histogram, share_bar
from duecourse.reports.charts.calibration import Bin, coverage_chart, pit_histogram, reliability
from duecourse.reports.charts.lines import Fan, fan_chart, line_chart, sparkline
from duecourse.reports.charts.paired import Paired, paired_chart
from duecourse.reports.charts.ranges import forest_row, range_strip
from duecourse.reports.charts.scale import Scale, nice_ticks

__all__ = [
    "Bar",
    "Bin",
    "Fan",
    "Paired",
    "Scale",
    "ageing_bar",
    "bar_chart",
    "coverage_chart",
    "fan_chart",
    "forest_row",
    "histogram",
    "line_chart",
    "nice_ticks",
    "paired_chart",
    "pit_histogram",
    "range_strip",
    "reliability",
    "share_bar",
    "sparkline",
]
