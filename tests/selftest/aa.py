"""A/A: one cell under two names. Every difference that is reported is a false alarm."""

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.record import Record
from bench.record.quantities import step_seconds
from tests.selftest import experiment, resampling
from tests.selftest.experiment import AGAIN, by_round

ROUNDS = 20
COMPARISONS = 100
# a comparison of a run has ten rounds
SIZE = 10
LEVEL = 0.05
MOST_POSITIVES = 9
MOST_CLAIMS = 1
MOST_DIFFERENCE = 0.01


def measure(backend: str, interpreter: str, folder: Path) -> list[Record]:
    names = [backend, AGAIN.format(backend=backend)]
    return experiment.run(names, ROUNDS, interpreter, folder, experiment.Watcher())


def figures(records: Sequence[Record], backend: str) -> dict[str, Any]:
    """Return the figures of the test, and in what they are not good enough."""
    first = by_round(records, backend)
    second = by_round(records, AGAIN.format(backend=backend))
    claims = list(resampling.exchange(first, second, SIZE, COMPARISONS))
    # of a single claim, nothing is adjusted
    raw = [claim.p_value for claim in claims if claim.p_value is not None]
    position = resampling.claim(*by_position(records))
    whole = resampling.claim(first, second)
    assert whole.comparison is not None
    assert position.comparison is not None
    result = {
        "trials": len(records),
        "rounds": whole.comparison.n,
        "comparisons": len(claims),
        "rounds_in_each": SIZE,
        "raw_positives": sum(p_value < LEVEL for p_value in raw),
        "claims": sum(claim.verdict in ("FASTER", "SLOWER") for claim in claims),
        "called_same": sum(claim.verdict == "SAME" for claim in claims),
        "median_log_ratio": math.log(whole.comparison.ratio.value),
        "position_ratio": position.comparison.ratio.value,
        "position_p_value": position.p_value,
        "minimum_detectable_effect": whole.detectable,
        "sequential": sequential(records),
    }
    return {**result, "shortfalls": shortfalls(result)}


def by_position(records: Sequence[Record]) -> tuple[dict[int, float], dict[int, float]]:
    """Return the seconds of the first and of the second trial of each round, under any name."""
    seconds: tuple[dict[int, float], dict[int, float]] = ({}, {})
    for record in records:
        value, turn, position = step_seconds(record), record.trial.round, record.trial.position
        if value is not None and turn is not None and position is not None:
            seconds[position].setdefault(turn, value)
    return seconds


def sequential(records: Sequence[Record]) -> dict[str, Any]:
    """Compare the trials as if one name had run after the other, an order that rounds avoid."""
    in_time = [s for s in map(step_seconds, records) if s is not None]
    half = SIZE
    starts = range(0, len(in_time) - 2 * half + 1)
    ratios = [
        median(in_time[at : at + half]) / median(in_time[at + half : at + 2 * half])
        for at in starts
    ]
    return {
        "windows": len(ratios),
        "largest_difference": max(abs(ratio - 1) for ratio in ratios),
        "beyond_3_percent": sum(abs(ratio - 1) > 0.03 for ratio in ratios),
    }


def shortfalls(result: dict[str, Any]) -> list[str]:
    limits = {
        f"at most {MOST_POSITIVES} raw positives": result["raw_positives"] <= MOST_POSITIVES,
        f"at most {MOST_CLAIMS} claim": result["claims"] <= MOST_CLAIMS,
        "median log ratio within 1 %": abs(result["median_log_ratio"]) <= MOST_DIFFERENCE,
        "no effect of the position in the round": result["position_p_value"] >= LEVEL,
        "at least 40 trials": result["trials"] >= 2 * ROUNDS,
    }
    return [text for text, holds in limits.items() if not holds]
