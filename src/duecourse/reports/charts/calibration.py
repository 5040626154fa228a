"""Pictures of honesty: whether what was promised with probability p came true in a share p of the cases."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from duecourse.reports.charts.svg import Box, Drawing, draw_x_label, draw_y_axis, path

_SQUARE = Box(width=300, height=280, left=46, right=14, top=12, bottom=44)
_QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Bin:
    """A group of predictions: their mean probability, the share that came true, and how many they are."""

    predicted: float
    observed: float
    count: int


def _percent(value: float) -> str:
    return f"{value * 100:.0f}%"


def reliability(key: str, bins: Sequence[Bin], *, title: str, description: str, box: Box = _SQUARE) -> Markup:
    """Observed share against predicted probability; on the diagonal is right. The area of a dot grows with its count.

    Each dot carries its 90 % interval (normal approximation). No bins give an empty string.
    """
    bins = [one for one in bins if one.count > 0]
    if not bins:
        return Markup("")
    x, y = box.across(0, 1), box.upwards(0, 1)
    drawing = Drawing(key, box.width, box.height, title, description)
    draw_y_axis(drawing, box, y, _QUARTERS, _percent)
    for quarter in _QUARTERS:
        draw_x_label(drawing, box, x(quarter), _percent(quarter))
    drawing.add("path", class_="ideal", d=path([(x(0), y(0)), (x(1), y(1))]))
    ordered = sorted(bins, key=lambda one: one.predicted)
    drawing.add("path", class_="line thin", d=path([(x(one.predicted), y(one.observed)) for one in ordered]))
    most = max(one.count for one in ordered)
    for one in ordered:
        spread = 1.645 * math.sqrt(max(one.observed * (1 - one.observed), 1e-9) / one.count)
        low, high = y(one.observed - spread), y(one.observed + spread)
        drawing.add("line", class_="whisker", x1=x(one.predicted), x2=x(one.predicted), y1=low, y2=high)
        hint = f"said {_percent(one.predicted)}, was {_percent(one.observed)}, {one.count:,} cases"
        radius = 2.5 + 4.5 * math.sqrt(one.count / most)
        drawing.hover("circle", hint, class_="dot", cx=x(one.predicted), cy=y(one.observed), r=radius)
    middle = (box.left + box.width - box.right) / 2
    drawing.add("text", "predicted", class_="tick", x=middle, y=box.height - 8, text_anchor="middle")
    return drawing.render()


def pit_histogram(
    key: str, shares: Sequence[float], count: int, *, title: str, description: str, box: Box = _SQUARE
) -> Markup:
    """Shares of outcomes per equal slice of the predicted distribution; flat is right.

    The grey band is where a flat truth would fall nine times in ten with ``count`` cases (normal approximation of the
    binomial). Dawid 1984; Gneiting, Balabdaoui and Raftery 2007.
    """
    if not shares or count <= 0:
        return Markup("")
    flat = 1 / len(shares)
    spread = 1.645 * math.sqrt(flat * (1 - flat) / count)
    top = max(*shares, flat + spread) if len(shares) > 1 else 1.0
    step = 0.05 if top <= 0.25 else 0.1 if top <= 0.5 else 0.25
    ticks = [index * step for index in range(math.ceil(top / step - 1e-9) + 1)]
    x, y = box.across(0, 1), box.upwards(0, ticks[-1])
    drawing = Drawing(key, box.width, box.height, title, description)
    draw_y_axis(drawing, box, y, ticks, _percent)
    for index, share in enumerate(shares):
        left, right = x(index * flat), x((index + 1) * flat)
        hint = f"{index * flat:.1f} to {(index + 1) * flat:.1f}: {share * 100:.1f}%"
        rect = {"x": left + 1, "y": y(share), "width": right - left - 2, "height": y(0) - y(share)}
        drawing.hover("rect", hint, class_="bar", **rect)
    drawing.add(
        "rect",
        class_="noise",
        x=x(0),
        y=y(flat + spread),
        width=x(1) - x(0),
        height=y(flat - spread) - y(flat + spread),
    )
    drawing.add("line", class_="mark", x1=x(0), x2=x(1), y1=y(flat), y2=y(flat))
    for end, text in ((0.0, "0"), (0.5, "0.5"), (1.0, "1")):
        draw_x_label(drawing, box, x(end), text)
    middle = (box.left + box.width - box.right) / 2
    drawing.add("text", "early  ←  paid  →  late", class_="tick", x=middle, y=box.height - 8, text_anchor="middle")
    return drawing.render()


def coverage_chart(
    key: str, rows: Sequence[tuple[str, float, int]], *, target: float, title: str, description: str
) -> Markup:
    """One bar per group (name, share inside the band, cases) with a line at the ``target`` share."""
    rows = [row for row in rows if row[2] > 0]
    if not rows:
        return Markup("")
    line_height, name_width, width = 26.0, 100.0, 320.0
    box = Box(width=width, height=line_height * len(rows) + 30, left=name_width, right=46, top=6, bottom=24)
    x = box.across(0, 1)
    drawing = Drawing(key, box.width, box.height, title, description)
    for order, (name, share, count) in enumerate(rows):
        top = box.top + order * line_height
        drawing.add("text", name, class_="name", x=0, y=top + 15)
        drawing.hover("rect", f"{name}: {share * 100:.1f}% of {count:,}", class_="bar", x=x(0), y=top + 4,
                      width=x(share) - x(0), height=14)  # fmt: skip
        drawing.add("text", f"{share * 100:.0f}%", class_="name", x=x(1) + 6, y=top + 15)
    foot = box.height - box.bottom
    drawing.add("line", class_="mark", x1=x(target), x2=x(target), y1=box.top, y2=foot)
    draw_x_label(drawing, box, x(target), f"target {_percent(target)}")
    return drawing.render()
