"""What the docs say is what the files behind them say."""

import re
from pathlib import Path

from reports.text import NOTHING
from tests import verified
from tests.selftest import table

ROOT = Path(__file__).resolve().parent.parent


def test_the_self_tests_figures_are_those_of_their_files():
    text = table.PAGE.read_text(encoding="utf-8")
    assert table.page(text) == text, "run `python -m tests.selftest.table`"


def test_what_is_verified_is_what_the_published_records_show():
    text = verified.PAGE.read_text(encoding="utf-8")
    assert verified.page(text) == text, "run `python -m tests.verified`"
    rows = list(verified.rows())
    assert any(row[:4] == ["pytorch", "default", "float32", "CPU"] for row in rows)
    never = [row for row in rows if row[4] == "never run"]
    assert all(row[5] == NOTHING for row in never)


def test_the_guide_quotes_the_example_as_it_is():
    guide = (ROOT / "docs" / "add-a-backend.md").read_text(encoding="utf-8")
    quoted = re.findall(r"```(?:python|toml)\n(.*?)```", guide, re.DOTALL)
    example = ROOT / "examples" / "flax-nnx"
    files = [*example.glob("*.toml"), *example.rglob("*.py")]
    texts = [path.read_text(encoding="utf-8") for path in files]
    assert len(quoted) >= 4
    for block in quoted:
        assert any(block in text for text in texts), block
