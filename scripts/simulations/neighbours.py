"""Measure how much neighbouring rounds of a run resemble each other."""

from pathlib import Path
from statistics import fmean

import numpy as np

from bench.record.run import read_run
from bench.record.stored import read_records
from bench.stats import SMALLEST_SAMPLE
from bench.stats.comparison import round_ratios
from bench.stats.step_down import Floats
from reports.results.report import Report


def neighbour_correlation(folder: Path) -> float:
    """Return the mean over a run's claims of the excess of neighbouring rounds' correlation."""
    run = read_run(folder)
    report = Report(run, tuple(read_records(folder, run)))
    ratios = [
        np.array(list(round_ratios(pair.first.seconds[pair.lane], pair.second.seconds[pair.lane])
                      .values()))
        for pair in report.pairs
    ]  # fmt: skip
    return fmean(excess(values) for values in ratios if len(values) >= SMALLEST_SAMPLE)


def excess(values: Floats) -> float:
    """Return the lag-1 autocorrelation above its mean over all orders, which is -1 / n."""
    centred = values - np.mean(values)
    correlation = np.sum(centred[1:] * centred[:-1]) / np.sum(centred**2)
    return float(correlation + 1 / len(values))
