"""Charts: exact geometry, a text alternative on each, and nothing of the data that could become markup."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.reports.charts import (
    Bar,
    Bin,
    Fan,
    Scale,
    ageing_bar,
    bar_chart,
    coverage_chart,
    fan_chart,
    forest_row,
    histogram,
    line_chart,
    nice_ticks,
    pit_histogram,
    range_strip,
    reliability,
    share_bar,
    sparkline,
)
from duecourse.reports.charts.svg import Box

WORDS = {"title": "A title", "description": "What it shows"}
ALL = {
    "fan": lambda text: fan_chart(
        "k", Fan([text, "b"], [1.0, 2.0], [0.5, 1.0], [2.0, 3.0]), title=text, description=text
    ),
    "line": lambda text: line_chart("k", [text, "b"], {text: [1.0, None]}, title=text, description=text),
    "spark": lambda text: sparkline("k", [1.0, 3.0, 2.0], title=text, description=text),
    "bars": lambda text: bar_chart("k", [Bar(text, 3.0), Bar("b", 0.0)], title=text, description=text),
    "histogram": lambda text: histogram("k", [0, 1, 2], [5, 2], title=text, description=text, mark=1.0),
    "ageing": lambda text: ageing_bar("k", [Bar(text, 3.0), Bar("b", 1.0)], title=text, description=text),
    "share": lambda text: share_bar("k", 0.4, title=text, description=text),
    "reliability": lambda text: reliability("k", [Bin(0.1, 0.12, 50)], title=text, description=text),
    "pit": lambda text: pit_histogram("k", [0.1] * 10, 500, title=text, description=text),
    "coverage": lambda text: coverage_chart("k", [(text, 0.8, 9)], target=0.8, title=text, description=text),
    "strip": lambda text: range_strip("k", 1, 4, None, horizon=90, title=text, description=text),
    "forest": lambda text: forest_row("k", -1, 2, 5, limits=(-2, 6), title=text, description=text),
}


def elements(svg: str, tag: str, kind: str = "") -> list[ET.Element]:
    """The elements of a drawing with this tag and, when given, this class; parsing proves it is well-formed."""
    found = ET.fromstring(svg).iter(tag)  # noqa: S314 - our own drawing
    return [one for one in found if kind in one.get("class", "").split() or not kind]


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_chart_has_a_text_alternative_and_survives_hostile_texts(name: str) -> None:
    hostile = "<script>alert(1)</script>\"'&"
    svg = ALL[name](hostile)
    root = ET.fromstring(svg)  # noqa: S314 - our own drawing
    title, description = root[0], root[1]
    assert (title.tag, title.text) == ("title", hostile)
    assert (description.tag, description.text) == ("desc", hostile)
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"
    assert "<script" not in svg
    assert "style=" not in svg  # the page's policy forbids style attributes


@pytest.mark.parametrize("name", sorted(ALL))
def test_every_chart_is_the_same_text_for_the_same_input_and_carries_no_address(name: str) -> None:
    assert ALL[name]("x") == ALL[name]("x")
    assert "http" not in ALL[name]("x")


def test_the_fan_runs_from_left_to_right_and_its_band_encloses_its_line() -> None:
    fan = Fan(["a", "b", "c"], [10.0, 20.0, 5.0], [5.0, 10.0, 0.0], [15.0, 40.0, 9.0])
    svg = fan_chart("k", fan, **WORDS, box=Box(width=300, height=200, left=40, right=0, top=10, bottom=30))
    dots = elements(svg, "circle", "dot")
    xs = [float(dot.get("cx", "nan")) for dot in dots]
    ys = [float(dot.get("cy", "nan")) for dot in dots]
    assert xs == [83.3, 170.0, 256.7]
    assert ys == [130.0, 90.0, 150.0]  # axis 0..40 over 160 units from 170 upwards
    band = elements(svg, "path", "band")[0].get("d", "")
    points = [tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", band)]
    upper, lower = points[:3], list(reversed(points[3:]))
    assert [x for x, _ in upper] == [x for x, _ in lower] == xs
    assert all(high <= mid <= low for (_, high), mid, (_, low) in zip(upper, ys, lower, strict=True))


def test_a_fan_without_a_band_draws_none_and_an_empty_one_draws_nothing() -> None:
    assert elements(fan_chart("k", Fan(["a", "b"], [1.0, 2.0]), **WORDS), "path", "band") == []
    assert fan_chart("k", Fan([], []), **WORDS) == ""


def test_a_fan_of_unequal_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        Fan(["a", "b"], [1.0])
    with pytest.raises(ValueError, match="same length"):
        Fan(["a"], [1.0], low=[0.5])


def test_bars_stand_on_zero_and_their_height_is_proportional() -> None:
    box = Box(width=240, height=230, left=40, right=0, top=10, bottom=20)
    bars = elements(
        bar_chart("k", [Bar("a", 50.0), Bar("b", 100.0), Bar("c", 0.0, quiet=True)], **WORDS, box=box), "rect"
    )
    assert [float(bar.get("height", "nan")) for bar in bars] == [100.0, 200.0, 0.0]
    assert {float(bar.get("y", "nan")) + float(bar.get("height", "nan")) for bar in bars} == {210.0}
    assert [bar.get("class") for bar in bars] == ["bar", "bar", "bar quiet"]


def test_a_histogram_refuses_edges_that_do_not_fit_or_do_not_rise() -> None:
    with pytest.raises(ValueError, match="one more edge"):
        histogram("k", [0, 1], [1, 2], **WORDS)
    with pytest.raises(ValueError, match="must rise"):
        histogram("k", [0, 2, 1], [1, 2], **WORDS)


def test_the_ageing_bar_fills_its_width_and_leaves_out_empty_buckets() -> None:
    svg = ageing_bar("k", [Bar("current", 60.0), Bar("1-30", 0.0), Bar("31-60", 40.0)], **WORDS, width=100)
    parts = elements(svg, "rect")
    assert [part.get("class") for part in parts] == ["age age0", "age age2"]
    assert [float(part.get("x", "nan")) for part in parts] == [0.0, 60.0]
    assert ageing_bar("k", [Bar("current", 0.0)], **WORDS) == ""


def test_a_broken_line_is_drawn_in_its_unbroken_pieces() -> None:
    svg = line_chart("k", ["a", "b", "c", "d"], {"x": [1.0, None, 2.0, 3.0]}, **WORDS)
    assert len(elements(svg, "path", "line")) == 2
    with pytest.raises(ValueError, match="one value per label"):
        line_chart("k", ["a"], {"x": [1.0, 2.0]}, **WORDS)


def test_names_at_the_end_of_lines_do_not_cover_each_other() -> None:
    svg = line_chart("k", ["a", "b"], {"one": [1.0, 5.0], "two": [1.0, 5.0], "three": [1.0, 5.1]}, **WORDS)
    ys = sorted(float(name.get("y", "nan")) for name in elements(svg, "text", "name"))
    assert all(later - earlier >= 13 for earlier, later in itertools.pairwise(ys))


def test_a_perfect_reliability_lies_on_the_diagonal_and_size_grows_with_count() -> None:
    bins = [Bin(0.1, 0.1, 100), Bin(0.5, 0.5, 25), Bin(0.9, 0.9, 0)]
    svg = reliability("k", bins, **WORDS)
    dots = elements(svg, "circle", "dot")
    assert len(dots) == 2  # a group without cases is not drawn
    ideal = elements(svg, "path", "ideal")[0].get("d", "")
    (x0, y0), (x1, y1) = (tuple(map(float, pair)) for pair in re.findall(r"([\d.]+) ([\d.]+)", ideal))
    for dot in dots:
        share = (float(dot.get("cx", "nan")) - x0) / (x1 - x0)
        assert float(dot.get("cy", "nan")) == pytest.approx(y0 + share * (y1 - y0), abs=0.2)
    assert [float(dot.get("r", "nan")) for dot in dots] == [7.0, 4.8]


def test_the_noise_band_of_the_pit_is_that_of_the_binomial() -> None:
    svg = pit_histogram("k", [0.1] * 10, 900, **WORDS)
    band, mark = elements(svg, "rect", "noise")[0], elements(svg, "line", "mark")[0]
    middle = float(band.get("y", "nan")) + float(band.get("height", "nan")) / 2
    assert middle == pytest.approx(float(mark.get("y1", "nan")), abs=0.1)
    # 1.645 * sqrt(.1 * .9 / 900) = .01645 on an axis of 0..15 % over 224 units
    assert float(band.get("height", "nan")) == pytest.approx(2 * 0.01645 / 0.15 * 224, abs=0.2)


def test_a_band_without_an_end_shows_that_it_runs_on() -> None:
    assert elements(range_strip("k", 1, 4, None, horizon=90, **WORDS), "path", "beyond")
    assert not elements(range_strip("k", 1, 4, 9, horizon=90, **WORDS), "path", "beyond")


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_round_rising_and_cover_the_range(low: float, extent: float) -> None:
    ticks = nice_ticks(low, low + extent)
    slack = 1e-6 * max(abs(low), extent, 1)
    assert ticks[0] <= low + slack
    assert ticks[-1] >= low + extent - slack
    assert all(later > earlier for earlier, later in itertools.pairwise(ticks))
    assert 2 <= len(ticks) <= 12


def test_ticks_of_a_point_and_of_no_number() -> None:
    assert nice_ticks(0, 0) == [0.0, 0.25, 0.5, 0.75, 1.0]
    with pytest.raises(ValueError, match="finite"):
        nice_ticks(0, float("nan"))


@given(st.lists(st.floats(-100, 200), min_size=2, max_size=9))
def test_a_scale_keeps_order_and_stays_inside(values: list[float]) -> None:
    scale = Scale(0, 100, 10, 50)
    drawn = [scale(value) for value in sorted(values)]
    assert drawn == sorted(drawn)
    assert all(10 <= place <= 50 for place in drawn)


def test_a_scale_without_extent_gives_the_middle() -> None:
    assert Scale(3, 3, 0, 10)(3) == 5
