"""The whole text of a report, for a complete, a short, a GPU and an interrupted run."""

import random

import pytest

from reports.results.report import Report
from tests.reports.scenarios import GOLDEN, SCENARIOS
from tests.reports.tables_of import compose
from tests.test_plain_words import has_avoided, sentences


@pytest.mark.parametrize("name", SCENARIOS)
def test_golden(name):
    expected = (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    assert compose(Report(*SCENARIOS[name]())) == expected, (
        "the report's text changed; if it should, run `python -m tests.reports.scenarios`"
    )


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_report_is_in_plain_words(name):
    text = (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    assert [sentence for sentence in sentences(text) if has_avoided(sentence)] == []


def test_the_order_of_records_does_not_matter():
    run, records = SCENARIOS["smoke"]()
    shuffled = random.Random(3).sample(records, len(records))
    assert compose(Report(run, shuffled)) == compose(Report(run, records))
