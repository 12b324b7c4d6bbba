"""The first predictions and wrong images of each cell, beside those that a source printed."""

from collections.abc import Iterator, Sequence

from bench.spec import TEST_IMAGES, PublishedResult, Workload
from reports.results.predictions import Predictions, count_shared, expected_shared
from reports.text import escape, number, table

FIRST = 10


def first_predictions(
    workload: Workload | None, predictions: Sequence[Predictions]
) -> Iterator[str]:
    """Yield the first ten predictions, the wrong ones, and what a source printed otherwise."""
    printed = next((one for one in sources(workload) if one.first_predictions), None)
    headers = ["cell", "first ten predictions", "wrong of these"]
    if printed is not None:
        headers.append("other than published")
        answers = digits(printed.first_predictions)
        yield f"First predictions published in {escape(printed.title)}: `{answers}`."
    yield table(headers, [first_row(one, printed) for one in predictions])


def first_row(one: Predictions, printed: PublishedResult | None) -> list[str]:
    first = one.predicted[:FIRST].tolist()
    row = [escape(one.results.name), f"`{digits(first)}`"]
    row.append(differences(first, one.classes.tolist(), "class"))
    if printed is not None:
        row.append(differences(first, printed.first_predictions, "published"))
    return row


def digits(classes: Sequence[int]) -> str:
    return " ".join(map(str, classes))


def differences(first: Sequence[int], others: Sequence[int], what: str) -> str:
    """Return `image 8 (class 5)` for every place in which the two differ, or `none`."""
    # there are 10,000 classes, and a source may have printed fewer than ten
    pairs = enumerate(zip(first, others, strict=False))
    unequal = [f"image {index} ({what} {other})" for index, (one, other) in pairs if one != other]
    return ", ".join(unequal) or "none"


def overlaps(workload: Workload | None, predictions: Sequence[Predictions]) -> Iterator[str]:
    """Yield, per list of wrong images that a source printed, how many are wrong here too."""
    for what, listed in published_wrong(workload):
        yield (
            f"{what}. By chance: what two unrelated sets share, the cell's wrong images times "
            f"{len(listed)} over {TEST_IMAGES:,}."
        )
        headers = ["cell", "of these wrong here too", "by chance"]
        yield table(
            headers, [overlap_row(one, listed) for one in predictions], ",".join(headers[1:])
        )


def published_wrong(workload: Workload | None) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the lists of wrong images that sources printed, each after its title."""
    for result in sources(workload):
        whole, sample = result.wrong_indices, result.sampled_wrong_indices
        title = escape(result.title)
        if whole:
            yield f"{len(whole)} images published as wrong in {title}", whole
        if sample:
            yield f"A sample of {len(sample)} wrong images published in {title}", sample


def overlap_row(one: Predictions, listed: Sequence[int]) -> list[str]:
    by_chance = number(expected_shared(one, listed))
    return [escape(one.results.name), str(count_shared(one, listed)), by_chance]


def sources(workload: Workload | None) -> tuple[PublishedResult, ...]:
    return () if workload is None else workload.published
