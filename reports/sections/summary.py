"""The top of a report: what it may be used for, what was found, and what has no figures."""

from collections import Counter
from collections.abc import Iterator, Sequence

from bench.record.run import RunModel
from bench.record.selection import UNSTEADY
from bench.spec import TRAIN_IMAGES
from reports.results.cells import CellResults, backends, rounds, timed, workloads
from reports.results.speed_verdicts import RankedPair
from reports.results.summary import SummaryRow
from reports.sections import speed_verdicts
from reports.sections.columns import named
from reports.sections.machine import machine_in_words
from reports.text import (
    MEBIBYTE,
    NOTHING,
    centre,
    count,
    escape,
    estimate,
    listed,
    number,
    percent,
    plural,
    points,
    table,
)

SMOKE = "smoke run: not for citation"
DIFFERS = r"\*"


def title(run: RunModel) -> list[str]:
    return [f"# samestep report: {escape(run.run_id)}"]


def stamps(run: RunModel, cells: Sequence[CellResults]) -> list[str]:
    """What a reader must know before the first number."""
    blocks = []
    if run.profile == "smoke":
        blocks.append(
            f"> **{SMOKE}.** n = {rounds(run)}, so there is no interval, and the figures show "
            "only that everything runs."
        )
    missing = Counter(trial.kind for results in cells for trial in results.missing)
    if missing:
        kinds = listed(f"{kind} {trials}" for kind, trials in sorted(missing.items()))
        blocks.append(
            f"> **Incomplete run.** {plural(missing.total(), 'trial')} of {len(run.trials):,} "
            f"in the plan {'has' if missing.total() == 1 else 'have'} no record ({kinds})."
        )
    return blocks


def summary(
    run: RunModel, cells: Sequence[CellResults], pairs: Sequence[RankedPair], *, headed: bool
) -> list[str]:
    """One paragraph of facts: what ran, how much of it, verdicts.

    Machine and medians too, unless it is `headed` by a paragraph that has them.
    """
    devices = sorted({results.cell.execution.device for results in cells})
    complete = sum(results.complete for results in cells)
    lacking = sum(results.unsupported for results in cells)
    seeds = declared_seeds(run)
    sentences = [
        *([] if headed else [f"{machine_in_words(run)}."]),
        f"{plural(len(workloads(cells)), 'workload')} on {escape(listed(backends(cells)))}; "
        f"devices: {escape(listed(devices))}; profile {escape(run.profile)}.",
        f"{complete} of {plural(len(cells), 'cell')} have all their figures"
        f"{f', {lacking} are unsupported' if lacking else ''}.",
        f"Timing: {plural(rounds(run), 'round')}. Accuracy: {plural(len(seeds), 'seed')} "
        f"({escape(listed(seeds))}).",
        *([] if headed else medians(cells)),
        speed_verdicts.in_short(run, pairs),
    ]
    return [" ".join(sentences)]


def declared_seeds(run: RunModel) -> list[int]:
    return sorted(
        {
            trial.seed
            for trial in run.trials
            if trial.accuracy is not None and not trial.accuracy.longer
        }
    )


def medians(cells: Sequence[CellResults]) -> Iterator[str]:
    """The native lane of every cell in one sentence."""
    parts: dict[str, list[str]] = {}
    for results in cells:
        if results.speed is not None and results.speed.native_seconds is not None:
            where = f"{escape(results.cell.workload)} on {escape(results.device)}"
            value = estimate(results.speed.native_seconds, 1e3)
            parts.setdefault(where, []).append(f"{escape(results.cell.backend)} {value}")
    found = "; ".join(f"{where}: {', '.join(values)}" for where, values in parts.items())
    bracketed = ", in brackets the 95 % interval" if "[" in found else ""
    if found:
        yield (
            "Milliseconds per step in the framework's own loop (native lane), median over trials"
            f"{bracketed}: {found}."
        )


def accuracy_table(rows: Sequence[SummaryRow]) -> list[str]:
    headers = ["workload", "backend", "device", "parameters", "test accuracy", "published"]
    headers += ["difference (points)", "verdict", "trained", "seeds"]
    blocks = [
        "## Summary",
        "### Parameters and accuracy",
        table(
            headers, map(accuracy_row, supported(rows)), "parameters, difference (points), seeds"
        ),
        "✓: counts and shapes of every layer equal the workload's in every trial. Test accuracy: "
        "after the last epoch, mean over seeds. Published: one draw, on hardware that its source "
        "does not name; reproduced: it lies where one more of our seeds is expected (95 %). "
        f"{NOTHING}: not measured; the reason is under Cells and trials without "
        "figures, or it was not in the plan.",
    ]
    if any(row.accuracy is not None and not row.as_published for row in rows):
        blocks.append(
            f"{DIFFERS} Trained for another number of epochs, on a part of the training images or "
            "with another batch size than the published result: not the same experiment."
        )
    return blocks


def accuracy_row(row: SummaryRow) -> list[str]:
    return [
        *named(row.results),
        parameters(row.results),
        percent(None if row.accuracy is None else row.accuracy.test_accuracy),
        percent(row.published_accuracy),
        points(row.difference),
        verdict(row),
        trained(row),
        NOTHING if row.accuracy is None else str(len(row.accuracy.seeds)),
    ]


def verdict(row: SummaryRow) -> str:
    """On the published accuracy: `reproduced`, `too few seeds (other optimizer)`."""
    judged = row.judged_published
    if judged is None or row.published is None:
        return NOTHING
    return f"{judged} (other optimizer)" if row.published.other_optimizer else judged


def supported(rows: Sequence[SummaryRow]) -> list[SummaryRow]:
    """What a backend does not have stands among the cells without figures alone."""
    return [row for row in rows if not row.results.unsupported]


def parameters(results: CellResults) -> str:
    """`535,818 ✓`: the framework's own total, and what the rung says."""
    marks = {True: "\u00a0✓", False: "\u00a0✗ differ", None: " (not checked)"}
    if results.parameter_total is None:
        return NOTHING
    return f"{count(results.parameter_total)}{marks[results.parameters_checked]}"


def trained(row: SummaryRow) -> str:
    """`10 epochs`, or what differs: `2 of 10 epochs, 6,000 of 60,000 images`."""
    measured, workload = row.accuracy, row.results.workload
    if measured is None:
        return NOTHING
    epochs = plural(measured.epochs, "epoch")
    if workload is not None and measured.epochs != workload.epochs:
        epochs = f"{measured.epochs} of {workload.epochs} epochs"
    part = ""
    if measured.train_images != TRAIN_IMAGES:
        part = f", {measured.train_images:,} of {TRAIN_IMAGES:,} images"
    return f"{epochs}{part}{'' if row.as_published else f' {DIFFERS}'}"


def speed_table(run: RunModel, rows: Sequence[SummaryRow]) -> list[str]:
    """The second table, of a run that times; the columns of a GPU only where there is one."""
    if not timed(run):
        return []
    gpu = any(row.results.cell.execution.device != "cpu" for row in rows)
    headers = ["workload", "backend", "device", "native ms/step", "step ms/step", "n"]
    headers += ["samples/s", "first step s", "memory MiB"]
    headers += ["GPU memory MiB", "GPU speed / CPU speed"] if gpu else []
    cells = [row_of_speed(row)[: len(headers)] for row in supported(rows)]
    return [
        "### Speed",
        table(headers, cells, ",".join(headers[3:])),
        *legend(rows, gpu),
    ]


def row_of_speed(row: SummaryRow) -> list[str]:
    speed = row.speed
    if speed is None:
        return [*named(row.results), *[NOTHING] * 8]
    return [
        *named(row.results),
        estimate(speed.native_seconds, 1e3),
        estimate(speed.step_seconds, 1e3),
        trials(row),
        number(speed.samples_per_second),
        centre(speed.first_step_seconds),
        centre(speed.peak_rss_bytes, 1 / MEBIBYTE),
        centre(speed.peak_device_bytes, 1 / MEBIBYTE),
        estimate(row.gpu_speed_over_cpu),
    ]


def trials(row: SummaryRow) -> str:
    """`10`, or `10 (2 not steady)`."""
    speed = row.speed
    if speed is None:
        return NOTHING
    # beside n and not in a footnote, where a reader who copies the row would lose it
    unsteady = speed.flags.get(UNSTEADY, 0)
    return f"{speed.trials} ({unsteady} not steady)" if unsteady else str(speed.trials)


def legend(rows: Sequence[SummaryRow], gpu: bool) -> Iterator[str]:
    yield (
        "native: the framework's own training loop over arrays in memory. step: the train step "
        "alone on batches that are already on the device. Value: median over n trials, each a "
        "fresh process; in brackets the 95 % interval (none under 6 trials). samples/s: "
        "all samples over all seconds of the native lane. memory: peak of the whole worker "
        "process."
    )
    if gpu:
        yield (
            "GPU memory: the framework's own count, and each counts in its own way. GPU speed / "
            "CPU speed: the CPU's native time over the GPU's, by round; its median."
        )
    if any(row.speed is not None and UNSTEADY in row.speed.flags for row in rows):
        yield (
            "not steady: in these trials the time per step was still changing when the warm-up "
            "ended. They are in these figures and in no verdict."
        )
