"""One section of the report per file: Markdown blocks from results."""

from collections.abc import Callable, Iterator

from reports.results.report import Report
from reports.sections import (
    accuracy_verdicts,
    batch_sweep,
    citing,
    disturbances,
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
    utilization,
    workload,
)

# in the order of reading: the subject of the run first, how to repeat it last
SECTIONS: tuple[Callable[[Report], Iterator[str]], ...] = (
    title.section,
    headline.section,
    facts.section,
    summary.section,
    step_times.section,
    speed_verdicts.section,
    accuracy_verdicts.section,
    time_to_accuracy.section,
    every_mode.section,
    missing.section,
    workload.section,
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
    reproduce.section,
    citing.section,
)
