"""Intervals in a table cell: the band of a payment date, and a change with its uncertainty on a shared axis."""

from __future__ import annotations

from markupsafe import Markup

from duecourse.reports.charts.scale import Scale
from duecourse.reports.charts.svg import Drawing

_WIDTH, _HEIGHT = 120.0, 16.0


def range_strip(
    key: str, low: float, middle: float | None, high: float | None, *, horizon: float, title: str, description: str
) -> Markup:
    """The P10-P90 band of days from today with a tick at P50, on an axis 0..``horizon``; no ``high``: it runs off."""
    x = Scale(0, horizon, 2, _WIDTH - 2)
    drawing = Drawing(key, _WIDTH, _HEIGHT, title, description, "strip")
    drawing.add("line", class_="grid", x1=2, x2=_WIDTH - 2, y1=8, y2=8)
    end = x(horizon if high is None else high)
    drawing.add("rect", class_="band", x=x(low), y=4, width=max(end - x(low), 2), height=8)
    if high is None or high > horizon:
        drawing.add("path", class_="beyond", d=f"M{_WIDTH - 6:.0f} 3L{_WIDTH - 1:.0f} 8L{_WIDTH - 6:.0f} 13")
    if middle is not None and middle <= horizon:
        drawing.add("rect", class_="dot", x=x(middle) - 1.5, y=2, width=3, height=12)
    return drawing.render()


def forest_row(
    key: str, low: float, middle: float, high: float, *, limits: tuple[float, float], title: str, description: str
) -> Markup:
    """A change with its interval on the axis ``limits`` that all rows share, and a line at zero."""
    x = Scale(*limits, 3, _WIDTH - 3)
    drawing = Drawing(key, _WIDTH, _HEIGHT, title, description, "strip")
    if limits[0] <= 0 <= limits[1]:
        drawing.add("line", class_="base", x1=x(0), x2=x(0), y1=1, y2=_HEIGHT - 1)
    drawing.add("line", class_="whisker", x1=x(low), x2=x(high), y1=8, y2=8)
    drawing.add("circle", class_="dot", cx=x(middle), cy=8, r=3.5)
    return drawing.render()
