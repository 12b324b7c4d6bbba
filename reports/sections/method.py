"""The method: how the figures were measured, and how long the run took."""

from collections.abc import Iterator, Sequence

from bench.record.flags import SLOWEST_CLOCK
from bench.record.run import RunModel
from reports.results.cells import CellResults, rounds
from reports.results.report import Report
from reports.text import comma_list, escape, number, plain_percent, plural

KINDS = ("timing", "accuracy")


def section(report: Report) -> Iterator[str]:
    """Yield the method of this run, as a list."""
    yield "## Method"
    yield "\n".join(f"- {line}" for line in method_lines(report.run, report.cells))


def method_lines(run: RunModel, cells: Sequence[CellResults]) -> Iterator[str]:
    seeds = {kind: sorted({t.seed for t in run.trials if t.kind == kind}) for kind in KINDS}
    yield ("A trial is one new process that does one thing for one configuration; n counts trials.")
    yield (
        f"Timing: {plural(rounds(run), 'round')}; a round is one trial of every configuration, in "
        f"an order drawn at random (order seed {run.order_seed}). Profile: {escape(run.profile)}."
        f"{turns(cells)}"
    )
    yield (
        "Training step: on batches that are already on the device, in blocks, synchronized at the "
        "end of each block only. A trial's value is the median of its blocks."
    )
    yield (
        "Step with wait: the same step, the device synchronized after each; quantiles of single "
        "steps."
    )
    yield (
        "Full training loop: the framework's own loop over arrays in memory, in warm slices of as "
        "many steps in every framework; shuffling and validation outside. A trial's value is the "
        "median of its slices, the loop's start-up included."
    )
    yield (
        "A value is the median over the trials of a configuration; the interval is a 95 % interval "
        "of the median from interpolated order statistics (Hettmansperger and Sheather 1986), from "
        "6 trials on. Simulated, it holds the true median in 94 to 95 % of cases. Images per "
        "second come from all images and all seconds: they need not be the inverse of a median."
    )
    yield (
        f"Seeds: timing {comma_list(seeds['timing'])}; accuracy {comma_list(seeds['accuracy'])}. "
        "All frameworks start a seed from the same initial weights and the same order of batches."
    )
    yield (
        "A trial is flagged by what else the machine did while it was timed, never by its "
        "times: contended (other processes took more than 5 % of all cores), stolen (the "
        "hypervisor did), throttled (a quota held it back), clock_jump (it was suspended, or its "
        f"clock was set){gpu_flags(run)}. A flagged trial is run once more at the end of its "
        f"round, together with what it is compared with, at most {run.most_repeats} in this run; "
        f"of a round the last attempt counts. {repeat_note(run)}"
    )
    yield timetable(run)


def gpu_flags(run: RunModel) -> str:
    """Return the flags that a GPU adds; empty for a run on CPUs."""
    if all(trial.execution.device == "cpu" for trial in run.trials):
        return ""
    return (
        ", gpu_throttled (the driver lowered the GPU's clock), gpu_slow_clock (the clock was under "
        f"{plain_percent(SLOWEST_CLOCK)} of what it was in the session's earlier trials)"
    )


def turns(cells: Sequence[CellResults]) -> str:
    """Return a sentence on turns; empty for records of early versions, which took none."""
    records = (record for results in cells for record in results.good_records("timing"))
    if all(record.timings.waiting_seconds is None for record in records):
        return ""
    return (
        " On a CPU the processes of a round that are compared take turns, block by block and slice "
        "by slice, in a new random order each time; one runs, the others wait."
    )


def timetable(run: RunModel) -> str:
    """Return the time that was estimated for the run, and the time that it took."""
    wall_seconds = sum(session.wall_seconds for session in run.sessions)
    outcomes = comma_list(escape(session.outcome) for session in run.sessions)
    sessions = f"{plural(len(run.sessions), 'session')}: {outcomes}"
    least = "at least " if any(session.outcome == "killed" for session in run.sessions) else ""
    taken = (
        f"{least}{minutes(wall_seconds)} ({sessions})"
        if run.sessions
        else "not recorded, no session ended"
    )
    estimated = "not estimated"
    if run.estimate_seconds is not None:
        pilot = minutes(run.pilot_seconds)
        estimated = f"{minutes(run.estimate_seconds)} (from a pilot of {pilot})"
    return (
        f"Estimated beforehand: {estimated}. Took: {taken}.{worker_share(run)} "
        f"Run made: {escape(run.created)}."
    )


def repeat_note(run: RunModel) -> str:
    """Return a sentence with the number of trials that were run once more."""
    repeats = sum(trial.attempt > 0 for trial in run.trials)
    return f"{plural(repeats, 'trial')} {'was' if repeats == 1 else 'were'} run once more."


def worker_share(run: RunModel) -> str:
    """Return the workers' share of the wall time, and the CPU time of the harness beside them."""
    sessions = [
        session for session in run.sessions if session.worker_seconds and session.wall_seconds
    ]
    wall = sum(session.wall_seconds for session in sessions)
    workers = sum(session.worker_seconds or 0.0 for session in sessions)
    own = sum(session.parent_cpu_seconds or 0.0 for session in sessions)
    if not sessions:
        return ""
    return (
        f" Of that, {100 * workers / wall:.1f} % inside workers; the harness itself took "
        f"{100 * own / workers:.2f} % of a core."
    )


def minutes(seconds: float) -> str:
    return f"{number(seconds)} s" if seconds < 120 else f"{number(seconds / 60)} min"
