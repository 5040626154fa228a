"""What might be beside what is expected: two lines over the same periods, or their difference around zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from duecourse.reports.charts.scale import nice_ticks
from duecourse.reports.charts.svg import Box, Drawing, Label, draw_x_label, draw_y_axis, path, plain

_NAME_HEIGHT = 14


@dataclass(frozen=True, slots=True)
class Paired:
    """A named line with its P10-P90 band per period, and a second, dashed line to compare it with (or none)."""

    labels: Sequence[str]
    name: str
    middle: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]
    other_name: str = ""
    other: Sequence[float] = ()

    def __post_init__(self) -> None:
        if (
            len({len(self.labels), len(self.middle), len(self.low), len(self.high), len(self.other or self.labels)})
            != 1
        ):
            raise ValueError("every line of a paired chart needs one value per label")


def paired_chart(
    key: str,
    paired: Paired,
    *,
    title: str,
    description: str,
    label: Label = plain,
    box: Box | None = None,
    kind: str = "chart",
) -> Markup:
    """The line in its band and the other line dashed, both named at their end; values may be below zero.

    An empty series gives an empty string.
    """
    if not paired.middle:
        return Markup("")
    box = box or Box(width=460, height=230, left=62, right=70)
    values = [*paired.middle, *paired.low, *paired.high, *paired.other, 0.0]
    ticks = nice_ticks(min(values), max(values), 5)
    x, y = box.across(0, max(len(paired.middle) - 1, 1)), box.upwards(ticks[0], ticks[-1])
    drawing = Drawing(key, box.width, box.height, title, description, kind)
    draw_y_axis(drawing, box, y, ticks, label)
    upper = [(x(index), y(value)) for index, value in enumerate(paired.high)]
    lower = [(x(index), y(value)) for index, value in enumerate(paired.low)]
    drawing.add("path", class_="band", d=path([*upper, *reversed(lower)], closed=True))
    if ticks[0] < 0:
        drawing.add("line", class_="base", x1=box.left, x2=box.width - box.right, y1=y(0), y2=y(0))
    if paired.other:
        points = [(x(index), y(value)) for index, value in enumerate(paired.other)]
        drawing.add("path", class_="line thin dash1", d=path(points))
    drawing.add("path", class_="line", d=path([(x(index), y(value)) for index, value in enumerate(paired.middle)]))
    for index, value in enumerate(paired.middle):
        hint = f"{paired.labels[index]}: {label(value)} ({label(paired.low[index])} to {label(paired.high[index])})"
        if paired.other:
            hint += f"; {paired.other_name} {label(paired.other[index])}"
        drawing.hover("circle", hint, class_="dot", cx=x(index), cy=y(value), r=3)
    _names(drawing, paired, (box, y(paired.middle[-1]), y(paired.other[-1]) if paired.other else None))
    step = max(1, math.ceil(len(paired.labels) / max(1, int((box.width - box.left - box.right) // 58))))
    for index in range(0, len(paired.labels), step):
        draw_x_label(drawing, box, x(index), paired.labels[index])
    return drawing.render()


def _names(drawing: Drawing, paired: Paired, places: tuple[Box, float, float | None]) -> None:
    """The lines' names at their right end, moved apart where they would cover each other."""
    box, own, other = places
    if other is not None:
        near = _NAME_HEIGHT - abs(own - other)
        if near > 0:
            apart = near / 2 if own >= other else -near / 2
            own, other = own + apart, other - apart
        drawing.add("text", paired.other_name, class_="tick", x=box.width - box.right + 8, y=other + 4)
    drawing.add("text", paired.name, class_="name", x=box.width - box.right + 8, y=own + 4)
