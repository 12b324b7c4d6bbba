"""Round numbers to the figures that mean something."""

import math

SIGNIFICANT_FIGURES = 3


def decimals(value: float, low: float | None = None, high: float | None = None) -> int:
    """Return how many decimals to show; negative for tens and hundreds, as `round` takes it.

    There are at most three significant figures and at least one. There are fewer than three if a
    step of the last one is under a thirtieth of half the interval's width.
    """
    magnitude = _exponent(value)
    most = SIGNIFICANT_FIGURES - 1 - magnitude
    if low is None or high is None or high <= low:
        return most
    return max(min(most, -_exponent((high - low) / 6)), -magnitude)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def format_number(value: float, places: int) -> str:
    """Format `value` with `places` decimals and commas between thousands: 3.31, 38,700."""
    return f"{round(value, places) + 0.0:,.{max(places, 0)}f}"
