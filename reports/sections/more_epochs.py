"""The trainings of more epochs, each beside the training of the same seed and fewer epochs."""

from collections.abc import Iterator

from reports.drawing.more_epochs import figure_file
from reports.results.accuracy import OVERFIT_POINTS, Accuracy, Training
from reports.results.summary import SummaryRow
from reports.results.workload import WorkloadResults
from reports.text import escape, figure, percent, table

HEADERS = [
    "configuration", "seed", "epochs", "train accuracy", "test accuracy", "gap (points)",
    "train loss", "test loss", "best test accuracy",
]  # fmt: skip


def part(workload: WorkloadResults) -> Iterator[str]:
    """Yield the longer trainings; nothing if the plan has none."""
    longer = workload.longer_rows
    if not longer:
        return
    epochs = max(measured.epochs for _, measured in longer)
    yield f"### {epochs} epochs"
    yield figure(
        f"Loss and accuracy of {workload.name} on training and test images over {epochs} epochs, "
        "with the network's own last epoch marked; its ends are in the table below",
        figure_file(workload.name),
    )
    yield table(
        HEADERS,
        [cells for row, measured in longer for cells in table_rows(row, measured)],
        ", ".join(HEADERS[1:]),
    )
    yield (
        "One training of each configuration, with the first seed: an example, no verdict. The gap "
        "is train less test accuracy after the last epoch; above "
        f"{OVERFIT_POINTS:g} points a published notebook calls it overfitting. Best test accuracy: "
        "of any epoch, and which; choosing an epoch by it would be choosing by the test images."
    )


def table_rows(row: SummaryRow, longer: Accuracy) -> Iterator[list[str]]:
    """Yield each longer training, after the training of the same seed and fewer epochs."""
    trainings = row.accuracy.trainings if row.accuracy is not None else ()
    shorter = {training.seed: training for training in trainings}
    for training in longer.trainings:
        if training.seed in shorter:
            yield table_row(row, shorter[training.seed])
        yield table_row(row, training)


def table_row(row: SummaryRow, training: Training) -> list[str]:
    best = max(training.result.epochs, key=lambda epoch: epoch.test_accuracy)
    return [
        escape(row.results.title),
        str(training.seed),
        str(training.epochs),
        percent(training.result.final_train_accuracy),
        percent(training.result.final_test_accuracy),
        f"{training.gap_points:+.2f}",
        f"{training.result.final_train_loss:.4f}",
        f"{training.result.final_test_loss:.4f}",
        f"{percent(best.test_accuracy)}, epoch {best.epoch}",
    ]
