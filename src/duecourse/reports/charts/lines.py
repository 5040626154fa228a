"""Lines over time: one or several series, a band around a mean, and a word-sized sparkline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from duecourse.reports.charts.scale import Scale, nice_ticks
from duecourse.reports.charts.svg import Box, Drawing, Label, draw_x_label, draw_y_axis, number, path, plain


@dataclass(frozen=True, slots=True)
class Fan:
    """A mean with its P10-P90 band per period; ``low`` and ``high`` may be empty when there is no band.

    ``part`` is a second, dashed line: the part of the mean that is already certain to be in play. ``came`` are the
    values that really came, drawn as hollow marks.
    """

    labels: Sequence[str]
    mean: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    part: Sequence[float] = ()
    came: Sequence[float] = ()

    def __post_init__(self) -> None:
        lengths = {len(one or self.mean) for one in (self.mean, self.low, self.high, self.part, self.came)} | {
            len(self.labels)
        }
        if len(lengths) != 1 or bool(self.low) != bool(self.high):
            raise ValueError("labels, mean, low and high of a fan must have the same length")


def _spaced(count: int, room: int) -> list[int]:
    """Which of ``count`` labels to print so that about ``room`` fit, always with the first one."""
    return list(range(0, count, max(1, math.ceil(count / max(room, 1)))))


def fan_chart(
    key: str,
    fan: Fan,
    *,
    title: str,
    description: str,
    label: Label = plain,
    box: Box | None = None,
    kind: str = "chart",
) -> Markup:
    """The mean as a line with dots inside its band. An empty fan gives an empty string."""
    if not fan.mean:
        return Markup("")
    box = box or Box(width=760, height=260, left=64)
    ticks = nice_ticks(0, max([*fan.mean, *fan.high, *fan.came, 0.0]), 5)
    x, y = box.across(-0.5, len(fan.mean) - 0.5), box.upwards(ticks[0], ticks[-1])
    drawing = Drawing(key, box.width, box.height, title, description, kind)
    draw_y_axis(drawing, box, y, ticks, label)
    if fan.low:
        upper = [(x(index), y(value)) for index, value in enumerate(fan.high)]
        lower = [(x(index), y(value)) for index, value in enumerate(fan.low)]
        drawing.add("path", class_="band", d=path([*upper, *reversed(lower)], closed=True))
    if fan.part:
        points = [(x(index), y(value)) for index, value in enumerate(fan.part)]
        drawing.add("path", class_="line thin dash1", d=path(points))
    drawing.add("path", class_="line", d=path([(x(index), y(value)) for index, value in enumerate(fan.mean)]))
    for index, value in enumerate(fan.mean):
        hint = f"{fan.labels[index]}: {label(value)}"
        if fan.low:
            hint += f" ({label(fan.low[index])} to {label(fan.high[index])})"
        drawing.hover("circle", hint, class_="dot", cx=x(index), cy=y(value), r=3)
    for index, value in enumerate(fan.came):
        drawing.hover(
            "circle", f"{fan.labels[index]}: {label(value)} came", class_="came", cx=x(index), cy=y(value), r=4
        )
    for index in _spaced(len(fan.labels), int(box.width // 66)):
        draw_x_label(drawing, box, x(index), fan.labels[index])
    return drawing.render()


def line_chart(
    key: str,
    labels: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    *,
    title: str,
    description: str,
    label: Label = plain,
    box: Box | None = None,
    kind: str = "chart",
) -> Markup:
    """Up to four named series over the same periods, told apart by dash pattern and by a name at their end.

    A None breaks its line. Raises ValueError when a series has another length than ``labels``.
    """
    if any(len(values) != len(labels) for values in series.values()):
        raise ValueError("every series of a line chart needs one value per label")
    known = [value for values in series.values() for value in values if value is not None]
    if not known:
        return Markup("")
    box = box or Box(right=92)
    ticks = nice_ticks(min(0.0, *known), max(known), 5)
    x, y = box.across(0, max(len(labels) - 1, 1)), box.upwards(ticks[0], ticks[-1])
    drawing = Drawing(key, box.width, box.height, title, description, kind)
    draw_y_axis(drawing, box, y, ticks, label)
    taken: list[float] = []
    for order, (name, values) in enumerate(series.items()):
        for run in _runs(values):
            drawing.add("path", class_=f"line dash{order % 4}", d=path([(x(i), y(v)) for i, v in run]))
        last = [(index, value) for index, value in enumerate(values) if value is not None][-1:]
        for index, value in last:
            drawing.add("circle", class_="dot", cx=x(index), cy=y(value), r=3)
            place = _free(y(value), taken)
            drawing.add("text", name, class_="name", x=x(index) + 7, y=place + 4)
    for index in _spaced(len(labels), int(box.width // 70)):
        draw_x_label(drawing, box, x(index), labels[index])
    return drawing.render()


def _runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """The unbroken stretches of a series, as (index, value)."""
    runs: list[list[tuple[int, float]]] = [[]]
    for index, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((index, value))
    return [run for run in runs if run]


def _free(wanted: float, taken: list[float]) -> float:
    """The nearest place below ``wanted`` where a name does not cover another; remembers it in ``taken``."""
    place = wanted
    while any(abs(place - other) < 13 for other in taken):
        place += 1
    taken.append(place)
    return place


def sparkline(key: str, values: Sequence[float], *, title: str, description: str) -> Markup:
    """A word-sized line whose last value carries a dot; fewer than two values give an empty string."""
    if len(values) < 2:
        return Markup("")
    width, height = 96.0, 22.0
    x = Scale(0, len(values) - 1, 3, width - 4)
    y = Scale(min(values), max(values), height - 4, 4)
    drawing = Drawing(key, width, height, title, description, "spark")
    drawing.add("path", class_="line", d=path([(x(index), y(value)) for index, value in enumerate(values)]))
    drawing.add("circle", class_="dot", cx=number(x(len(values) - 1)), cy=number(y(values[-1])), r=2.5)
    return drawing.render()


def curve_chart(
    key: str, points: Sequence[tuple[float, float]], *, title: str, description: str, x_name: str
) -> Markup:
    """A curve of shares in the unit square, e.g. cumulated late cash by customers, with dashed lines at 80 %."""
    if len(points) < 2:
        return Markup("")
    box = Box(width=340, height=270, left=46, right=14, top=12, bottom=44)
    x, y = box.across(0, 1), box.upwards(0, 1)
    quarters = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    drawing = Drawing(key, box.width, box.height, title, description)
    draw_y_axis(drawing, box, y, quarters, lambda share: f"{share:.0%}")
    for quarter in quarters:
        draw_x_label(drawing, box, x(quarter), f"{quarter:.0%}")
    drawing.add("line", class_="mark", x1=x(0), x2=x(1), y1=y(0.8), y2=y(0.8))
    drawing.add("path", class_="line", d=path([(x(across), y(up)) for across, up in points]))
    middle = (box.left + box.width - box.right) / 2
    drawing.add("text", x_name, class_="tick", x=middle, y=box.height - 8, text_anchor="middle")
    return drawing.render()
