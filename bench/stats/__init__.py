"""The statistics of a report: pure functions of numbers in records, so that all can be recomputed.

The unit of replication is the trial. Intervals are over trials, never over steps or blocks, which
share one process and are far from independent.
"""

from bench.stats.comparison import SAME_WITHIN, Comparison, compare_rounds, compare_samples
from bench.stats.equivalence import (
    FEWEST_SEEDS,
    AccuracyClaim,
    AccuracyVerdict,
    MeanDifference,
    compare_means,
    judge_means,
)
from bench.stats.estimates import (
    CONFIDENCE,
    SMALLEST_SAMPLE,
    Estimate,
    cell_value,
    median_interval,
    prediction_interval,
    samples_per_second,
)
from bench.stats.repeated_runs import FEWEST_RUNS, judge_repeated
from bench.stats.rounding import decimals, format_number
from bench.stats.verdicts import (
    AGREEMENT,
    BETWEEN_RUNS,
    LEVEL,
    Claim,
    Verdict,
    judge_rounds,
    judge_runs,
)

__all__ = [
    "AGREEMENT",
    "BETWEEN_RUNS",
    "CONFIDENCE",
    "FEWEST_RUNS",
    "FEWEST_SEEDS",
    "LEVEL",
    "SAME_WITHIN",
    "SMALLEST_SAMPLE",
    "AccuracyClaim",
    "AccuracyVerdict",
    "Claim",
    "Comparison",
    "Estimate",
    "MeanDifference",
    "Verdict",
    "cell_value",
    "compare_means",
    "compare_rounds",
    "compare_samples",
    "decimals",
    "format_number",
    "judge_means",
    "judge_repeated",
    "judge_rounds",
    "judge_runs",
    "median_interval",
    "prediction_interval",
    "samples_per_second",
]
