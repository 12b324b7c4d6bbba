"""Each row of the fault matrix, a few tries of it; `nox -s faults` makes them all."""

import pytest

from tests.faults.matrix import tally
from tests.faults.rows import ROWS

SHARE = 0.03


@pytest.mark.parametrize("number", sorted(ROWS))
def test_what_is_promised_of_a_fault_holds(number, tmp_path):
    found = tally(ROWS[number], ROWS[number].tries(SHARE, tmp_path))
    assert found.wrong == ()
    assert found.passed == found.tries > 0
