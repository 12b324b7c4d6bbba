"""A report names the command that decides what is UNDECIDED."""

from reports.results.report import Report
from reports.sections.undecided import section
from tests.records import build_records, build_run, plan


def text_of(rounds, dropped=0):
    trials = plan(workloads=("mlp-512",), rounds=rounds, seeds=())
    records = build_records(trials)
    return "\n".join(section(Report(build_run(trials), records[: len(records) - dropped])))


def test_a_run_with_too_few_rounds_gets_the_command_that_adds_them():
    text = text_of(4)
    assert "2 of 2 comparisons have fewer than the 6 good rounds" in text
    assert "samestep run --resume FOLDER --rounds 6\n" in text


def test_an_unfinished_run_is_finished_first():
    assert "samestep run --resume FOLDER\n" in text_of(6, dropped=2)


def test_a_decided_run_has_no_such_section():
    assert text_of(6) == ""
