"""A planted effect: 5 and 10 % more work in a step must be detected and estimated correctly."""

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from bench.record import Record
from tests.selftest import experiment, resampling
from tests.selftest.experiment import SLOWER, by_round

ROUNDS = 20
RESAMPLES = 200
# rounds in a resample
SIZES = (6, 8, 10, ROUNDS)
# the share of resamples of all rounds that must detect the effect, by the percentage of work
LEAST_DETECTED = {5: 0.80, 10: 0.95}
MOST_ERROR = 0.02


def measure(backend: str, interpreter: str, folder: Path) -> list[Record]:
    names = [backend, *(SLOWER.format(percent=percent) for percent in LEAST_DETECTED)]
    return experiment.run(names, ROUNDS, interpreter, folder, experiment.Watcher())


def figures(records: Sequence[Record], backend: str) -> dict[str, Any]:
    effects = {str(percent): effect(records, backend, percent) for percent in LEAST_DETECTED}
    return {
        "trials": len(records),
        "resamples": RESAMPLES,
        "effects": effects,
        "shortfalls": [
            f"+{percent} %: {text}"
            for percent, result in effects.items()
            for text in shortfalls(int(percent), result)
        ],
    }


def effect(records: Sequence[Record], backend: str, percent: int) -> dict[str, Any]:
    slower, plain = by_round(records, SLOWER.format(percent=percent)), by_round(records, backend)
    claim = resampling.claim(slower, plain)
    whole = claim.comparison
    assert whole is not None
    by_size = {size: list(resampling.claims(slower, plain, size, RESAMPLES)) for size in SIZES}
    claims = by_size[ROUNDS]
    ratios = [one.comparison.ratio.value for one in claims if one.comparison]
    return {
        "rounds": whole.n,
        "ratio": whole.ratio.value,
        "interval": [whole.ratio.low, whole.ratio.high],
        "found": {
            str(size): mean(one.verdict == "SLOWER" for one in drawn)
            for size, drawn in by_size.items()
        },
        "called_same": mean(one.verdict == "SAME" for one in claims),
        "median_ratio_of_resamples": median(ratios),
        "minimum_detectable_effect": claim.detectable,
        "verdict": claim.verdict,
        "reason": claim.reason,
    }


def shortfalls(percent: int, result: dict[str, Any]) -> list[str]:
    """Return in what the result is not good enough, and whether the machine is too noisy for it."""
    too_noisy = result["minimum_detectable_effect"] > percent / 100
    texts = []
    found = result["found"][str(ROUNDS)]
    if found < LEAST_DETECTED[percent]:
        noisy = " (the machine's smallest detectable effect is larger)" if too_noisy else ""
        texts.append(f"found in {found:.0%} of resamples{noisy}")
    if abs(result["ratio"] - 1 - percent / 100) > MOST_ERROR:
        texts.append(f"estimated as {result['ratio'] - 1:+.1%}")
    return texts
