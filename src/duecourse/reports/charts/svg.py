"""The drawing itself: escaped elements, rounded coordinates, a title and a description on every picture."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from duecourse.reports.charts.scale import Scale

Label = Callable[[float], str]


def number(value: float) -> str:
    """A coordinate with at most one decimal: short, and the same text for the same input on every platform."""
    text = f"{value:.1f}"
    return "0" if text in {"-0.0", "0.0"} else text.removesuffix(".0")


def plain(value: float) -> str:
    """A number as people write it on an axis: no trailing zeros, thousands apart."""
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def identifier(key: str) -> str:
    """``key`` as an HTML id: letters, digits and hyphens only."""
    return re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-") or "chart"


@dataclass(slots=True)
class Drawing:
    """An SVG picture in the making. ``title`` names it, ``description`` says in words what a reader would see.

    ``key`` must be unique on the page (it makes the ids that tie the texts to the picture). Colours come from the
    page's CSS through class names, so one drawing serves light, dark and print.
    """

    key: str
    width: float
    height: float
    title: str
    description: str
    kind: str = "chart"
    _parts: list[Markup] = field(default_factory=list)

    def add(self, tag: str, content: str = "", /, **attributes: str | float) -> None:
        """Appends one element; ``class_`` becomes class, underscores become hyphens; everything is escaped."""
        texts = []
        for name, value in attributes.items():
            shown = value if isinstance(value, str) else number(value)
            texts.append(f' {name.rstrip("_").replace("_", "-")}="{escape(shown)}"')
        body = f">{escape(content)}</{tag}>" if content else "/>"
        self._parts.append(Markup(f"<{tag}{''.join(texts)}{body}"))  # noqa: S704 - every part is escaped above

    def hover(self, tag: str, hint: str, /, **attributes: str | float) -> None:
        """Like ``add``, with a hint that shows on hover."""
        self.add(tag, "", **attributes)
        opened = self._parts.pop().removesuffix("/>")
        self._parts.append(Markup("{}><title>{}</title></{}>").format(Markup(opened), hint, Markup(tag)))  # noqa: S704

    def render(self) -> Markup:
        """The finished ``<svg>``: role img, labelled by its own title and description."""
        ident = identifier(self.key)
        return Markup(
            '<svg class="{kind}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
            'aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{title}</title><desc id="{id}-d">{desc}</desc>'
            "{body}</svg>"
        ).format(
            kind=self.kind,
            w=number(self.width),
            h=number(self.height),
            id=ident,
            title=self.title,
            desc=self.description,
            body=Markup("").join(self._parts),
        )


@dataclass(frozen=True, slots=True)
class Box:
    """The size of a picture and the margins around its plot, in drawing units (CSS pixels at full size)."""

    width: float = 420
    height: float = 230
    left: float = 46
    right: float = 12
    top: float = 12
    bottom: float = 30

    def across(self, low: float, high: float) -> Scale:
        """The horizontal scale for data in [low, high]."""
        return Scale(low, high, self.left, self.width - self.right)

    def upwards(self, low: float, high: float) -> Scale:
        """The vertical scale for data in [low, high]; larger values stand higher."""
        return Scale(low, high, self.height - self.bottom, self.top)


def draw_y_axis(drawing: Drawing, box: Box, scale: Scale, ticks: Sequence[float], label: Label) -> None:
    """Hairlines across the plot with their values at the left; the zero line is drawn a little stronger."""
    for tick in ticks:
        y = scale(tick)
        kind = "base" if tick == 0 else "grid"
        drawing.add("line", class_=kind, x1=box.left, x2=box.width - box.right, y1=y, y2=y)
        drawing.add("text", label(tick), class_="tick", x=box.left - 6, y=y + 4, text_anchor="end")


def draw_x_label(drawing: Drawing, box: Box, x: float, text: str) -> None:
    """One label below the plot, centred on ``x`` and kept inside the picture."""
    anchor = "middle"
    half = len(text) * 3.2
    if x + half > box.width:
        anchor, x = "end", box.width - 1
    elif x - half < 0:
        anchor, x = "start", 1
    drawing.add("text", text, class_="tick", x=x, y=box.height - box.bottom + 16, text_anchor=anchor)


def path(points: Sequence[tuple[float, float]], *, closed: bool = False) -> str:
    """An SVG path through the points."""
    steps = [f"{'M' if index == 0 else 'L'}{number(x)} {number(y)}" for index, (x, y) in enumerate(points)]
    return "".join(steps) + ("Z" if closed else "")
