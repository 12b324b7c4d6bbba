"""The columns that several tables share."""

from bench.spec import TRAIN_IMAGES
from reports.results.cells import CellResults
from reports.results.names import framework
from reports.results.summary import SummaryRow
from reports.text import NOTHING, escape, plural

CELL_HEADERS = ["network", "framework", "device"]
DIFFERS = r"\*"


def cell_names(results: CellResults) -> list[str]:
    """Return the texts of the columns `CELL_HEADERS`, by which a table names its cells."""
    cell = results.cell
    return [escape(cell.workload), escape(framework(cell.backend)), escape(results.device)]


def training_extent(row: SummaryRow) -> str:
    """Return `10 epochs`, or what differs: `2 of 10 epochs, 6,000 of 60,000 images`."""
    measured, workload = row.accuracy, row.results.workload
    if measured is None:
        return NOTHING
    epochs = plural(measured.epochs, "epoch")
    if workload is not None and measured.epochs != workload.epochs:
        epochs = f"{measured.epochs} of {workload.epochs} epochs"
    part = ""
    if measured.train_images != TRAIN_IMAGES:
        part = f", {measured.train_images:,} of {TRAIN_IMAGES:,} images"
    return f"{epochs}{part}{'' if row.matches_published else f' {DIFFERS}'}"


def published_verdict(row: SummaryRow) -> str:
    """Return the verdict on the published accuracy: `too few seeds (other optimizer)`."""
    verdict = row.published_verdict
    result = row.published_result
    if verdict is None or result is None:
        return NOTHING
    return f"{verdict} (other optimizer)" if result.other_optimizer else verdict
