"""Tables for a terminal are as wide as it is, plain, and complete."""

import pytest

from bench.cli.table import paragraph, table


@pytest.mark.parametrize("width", [60, 80])
def test_long_cells_wrap_and_long_words_fold(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    path = "/" + "folder/" * 30
    text = table(("name", "n", "path"), [("keras-tensorflow", "1,000", path)], ["n"])
    assert max(map(len, text.splitlines())) <= width
    start = text.splitlines()[0].index("path")
    assert "".join(line[start:].strip() for line in text.splitlines()[2:]) == path
    assert "keras-tensorflow" in text


def test_a_first_cell_that_is_too_long_folds(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    name = "n" * 100
    text = table(("name", "value"), [(name, "v")])
    assert max(map(len, text.splitlines())) <= 60
    assert text.count("n", len("name")) >= 100


def test_a_table_is_plain_text(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = table(("name", "value"), [("[bold]a", ":smile:")])
    assert text.isascii()
    assert "\x1b" not in text
    assert "[bold]a  :smile:" in text


def test_numbers_are_aligned_to_the_right():
    lines = table(("name", "count"), [("a", "1"), ("b", "1,000")], ["count"]).splitlines()
    assert {len(line) for line in lines[2:]} == {len(lines[0])}


def test_a_path_in_a_sentence_stays_whole(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    path = "/" + "folder/" * 20
    assert path in paragraph(f"A sentence about {path} and more words").splitlines()
