"""The SVG beside a PNG: the same bytes each time, and no text that a page must draw."""

import re

import pytest
from matplotlib.figure import Figure

from reports.drawing.files import add_description, as_png, as_svg, svg_file, texts
from reports.drawing.style import DRAWN_BY, house_style


def figure() -> Figure:
    figure = Figure(figsize=(3, 2))
    axes = figure.subplots()
    axes.plot([1, 3, 2], marker="o", clip_on=True)
    axes.set_title("A <b> & $x$")
    return figure


@pytest.fixture
def svg() -> bytes:
    with house_style():
        return as_svg(figure())


def test_the_same_figure_gives_the_same_bytes(svg):
    with house_style():
        assert as_svg(figure()) == svg
        assert as_png(figure()) == as_png(figure())


def test_without_the_salt_the_bytes_would_differ(monkeypatch):
    from reports.drawing import style

    monkeypatch.setitem(style.STYLE, "svg.hashsalt", None)
    with house_style():
        assert as_svg(figure()) != as_svg(figure())


def test_an_svg_has_no_date_and_no_text_but_shapes(svg):
    assert b"<text" not in svg
    assert b"dc:date" not in svg
    assert not re.search(rb"<b>", svg)
    assert b'<use xlink:href="#DejaVuSans-' in svg


def test_both_forms_hold_the_same_description(svg):
    with house_style():
        for content in (svg, as_png(figure())):
            described = add_description(content, "of all")
            assert texts(described) == {"Description": "of all", "Software": DRAWN_BY}


def test_what_is_neither_form_has_no_texts():
    assert texts(b"") == texts(b"<svg") == {}


def test_names_with_dots_keep_them():
    assert svg_file("images-a.b_cpu.png") == "images-a.b_cpu.svg"
