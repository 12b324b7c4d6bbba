"""What more epochs do: the longer training of a cell beside that of the same seed and fewer."""

from collections.abc import Iterator, Sequence

from reports.drawing.curves import longer_file
from reports.results.accuracy import OVERFIT_POINTS, Accuracy, Training
from reports.results.summary import SummaryRow
from reports.text import escape, image, percent, table

HEADERS = [
    "cell", "seed", "epochs", "train accuracy", "test accuracy", "gap (points)", "train loss",
    "test loss", "best test accuracy",
]  # fmt: skip


def section(name: str, rows: Sequence[SummaryRow]) -> Iterator[str]:
    """Nothing where the plan had no longer trainings."""
    pairs = [
        (row, row.results.longer)
        for row in rows
        if row.accuracy is not None and row.results.longer is not None
    ]
    if not pairs:
        return
    epochs = max(longer.epochs for _, longer in pairs)
    yield f"### {epochs} epochs"
    yield image(
        f"Loss and accuracy of {name} on training and test images over {epochs} epochs, with the "
        "workload's own last epoch marked; its ends are in the table below",
        f"figures/{longer_file(name)}",
    )
    yield table(
        HEADERS,
        [told for row, longer in pairs for told in told_of(row, longer)],
        ", ".join(HEADERS[1:]),
    )
    yield (
        "One training of each cell, with the first seed: an example, no verdict. The gap is train "
        "less test accuracy after the last epoch; above "
        f"{OVERFIT_POINTS:g} points a published notebook calls it overfitting. Best test accuracy: "
        "of any epoch, and which; choosing an epoch by it would be choosing by the test images."
    )


def told_of(row: SummaryRow, longer: Accuracy) -> Iterator[list[str]]:
    """The training of the same seed and fewer epochs first, where there is one."""
    shorter = {} if row.accuracy is None else {one.seed: one for one in row.accuracy.trainings}
    for one in longer.trainings:
        if one.seed in shorter:
            yield told(row, shorter[one.seed])
        yield told(row, one)


def told(row: SummaryRow, one: Training) -> list[str]:
    best = max(one.result.epochs, key=lambda epoch: epoch.test_accuracy)
    return [
        escape(row.results.name),
        str(one.seed),
        str(one.epochs),
        percent(one.result.final_train_accuracy),
        percent(one.result.final_test_accuracy),
        f"{one.gap_points:+.2f}",
        f"{one.result.final_train_loss:.4f}",
        f"{one.result.final_test_loss:.4f}",
        f"{percent(best.test_accuracy)}, epoch {best.epoch}",
    ]
