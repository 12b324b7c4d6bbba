"""Each row of the fault matrix passes a few of its tries; `nox -s faults` makes all of them."""

import pytest

from tests.faults.matrix import tally_tries
from tests.faults.rows import ROWS

SHARE = 0.03


@pytest.mark.parametrize("number", sorted(ROWS))
def test_the_promises_for_a_fault_hold(number, tmp_path):
    tally = tally_tries(ROWS[number], ROWS[number].tries(SHARE, tmp_path))
    assert tally.wrong == ()
    assert tally.passed == tally.tries > 0
