"""Title, stamp and caption of every figure, and the place of all that was drawn before."""

import io
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from reports.drawing import files
from reports.drawing.frame import add_frame
from reports.drawing.order import FIGURES
from reports.drawing.style import house_style
from reports.results.report import Report
from tests.reports.scenarios import complete, smoke

STAMP = "smoke run: not for citation"


@pytest.fixture(scope="module")
def report():
    return Report(*complete())


def framed(report, title="A title", **options) -> Figure:
    with house_style():
        figure = Figure(figsize=(7.5, 3), layout="constrained")
        axes = figure.subplots()
        axes.plot([1, 2], label="a line")
        axes.set_xlabel("a label")
        figure.legend(loc="outside lower center")
        add_frame(figure, title, report)
    return figure


def words(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts).replace("\u00a0", " ")


def test_a_figure_says_what_it_shows_and_by_what_it_is_cited(report):
    shown = words(framed(report))
    assert shown.startswith("A title ")
    for part in (
        *("Intel Xeon Processor, 2 cores", "Keras 3.15.1, TensorFlow 2.21.0, PyTorch 2.13.0"),
        *("samestep 0.1.0", "2026-01-02", "10 rounds, 3 seeds"),
        *("run 20260102T030405-test", f"hash {report.content_hash[:12]}"),
    ):
        assert part in shown
    assert STAMP not in shown


def test_a_smoke_run_is_stamped():
    assert STAMP in words(framed(Report(*smoke())))


def test_long_titles_and_captions_take_more_lines(report):
    figure = framed(report, "word " * 60)
    figure.draw_without_rendering()
    width = figure.bbox.width
    assert len(figure.texts) > 5
    assert all(text.get_window_extent().x1 < width for text in figure.texts)


def test_nothing_overlaps(report):
    figure = framed(report)
    figure.draw_without_rendering()
    (axes,), (legend,) = figure.axes, figure.legends
    title, *_, caption = sorted(figure.texts, key=lambda text: -text.get_position()[1])
    boxes = [
        title.get_window_extent(),
        axes.get_tightbbox(),
        legend.get_window_extent(),
        caption.get_window_extent(),
    ]
    assert all(above.y0 > below.y1 for above, below in pairwise(boxes))


def test_names_without_a_shape_do_not_stop_a_figure():
    run, records = smoke()
    environment = run.environment.model_copy(update={"cpu": "微芯 $x$ \x00"})
    report = Report(run.model_copy(update={"environment": environment}), records)
    assert "?? $x$, 2 cores" in words(framed(report))


def test_pixels_of_a_gallery_stay_whole_squares(report):
    sheet = np.random.default_rng(3).integers(0, 255, (40, 60)).astype(np.uint8)
    with house_style():
        figure = Figure(figsize=(60 * 3 / 150, 40 * 3 / 150))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.imshow(sheet, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        add_frame(figure, "", report)
        dots = np.asarray(Image.open(io.BytesIO(files.as_png(figure))).convert("L"), dtype=int)
    # rounding may change a shade of grey by 1
    large = np.repeat(np.repeat(sheet.astype(int), 3, axis=0), 3, axis=1)
    tops = range(dots.shape[0] - large.shape[0] + 1)
    assert any(np.abs(dots[top : top + large.shape[0]] - large).max() <= 1 for top in tops)


def test_every_figure_has_a_title_and_a_caption(report, monkeypatch):
    drawn = {}

    def keep(figure, title, given):
        assert given is report
        drawn[title] = figure

    monkeypatch.setattr(files, "add_frame", keep)
    names = {name for draw in FIGURES for name, _ in draw(report)}
    framed_files = {name for name in names if name.endswith(".png") and "card-" not in name}
    assert len(drawn) == len(framed_files) > 5
    assert all(drawn)
