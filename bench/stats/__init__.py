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
from bench.stats.ranks import rank_sum, signed_rank
from bench.stats.rounding import decimals, format_number
from bench.stats.verdicts import AGREEMENT, LEVEL, Claim, Verdict, fewest_rounds, holm, judge

__all__ = [
    "AGREEMENT",
    "CONFIDENCE",
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
    "fewest_rounds",
    "format_number",
    "holm",
    "judge",
    "judge_means",
    "median_interval",
    "prediction_interval",
    "rank_sum",
    "samples_per_second",
    "signed_rank",
]
