"""What the docs say is what the files behind them say."""

from tests.selftest import table


def test_the_self_tests_figures_are_those_of_their_files():
    text = table.PAGE.read_text(encoding="utf-8")
    assert table.page(text) == text, "run `python -m tests.selftest.table`"
