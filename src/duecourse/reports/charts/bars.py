"""Bars: counts or amounts per group or day, a histogram, and one bar cut into ageing buckets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from markupsafe import Markup

from duecourse.reports.charts.scale import Scale, nice_ticks
from duecourse.reports.charts.svg import Box, Drawing, Label, draw_x_label, draw_y_axis, plain


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its name, its height in data units, and whether it is drawn in the quiet tone."""

    name: str
    value: float
    quiet: bool = False


def bar_chart(
    key: str,
    bars: Sequence[Bar],
    *,
    title: str,
    description: str,
    label: Label = plain,
    box: Box | None = None,
    names_shown: int = 12,
    kind: str = "chart",
) -> Markup:
    """Upright bars from zero, at most ``names_shown`` of them named. No bars give an empty string."""
    if not bars:
        return Markup("")
    box = box or Box()
    ticks = nice_ticks(min(0.0, *(bar.value for bar in bars)), max(0.0, *(bar.value for bar in bars)), 5)
    y = box.upwards(ticks[0], ticks[-1])
    slot = (box.width - box.left - box.right) / len(bars)
    drawing = Drawing(key, box.width, box.height, title, description, kind)
    draw_y_axis(drawing, box, y, ticks, label)
    every = max(1, math.ceil(len(bars) / names_shown))
    for index, bar in enumerate(bars):
        left = box.left + index * slot + slot * 0.14
        top, foot = sorted((y(bar.value), y(0)))
        tone = "bar quiet" if bar.quiet else "bar"
        hint = f"{bar.name}: {label(bar.value)}"
        drawing.hover("rect", hint, class_=tone, x=left, y=top, width=slot * 0.72, height=max(foot - top, 0))
        if index % every == 0:
            draw_x_label(drawing, box, left + slot * 0.36, bar.name)
    return drawing.render()


def histogram(
    key: str,
    edges: Sequence[float],
    counts: Sequence[float],
    *,
    title: str,
    description: str,
    label: Label = plain,
    box: Box | None = None,
    mark: float | None = None,
) -> Markup:
    """Counts between neighbouring ``edges`` (one more edge than counts); ``mark`` draws an upright line, e.g. at 0.

    Raises ValueError when the lengths do not fit or the edges do not rise.
    """
    if len(edges) != len(counts) + 1:
        raise ValueError("a histogram needs one more edge than counts")
    if any(later <= earlier for earlier, later in pairwise(edges)):
        raise ValueError("the edges of a histogram must rise")
    if not counts:
        return Markup("")
    box = box or Box()
    ticks = nice_ticks(0, max(*counts, 1e-9) if len(counts) > 1 else max(counts[0], 1e-9), 5)
    x, y = box.across(edges[0], edges[-1]), box.upwards(0, ticks[-1])
    drawing = Drawing(key, box.width, box.height, title, description)
    draw_y_axis(drawing, box, y, ticks, label)
    for left, right, count in zip(edges, edges[1:], counts, strict=False):
        hint = f"{plain(left)} to {plain(right)}: {label(count)}"
        width = max(x(right) - x(left) - 1, 0.5)
        drawing.hover("rect", hint, class_="bar", x=x(left) + 0.5, y=y(count), width=width, height=y(0) - y(count))
    if mark is not None and edges[0] <= mark <= edges[-1]:
        drawing.add("line", class_="mark", x1=x(mark), x2=x(mark), y1=box.top, y2=y(0))
    every = max(1, math.ceil(len(edges) / 9))
    for edge in edges[::every]:
        draw_x_label(drawing, box, x(edge), plain(edge))
    return drawing.render()


def ageing_bar(
    key: str,
    buckets: Sequence[Bar],
    *,
    title: str,
    description: str,
    label: Label = plain,
    width: float = 960,
    kind: str = "chart",
) -> Markup:
    """One horizontal bar cut into buckets from young (light) to old (dark), names and shares below where they fit.

    Buckets without an amount are left out of the bar; nothing open gives an empty string.
    """
    total = sum(bucket.value for bucket in buckets)
    if total <= 0:
        return Markup("")
    height = 64.0
    x = Scale(0, total, 0, width)
    drawing = Drawing(key, width, height, title, description, kind)
    start = 0.0
    for order, bucket in enumerate(buckets):
        if bucket.value > 0:
            left, right = x(start), x(start + bucket.value)
            hint = f"{bucket.name}: {label(bucket.value)}, {bucket.value / total * 100:.0f} %"
            wide = max(right - left - 1.5, 0.8)
            drawing.hover("rect", hint, class_=f"age age{order}", x=left, y=2, width=wide, height=26)
            share = f"{bucket.value / total * 100:.0f} %"
            if wide >= max(len(bucket.name), len(share)) * 7.2:
                drawing.add("text", bucket.name, class_="name", x=left, y=44)
                drawing.add("text", share, class_="tick", x=left, y=60)
        start += bucket.value
    return drawing.render()


def share_bar(key: str, share: float, *, title: str, description: str) -> Markup:
    """A word-sized bar filled to ``share`` (0..1)."""
    width, height = 72.0, 12.0
    drawing = Drawing(key, width, height, title, description, "strip")
    drawing.add("rect", class_="track", x=0, y=2, width=width, height=8)
    drawing.add("rect", class_="bar", x=0, y=2, width=width * min(max(share, 0.0), 1.0), height=8)
    return drawing.render()
