"""The card as a picture: its size, its themes, and that nothing leaves it or overlaps."""

import io
from dataclasses import replace
from itertools import pairwise

import pytest
from matplotlib.colors import to_hex
from PIL import Image

from bench.stats import Estimate
from reports.drawing.card import THEMES, draw, figures, look
from reports.drawing.files import as_png
from reports.drawing.style import BACKEND_COLOURS, house_style
from reports.results.card import Card, Point, Row
from reports.results.report import Report
from tests.records import build_run, plan
from tests.reports.scenarios import complete

FILES = ["card-light.png", "card-light.svg", "card-dark.png", "card-dark.svg"]
DETAILS = "2026-11-25 · Keras 3.15.1, TensorFlow 2.21.0, PyTorch 2.15.0, JAX 0.10.2, samestep 0.1.0"
SOURCE = "run 20261125T034831-1c8cc1, hash 5a7d00e9947a"
WORKLOADS = ("mlp-512-256", "mlp-512", "mlp-256-256-128-64", "mlp-1000", "cnn", "of-a-plug-in" * 4)
BACKENDS = (*BACKEND_COLOURS, "a-plug-in-with-a-long-name-of-its-own")


def point(backend: str, value: float, *, rounds: int = 10) -> Point:
    low, high = (value / 1.1, value * 1.1) if rounds >= 6 else (None, None)
    speedup = Estimate(value=value, low=low, high=high, n=rounds)
    return Point(backend=backend, speedup=speedup, is_shown=rounds >= 6)


def a_card(backends=BACKENDS, workloads=WORKLOADS, span=(0.1, 40.0), rounds=10, **changes) -> Card:
    """Return a card whose backends have speed-ups over the whole span."""
    others = [name for name in backends if name != "keras-tensorflow"]
    step = (span[1] / span[0]) ** (1 / max(1, len(others) - 1))
    points = tuple(
        point(name, span[0] * step**number, rounds=rounds) for number, name in enumerate(others)
    )
    mean = [Row(name="geometric mean of\u00a06\u00a0networks", points=points, is_mean=True)]
    rows = (mean if len(workloads) > 1 else []) + [Row(name=w, points=points) for w in workloads]
    whole = Card(
        title="AMD EPYC, 2 cores", details=DETAILS, stamp="", unit="Keras on TensorFlow",
        baseline="keras-tensorflow", backends=tuple(backends), rows=tuple(rows),
        marks=("same math 36 of 36", "95 % interval over 8 to 12 rounds"), source=SOURCE,
    )  # fmt: skip
    return replace(whole, **changes)


CASES = {
    "one workload, two backends": a_card(BACKENDS[1:3], WORKLOADS[:1], (1.01, 1.02)),
    "all": a_card(),
    "near 1": a_card(span=(0.99, 1.01)),
    "without intervals": a_card(rounds=3, stamp="preliminary: 3 of 9 rounds, a verdict needs 6"),
    "a long machine": a_card(title="NVIDIA GeForce RTX 4090 Laptop GPU with AMD Ryzen 9 " * 2),
    "a comparison": a_card(unit="AMD EPYC, 2 cores (2026-11-25)", baseline=None),
    "many plug-ins": a_card([*BACKENDS, "b", "c", "d"], stamp="smoke run: not for citation"),
}


def drawn(card: Card, theme: str = "light"):
    with house_style():
        figure = draw(card, look(card, THEMES[theme]))
        figure.canvas.draw()
    return figure


@pytest.mark.parametrize("name", CASES)
def test_no_text_leaves_the_card_or_touches_another(name):
    figure = drawn(CASES[name])
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in (*figure.texts, *axes.texts)]
    # a number may lie on a line of the axis, but no text on another
    assert all(0 <= box.x0 < box.x1 <= 1200 and 0 <= box.y0 < box.y1 <= 780 for box in boxes)
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]


@pytest.mark.parametrize("theme", THEMES)
def test_a_card_is_1200_by_780_pixels_on_the_paper_of_its_theme(theme):
    with house_style():
        content = as_png(draw(CASES["all"], look(CASES["all"], THEMES[theme])))
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    assert picture.size == (1200, 780)
    assert to_hex([part / 255 for part in picture.getpixel((3, 3))]).upper() == THEMES[theme].paper


def texts_of(figure) -> str:
    texts = [text.get_text() for text in (*figure.texts, *figure.axes[0].texts)]
    return " ".join(texts).replace("\n", " ")


def test_it_says_machine_date_versions_baseline_marks_run_and_hash():
    shown = texts_of(drawn(CASES["all"]))
    assert "geometric mean of 6 networks" in shown.replace("\u00a0", " ")
    for part in (
        *(DETAILS, SOURCE, "AMD EPYC, 2 cores"),
        *("1x = Keras on TensorFlow, right is faster", "same math 36 of 36"),
        *("over 8 to 12 rounds", "JAX 0.100x", "mlp-1000"),
    ):
        assert part in shown
    assert "hollow" not in shown


def test_a_stamp_is_in_the_picture():
    assert CASES["without intervals"].stamp in texts_of(drawn(CASES["without intervals"]))


@pytest.mark.parametrize(("rounds", "hollow"), [(3, True), (10, False)])
def test_a_point_without_a_verdict_is_hollow(rounds, hollow):
    card = a_card(BACKENDS[:3], WORKLOADS[:1], rounds=rounds)
    figure = drawn(card)
    markers = [line for line in figure.axes[0].lines if line.get_marker() in ("o", "s")]
    assert len(markers) == 2
    assert all((line.get_markerfacecolor() == THEMES["light"].paper) is hollow for line in markers)
    assert ("hollow: difference not shown" in texts_of(figure)) is hollow


def test_a_row_without_a_speedup_says_so():
    card = a_card(rows=(Row(name="cnn", points=()), Row(name="mlp", points=(point("jax", 2.0),))))
    assert "not compared" in texts_of(drawn(card))
    assert "JAX 2" not in texts_of(drawn(card))


def test_rows_are_below_each_other_and_the_points_of_a_row_too():
    figure = drawn(CASES["all"])
    places = [line.get_ydata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    assert len(places) == 7 * 5
    assert all(below > above for above, below in pairwise(places))


@pytest.mark.parametrize("theme", THEMES)
def test_backends_have_their_colours_and_each_its_own_marker(theme):
    style = look(CASES["many plug-ins"], THEMES[theme])
    assert {name: style.colours[name] for name in BACKEND_COLOURS} == BACKEND_COLOURS
    assert THEMES[theme].paper not in style.colours.values()
    assert "#000000" not in style.colours.values() or theme == "light"
    assert len(set(style.markers.values())) == len(style.markers)


def test_the_files_of_a_report():
    report = Report(*complete())
    made = dict(figures(report))
    assert list(made) == FILES
    assert dict(figures(report)) == made


def test_without_timings_there_is_no_card():
    assert not list(figures(Report(build_run(plan(rounds=0)), [])))
