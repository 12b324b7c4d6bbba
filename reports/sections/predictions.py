"""The predictions of a workload's cells: confusion matrices and images, each with its text twin."""

from collections.abc import Iterator, Sequence

from bench.spec import CLASSES
from reports.drawing.confusion import confusion_file
from reports.drawing.gallery import gallery_file, shared_file
from reports.results.cells import CellResults
from reports.results.predictions import Predictions, lacking, predictions, wrong_in_all
from reports.results.shown_images import Band, band_of_all, bands
from reports.sections.published_predictions import first_predictions, overlaps
from reports.text import details, escape, image, listed, table


def section(name: str, cells: Sequence[CellResults]) -> list[str]:
    """Nothing for a workload that nobody trained."""
    if not any(results.good("accuracy") for results in cells):
        return []
    found = predictions(cells)
    blocks = ["### Predictions", *without(cells)]
    if found:
        blocks += [
            f"Of the first declared training of each cell, with seed {found[0].seed}. "
            "Images are numbered from 0 in the order of the test data; p: the probability of the "
            "predicted class. What is drawn is drawn without replacement, from "
            f'`bench.mnist.stream("wrong-images", {found[0].seed})`.',
            *contradictions(found),
            *confusions(name, found),
            *first_predictions(cells[0].workload, found),
            *overlaps(cells[0].workload, found),
            *wrong_everywhere(name, found),
            *map(gallery, found),
        ]
    return blocks


def without(cells: Sequence[CellResults]) -> Iterator[str]:
    for results in cells:
        reason = lacking(results)
        if reason is not None:
            yield f"No predictions of {escape(results.name)} are shown: {reason}."


def contradictions(found: Sequence[Predictions]) -> Iterator[str]:
    """A record whose parts don't agree is shown, and said to be one."""
    for one in found:
        if len(one.right) != one.claimed_right:
            yield (
                f"**The record of {escape(one.results.name)} contradicts itself:** by its test "
                f"accuracy {one.claimed_right:,} images are right, by its predictions "
                f"{len(one.right):,}."
            )


def confusions(name: str, found: Sequence[Predictions]) -> list[str]:
    headers = ["cell", "class", *map(str, range(CLASSES))]
    rows = [
        [escape(one.results.name), str(true_class), *map(str, counts)]
        for one in found
        for true_class, counts in enumerate(one.confusion.tolist())
    ]
    return [
        image(
            f"Confusion matrices of {name}: how many test images of each class (rows) were taken "
            "for each class (columns); the numbers are in the table below",
            f"figures/{confusion_file(name)}",
        ),
        "Rows: the class; columns: what was predicted; an empty square is a zero. What is right "
        "lies on the grey diagonal; the darker a blue, the more of the cell's mistakes.",
        details(
            "The confusion matrices in numbers (a column for each predicted class)",
            table(headers, rows, ",".join(headers[1:])),
        ),
    ]


def wrong_everywhere(name: str, found: Sequence[Predictions]) -> Iterator[str]:
    if len(found) < 2:
        return
    wrong, band = wrong_in_all(found), band_of_all(found)
    where = f"every one of the {len(found)} cells"
    if band is None:
        yield f"No image is wrong in {where}."
        return
    first = listed(one.index for one in band.images)
    which = "the first " if len(band.images) < len(wrong) else ""
    yield f"Wrong in {where}: {len(wrong):,} of the images; {which}{first}."
    yield image(
        f"Test images of {name}: {band.title}, with what was predicted for each; "
        "the table below lists them",
        f"figures/{shared_file(name)}",
    )
    headers = ["image", "class", "predicted"]
    rows = [[str(one.index), str(one.true_class), one.answers] for one in band.images]
    yield details("These images as a table", table(headers, rows, "image, class"))


def gallery(one: Predictions) -> str:
    """Picture and table behind one click: a run of many cells has many of them."""
    shown = bands(one)
    name = f"{one.results.name}, seed {one.seed}"
    titles = "; ".join(band.title for band in shown)
    picture = image(
        f"Test images and what {name}, predicted for them: {titles}; the table below lists them",
        f"figures/{gallery_file(one.results)}",
    )
    return details(f"Images of {escape(name)}", f"{picture}\n\n{gallery_table(shown)}")


def gallery_table(shown: Sequence[Band]) -> str:
    rows = [
        [band.title, str(one.index), str(one.true_class), one.answers, one.p]
        for band in shown
        for one in band.images
    ]
    headers = ["shown as", "image", "class", "predicted", "p"]
    return table(headers, rows, "image, class, predicted, p")
