"""What the docs say is what the files behind them say."""

from reports.text import NOTHING
from tests import verified
from tests.selftest import table


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
