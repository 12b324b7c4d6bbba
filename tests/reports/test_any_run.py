"""What holds of any run: it has a report, which is verified, and may be compared with any other."""

import json
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given

from bench.errors import SamestepError
from bench.stats import Verdict
from reports import compare
from reports.compare.accuracy import accuracies
from reports.exports.pytest_benchmark import as_pytest_benchmark
from reports.exports.summary_json import as_json
from reports.publishing.verify import verify
from reports.report import compose, write_report
from reports.results.report import Report
from tests.records import write_folder
from tests.reports.tables_of import tables_of
from tests.strategies import any_run, some, twins

OPPOSITE = {Verdict.FASTER: Verdict.SLOWER, Verdict.SLOWER: Verdict.FASTER}


@contextmanager
def written(*drawn):
    """The folders of these runs."""
    with TemporaryDirectory() as name:
        yield [write_folder(Path(name) / f"run-{n}", *one) for n, one in enumerate(drawn)]


@some(10)
@given(any_run())
def test_it_has_a_report_whose_tables_keep_their_columns(drawn):
    text = compose(Report(*drawn))
    # raises where a row has more cells than its header, or fewer
    assert tables_of(text)
    assert compose(Report(*drawn)) == text


@some(5)
@given(any_run())
def test_its_figures_are_strict_json(drawn):
    for form in (as_json, as_pytest_benchmark):
        json.dumps(form(Report(*drawn)), allow_nan=False)


@some(2)
@given(any_run())
def test_what_is_written_is_verified(drawn):
    with written(drawn) as (folder,):
        write_report(folder)
        found = verify(folder)
    assert found.differences == ()
    assert found.records == len(drawn.records)


@some(10)
@given(twins())
def test_two_are_compared_or_refused_with_one_line(drawn):
    with written(*drawn) as folders:
        runs = read(folders)
    if not runs:
        return
    cells = compare.compare(runs)
    assert tables_of(compare.compose(runs, cells))
    json.dumps(compare.as_json(runs, cells), allow_nan=False)
    for there, back in zip(cells, compare.compare(runs[::-1]), strict=True):
        assert_opposite(there, back)
    for there, back in zip(accuracies(runs), accuracies(runs[::-1]), strict=True):
        assert_negated(there, back)


def read(folders):
    """The runs; none where they are refused."""
    try:
        return compare.read(folders)
    except SamestepError as error:
        refusal = str(error)
    assert "\n" not in refusal
    return ()


def assert_opposite(there, back):
    """Which run is the first decides the direction alone."""
    assert (there.first.cell, there.lane) == (back.first.cell, back.lane)
    assert (there.refusal is None) == (back.refusal is None)
    assert back.verdict == OPPOSITE.get(there.verdict, there.verdict)
    if there.comparison is not None:
        one, other = there.comparison.ratio, back.comparison.ratio
        assert one.value * other.value == pytest.approx(1)
        if one.low is not None:
            assert one.low * other.high == pytest.approx(1)
        assert there.claim.p_value == pytest.approx(back.claim.p_value)


def assert_negated(there, back):
    assert there.cell.cell == back.cell.cell
    assert (there.claim is None) == (back.claim is None)
    if there.claim is not None:
        assert there.claim.verdict == back.claim.verdict
        one, other = there.claim.comparison.difference, back.claim.comparison.difference
        assert one == pytest.approx(-other)
