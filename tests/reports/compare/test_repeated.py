"""Repeated runs of two sides: `compare A1 A2 A3 against B1 B2 B3`."""

import numpy as np
import pytest

from bench.errors import UsageError
from reports import compare
from tests.records import environment
from tests.reports.two_runs import TRIALS, compared_run, noisy_records, run_in


def side(*offsets, slower=1.0, seed=1, noise=0.01, name="run"):
    """Repeated runs, each slower than the true value by its own offset."""
    return compare.Side(runs=tuple(
        compared_run(f"{name}{number}", records=noisy_records(
            slower=slower * np.exp(offset), seed=10 * seed + number, noise=noise
        ))
        for number, offset in enumerate(offsets)
    ))  # fmt: skip


def verdicts(*sides):
    return {cell.verdict for cell in compare.compare(sides).cells}


def test_three_runs_per_side_find_what_one_cannot():
    first, other = (0.003, -0.002, 0.0), (0.001, -0.001, 0.002)
    sides = side(*first, name="a"), side(*other, slower=1.1, seed=2, name="b")
    assert verdicts(*sides) == {"SLOWER"}
    cell = compare.compare(sides).cells[0]
    assert cell.comparison.n == 3
    assert cell.claim.reason.startswith("3 runs per side, adjusted p ")
    assert (cell.run, cell.matchup.title.partition(" (")[0]) == (
        "b0, b1, b2", "b0, b1, b2 against a0, a1, a2",
    )  # fmt: skip
    # one run and two runs per side: 10 % may be chance
    for number in (1, 2):
        few = [compare.Side(runs=each.runs[:number]) for each in sides]
        assert verdicts(*few) == {"UNCLEAR"}


def test_equal_sides_are_the_same():
    sides = side(*[0.0] * 5, noise=0.002), side(*[0.001] * 5, noise=0.002, seed=2, name="b")
    assert verdicts(*sides) == {"SAME"}


def test_runs_that_differ_as_a_whole_decide_nothing():
    sides = side(0.1, -0.1, 0.0), side(0.2, 0.0, 0.1, seed=2, name="b")
    assert verdicts(*sides) == {"UNCLEAR"}
    text = compare.render(sides)
    assert "how much the runs of a side differ decides" in text
    assert "Two runs of one machine may differ" not in text


def test_two_runs_per_side_count_all_their_rounds():
    sides = side(0.0, 0.0), side(0.0, 0.0, slower=1.3, seed=2, name="b")
    cell = compare.compare(sides).cells[0]
    assert (cell.verdict, cell.comparison.n) == ("SLOWER", 20)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two sides of three runs; the second takes 1.2 times as long."""
    where = tmp_path_factory.mktemp("repeated")
    return [
        str(run_in(where / f"{name}{number}", slower=slower, seed=seed + number))
        for name, slower, seed in (("a", 1.0, 1), ("b", 1.2, 10))
        for number in range(3)
    ]


def test_the_word_against_separates_the_sides(folders, samestep, tmp_path):
    arguments = [*folders[:3], "against", *folders[3:]]
    code, out, _ = samestep("compare", *arguments)
    assert code == 0
    assert out.startswith("# Comparison of 6 runs\n\n- b0, b1, b2 against a0, a1, a2 (")
    code, _, err = samestep("compare", *arguments, "--fail-slower", "10%")
    assert (code, len(err.splitlines())) == (1, 4)
    assert samestep("compare", *arguments, "--fail-slower", "50%")[0] == 0
    code, out, _ = samestep("compare", *arguments, "--out", str(tmp_path / "new"))
    stems = {path.stem for path in (tmp_path / "new" / "figures").iterdir()}
    assert (code, stems) == (0, {"card-1-light", "card-1-dark", "ratios-1"})


@pytest.mark.parametrize("words", ["against 0", "0 against", "0 against 1 against 2", "against"])
def test_a_side_without_a_run_is_refused(folders, words):
    arguments = [folders[int(word)] if word.isdigit() else word for word in words.split()]
    with pytest.raises(UsageError, match=r"Expected: RUN \[RUN\.\.\.\] against RUN"):
        compare.read(arguments)


def test_a_run_given_twice_is_refused(folders):
    with pytest.raises(UsageError, match="a run is given twice"):
        compare.read([folders[0], folders[0], "against", folders[3]])
    with pytest.raises(UsageError, match="a run is given twice"):
        compare.read([*folders[:3], "against", folders[0]])
    # a run and its published copy
    assert compare.read([folders[0], "against", folders[0]])


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"environment": {**environment(), "cpu": "another"}}, "machine"),
        ({"profile": "full"}, "profile"),
        ({"trials": TRIALS[::2]}, "cells"),
    ],
)
def test_the_runs_of_a_side_are_alike(folders, tmp_path, changes, what):
    other = str(run_in(tmp_path / "other", **changes))
    with pytest.raises(UsageError, match=f"a0 and other differ in their {what}"):
        compare.read([folders[0], other, "against", folders[3]])
