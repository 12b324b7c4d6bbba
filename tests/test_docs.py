"""The docs quote their files correctly."""

import json
import re
from pathlib import Path

from markdown_it import MarkdownIt

from backends import BACKENDS
from reports.text import NOTHING
from scripts.pages import faults, page_faults, readme, side_by_side, terminal, verified
from scripts.pages import selftest as table
from tests.faults.rows import ROWS

ROOT = Path(__file__).resolve().parent.parent


def test_the_figures_of_the_self_tests_are_those_of_their_files():
    text = table.PAGE.read_text(encoding="utf-8")
    assert table.page(text) == text, "run `python -m scripts.pages.selftest`"


def test_the_page_faults_are_those_of_their_file():
    text = page_faults.PAGE.read_text(encoding="utf-8")
    assert page_faults.page(text) == text, "run `python -m scripts.pages.page_faults`"


def test_backends_without_an_overhead_are_named():
    medians = table.overheads((table.FIGURES / "overhead.txt").read_text(encoding="utf-8"))
    (sentence,) = table.missing_overheads(medians)
    assert sentence == "The overhead was not measured for these backends: `keras-jax`, `jax`."
    assert not list(table.missing_overheads({"cnn": dict.fromkeys(BACKENDS, "1.000")}))


def test_the_fault_matrix_is_that_of_its_file_and_all_tries_passed():
    text = faults.PAGE.read_text(encoding="utf-8")
    assert faults.page(text) == text, "run `python -m scripts.pages.faults`"
    rows = json.loads(faults.FIGURES.read_text(encoding="utf-8"))
    assert [row["number"] for row in rows] == sorted(ROWS)
    real = json.loads(faults.REAL_FIGURES.read_text(encoding="utf-8"))
    assert [row["number"] for row in real] == [n for n, row in sorted(ROWS.items()) if row.real]
    assert all(row["passed"] == row["tries"] > 0 for row in [*rows, *real])


def test_the_page_of_verified_cells_follows_from_the_published_records():
    text = verified.PAGE.read_text(encoding="utf-8")
    assert verified.page(text) == text, "run `python -m scripts.pages.verified`"
    rows = list(verified.rows())
    assert any(row[:4] == ["pytorch", "default", "float32", "CPU"] for row in rows)
    never = [row for row in rows if row[5] == "never run"]
    assert all(row[4] == row[6] == NOTHING for row in never)


def test_the_readme_quotes_the_reports_correctly():
    text = readme.PAGE.read_text(encoding="utf-8")
    assert readme.page(text) == text, "run `python -m scripts.pages.readme`"
    assert "as fast as" in text
    assert "Equivalent accuracy" in text


def test_the_readme_shows_what_the_command_prints():
    text = terminal.PAGE.read_text(encoding="utf-8")
    assert terminal.page(text) == text, "run `python -m scripts.pages.terminal`"
    assert max(map(len, terminal.screen().splitlines())) <= terminal.COLUMNS


def test_the_guide_quotes_the_example_correctly():
    guide = (ROOT / "docs" / "add-a-backend.md").read_text(encoding="utf-8")
    quotes = re.findall(r"```(?:python|toml)\n(.*?)```", guide, re.DOTALL)
    example = ROOT / "examples" / "flax-nnx"
    files = [*example.glob("*.toml"), *example.rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert len(quotes) >= 4
    for block in quotes:
        assert any(block in text for text in texts), block


def test_the_page_shows_the_scripts_side_by_side():
    text = side_by_side.PAGE.read_text(encoding="utf-8")
    assert side_by_side.page(text) == text, "run `python -m scripts.pages.side_by_side`"


def test_each_script_is_shown_as_code_in_its_own_cell():
    text = side_by_side.PAGE.read_text(encoding="utf-8")
    blocks = MarkdownIt("commonmark").parse(text)
    cells = [
        code.content
        for before, code, after in zip(blocks, blocks[1:], blocks[2:], strict=False)
        if before.content.endswith("<td>\n") and after.content.startswith("</td>")
    ]
    assert cells == [
        (side_by_side.folder_of(workload.name) / name).read_text(encoding="utf-8")
        for workload in side_by_side.WRITTEN
        for name in side_by_side.VERSIONS.values()
    ]


def test_the_scripts_import_only_their_framework():
    scripts = list((ROOT / "examples" / "tutorials").rglob("*.py"))
    assert len(scripts) == 2 * len(side_by_side.WRITTEN)
    for path in scripts:
        text = path.read_text(encoding="utf-8")
        packages = set(re.findall(r"^ *(?:import|from) (\w+)", text, re.MULTILINE))
        expected = {"keras"} if path.stem == "keras_version" else {"torch", "torchvision"}
        assert packages == expected, path
