"""The first predictions and wrong images of each cell, beside those of published results."""

from collections.abc import Iterator, Sequence

from bench.spec import TEST_IMAGES, PublishedResult, Workload
from reports.results.predictions import Predictions, count_shared, expected_shared
from reports.text import escape, number, table

FIRST = 10


def first_predictions(
    workload: Workload | None, predictions: Sequence[Predictions]
) -> Iterator[str]:
    """Yield the first ten predictions, and their differences from the classes and from a source."""
    published = next((result for result in sources(workload) if result.first_predictions), None)
    headers = ["configuration", "first ten predictions", "wrong of these"]
    if published is not None:
        headers.append("other than published")
        answers = digits(published.first_predictions)
        yield f"First predictions published in {escape(published.title)}: `{answers}`."
    yield table(
        headers, [first_row(cell_predictions, published) for cell_predictions in predictions]
    )


def first_row(predictions: Predictions, published: PublishedResult | None) -> list[str]:
    first = predictions.predicted[:FIRST].tolist()
    row = [escape(predictions.results.title), f"`{digits(first)}`"]
    row.append(differences(first, predictions.classes.tolist(), "class"))
    if published is not None:
        row.append(differences(first, published.first_predictions, "published"))
    return row


def digits(classes: Sequence[int]) -> str:
    return " ".join(map(str, classes))


def differences(first: Sequence[int], other_classes: Sequence[int], what: str) -> str:
    """Return `image 8 (class 5)` for every image on which the two differ, or `none`."""
    # the classes are those of all 10,000 images, and a source may have fewer than ten predictions
    pairs = enumerate(zip(first, other_classes, strict=False))
    unequal = [
        f"image {index} ({what} {other})"
        for index, (predicted, other) in pairs
        if predicted != other
    ]
    return ", ".join(unequal) or "none"


def overlaps(workload: Workload | None, predictions: Sequence[Predictions]) -> Iterator[str]:
    """Yield, per published list of wrong images, how many of them each cell gets wrong."""
    for what, indices in published_wrong_lists(workload):
        yield (
            f"{what}. By chance: what two unrelated sets share, its wrong images times "
            f"{len(indices)} over {TEST_IMAGES:,}."
        )
        headers = ["configuration", "of these wrong here too", "by chance"]
        yield table(
            headers,
            [overlap_row(cell_predictions, indices) for cell_predictions in predictions],
            ",".join(headers[1:]),
        )


def published_wrong_lists(workload: Workload | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield title and indices of each published list of wrong images."""
    for result in sources(workload):
        whole, sample = result.wrong_indices, result.sampled_wrong_indices
        title = escape(result.title)
        if whole:
            yield f"{len(whole)} images published as wrong in {title}", whole
        if sample:
            yield f"A sample of {len(sample)} wrong images published in {title}", sample


def overlap_row(predictions: Predictions, indices: Sequence[int]) -> list[str]:
    expected = number(expected_shared(predictions, indices))
    return [escape(predictions.results.title), str(count_shared(predictions, indices)), expected]


def sources(workload: Workload | None) -> tuple[PublishedResult, ...]:
    return () if workload is None else workload.published
