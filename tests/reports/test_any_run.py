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
from reports.compare.words import leading_means, sentences
from reports.exports.pytest_benchmark import as_pytest_benchmark
from reports.exports.summary_json import as_json
from reports.publishing.verify import verify
from reports.report import write_report
from reports.results.report import Report
from tests.records import write_folder
from tests.reports.tables_of import compose, tables_of
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
        sides = read(folders)
    if not sides:
        return
    compared = compare.compare(sides)
    assert tables_of(compare.compose(compared))
    json.dumps(compare.as_json(compared), allow_nan=False)
    assert_sentences_agree(compared)
    there, back = (of_same_devices(each) for each in (sides, sides[::-1]))
    assert there.keys() == back.keys()
    for key, cell in there.items():
        assert_opposite(cell, back[key])
    for one, other in zip(accuracies(sides), accuracies(sides[::-1]), strict=True):
        assert_negated(one, other)


def of_same_devices(sides):
    """The cells whose device both runs have: which run is first decides the devices of others."""
    cells = compare.compare(sides).cells
    return {(c.first.cell, c.lane): c for c in cells if c.first.cell == c.other.cell}


WORDS = {
    Verdict.SAME: "as fast within 3 %",
    Verdict.UNCLEAR: "unclear in the",
    Verdict.UNDECIDED: "; preliminary, ",
}


def assert_sentences_agree(compared):
    """No sentence says more than its claim, and none hides a workload of the other direction."""
    for mean, line in zip(leading_means(compared.means), sentences(compared), strict=True):
        if mean.claim.comparison is None:
            assert " undecided in the " in line
            continue
        for verdict, words in WORDS.items():
            assert (words in line) == (mean.claim.verdict is verdict)
        speedup = 1 / mean.claim.comparison.ratio.value
        if mean.claim.verdict in OPPOSITE:
            assert (speedup > 1) == (mean.claim.verdict is Verdict.FASTER)
        for cell in mean.cells:
            if cell.verdict in OPPOSITE and cell.verdict is not mean.claim.verdict:
                assert f"{cell.verdict.lower()} on" in line


def read(folders):
    """The runs; none where they are refused."""
    try:
        return compare.read([*map(str, folders)])
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
