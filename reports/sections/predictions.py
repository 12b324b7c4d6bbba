"""The predictions of a workload's cells: confusion matrices and images, each with its table."""

from collections.abc import Iterator, Sequence

from bench.spec import CLASSES
from reports.drawing import confusion
from reports.drawing.gallery import common_mistakes_file, gallery_file
from reports.results.cells import CellResults
from reports.results.predictions import Predictions, common_wrong_indices, missing_reason
from reports.results.shown_images import Band
from reports.results.workload import WorkloadResults
from reports.sections.published_predictions import first_predictions, overlaps
from reports.text import comma_list, details, escape, figure, table


def part(workload: WorkloadResults) -> Iterator[str]:
    """Yield the predictions; nothing if the workload has no good training."""
    if not any(results.good_records("accuracy") for results in workload.cells):
        return
    yield "### Predictions"
    yield from reasons(workload.cells)
    predictions = workload.predictions
    if not predictions:
        return
    seed = predictions[0].seed
    yield (
        f"Of the first declared training of each configuration, with seed {seed}. "
        "Images are numbered from 0 in the order of the test data; p: the probability of the "
        "predicted class. What is drawn is drawn without replacement, from "
        f'`bench.mnist.stream("wrong-images", {seed})`.'
    )
    yield from contradictions(predictions)
    yield from confusions(workload.name, predictions)
    yield from first_predictions(workload.definition, predictions)
    yield from overlaps(workload.definition, predictions)
    yield from common_mistakes(workload)
    yield gallery(predictions[0], workload.bands)


def reasons(cells: Sequence[CellResults]) -> Iterator[str]:
    """Yield a sentence per trained cell without predictions."""
    for results in cells:
        reason = missing_reason(results)
        if reason is not None:
            yield f"No predictions of {escape(results.title)} are shown: {reason}."


def contradictions(predictions: Sequence[Predictions]) -> Iterator[str]:
    """Yield a sentence per record whose predictions disagree with its accuracy."""
    for cell_predictions in predictions:
        name, right = cell_predictions.results.title, len(cell_predictions.right_indices)
        if right != cell_predictions.claimed_right:
            yield (
                f"**The record of {escape(name)} contradicts itself:** by its test "
                f"accuracy {cell_predictions.claimed_right:,} images are right, by its predictions "
                f"{right:,}."
            )


def confusions(name: str, predictions: Sequence[Predictions]) -> Iterator[str]:
    headers = ["configuration", "class", *map(str, range(CLASSES))]
    rows = [
        [escape(cell_predictions.results.title), str(true_class), *map(str, counts)]
        for cell_predictions in predictions
        for true_class, counts in enumerate(cell_predictions.confusion.tolist())
    ]
    yield figure(
        f"Confusion matrices of {name}: how many test images of each class (rows) were taken "
        "for each class (columns); the numbers are in the table below",
        confusion.figure_file(name),
    )
    yield (
        "Rows: the class; columns: what was predicted; an empty square is a zero. What is right "
        "lies on the grey diagonal; the darker a blue, the more mistakes."
    )
    yield details(
        "The confusion matrices in numbers (a column for each predicted class)",
        table(headers, rows, ",".join(headers[1:])),
    )


def common_mistakes(workload: WorkloadResults) -> Iterator[str]:
    """Yield the images that every cell gets wrong; nothing for a single cell."""
    predictions, band = workload.predictions, workload.band_of_all
    if len(predictions) < 2:
        return
    everywhere = f"every one of the {len(predictions)} configurations"
    if band is None:
        yield f"No image is wrong in {everywhere}."
        return
    wrong = common_wrong_indices(predictions)
    first = comma_list(image.index for image in band.images)
    which = "the first " if len(band.images) < len(wrong) else ""
    yield f"Wrong in {everywhere}: {len(wrong):,} of the images; {which}{first}."
    yield figure(
        f"Test images of {workload.name}: {band.title}, with what was predicted for each; "
        "the table below lists them",
        common_mistakes_file(workload.name),
    )
    headers = ["image", "class", "predicted"]
    rows = [[str(image.index), str(image.true_class), image.answers] for image in band.images]
    yield details("These images as a table", table(headers, rows, "image, class"))


def gallery(predictions: Predictions, bands: Sequence[Band]) -> str:
    """Return picture and table in a closed block."""
    name = f"{predictions.results.title}, seed {predictions.seed}"
    titles = "; ".join(band.title for band in bands)
    picture = figure(
        f"Test images and what {name}, predicted for them: {titles}; the table below lists them",
        gallery_file(predictions.results),
    )
    return details(f"Images of {escape(name)}", f"{picture}\n\n{gallery_table(bands)}")


def gallery_table(bands: Sequence[Band]) -> str:
    """Return the table with the images of a gallery."""
    rows = [
        [band.title, str(image.index), str(image.true_class), image.answers, image.probability_text]
        for band in bands
        for image in band.images
    ]
    headers = ["shown as", "image", "class", "predicted", "p"]
    return table(headers, rows, "image, class, predicted, p")
