"""The figures of a report, in the order in which they are drawn."""

from collections.abc import Callable, Iterator

from reports.drawing import (
    batch_sweep,
    card,
    confusion,
    framework_tax,
    gallery,
    more_epochs,
    step_spread,
    step_times,
    training,
    training_time,
    utilization,
)
from reports.results.report import Report

# each yields file names and pictures
FIGURES: tuple[Callable[[Report], Iterator[tuple[str, bytes]]], ...] = (
    card.figures,
    step_times.figures,
    training.figures,
    more_epochs.figures,
    step_spread.figures,
    training_time.figures,
    utilization.figures,
    framework_tax.figures,
    batch_sweep.figures,
    confusion.figures,
    gallery.figures,
)
