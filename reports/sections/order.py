"""The sections of each page, in the order of reading."""

from collections.abc import Callable, Iterator

from reports.results.report import Report
from reports.sections import (
    accuracy_verdicts,
    answer,
    batch_sweep,
    card,
    citing,
    contents,
    disturbances,
    environments,
    every_mode,
    facts,
    framework_tax,
    headline,
    machine,
    method,
    missing,
    parity,
    power,
    reproduce,
    settings,
    speed_verdicts,
    step_spread,
    step_times,
    summary,
    time_to_accuracy,
    title,
    training_time,
    undecided,
    utilization,
)

Section = Callable[[Report], Iterator[str]]

# of report.md, in the order of reading
SUMMARY: tuple[Section, ...] = (
    title.section,
    headline.section,
    card.section,
    answer.section,
    environments.section,
    undecided.section,
    citing.section,
    reproduce.section,
    contents.section,
)
# of details.md
DETAILS: tuple[Section, ...] = (
    facts.section,
    step_times.section,
    speed_verdicts.section,
    summary.section,
    accuracy_verdicts.section,
    time_to_accuracy.section,
    every_mode.section,
    missing.section,
    step_spread.section,
    training_time.section,
    framework_tax.section,
    batch_sweep.section,
    utilization.section,
    power.section,
    machine.section,
    settings.section,
    parity.section,
    method.section,
    disturbances.section,
    citing.records,
)
