"""List how near the published tf32 certificates come to their gates.

`python -m scripts.pages.tf32` writes the table into docs/parity.md.
"""

from collections.abc import Iterator

from bench.record import Record, RungModel
from reports.results.parity import RUNGS, gate, margin
from reports.text import table
from scripts.pages import marked
from scripts.pages.published import good_records, hardware

PAGE = marked.ROOT / "docs" / "parity.md"
HEADERS = ["rung", "workload", "gate", "largest measured", "in", "on", "margin"]


def largest_rungs() -> dict[tuple[str, str], tuple[Record, RungModel]]:
    """Return the largest measured value per rung and workload, of rungs that have a gate."""
    largest: dict[tuple[str, str], tuple[Record, RungModel]] = {}
    for record, _ in good_records():
        if record.trial.kind != "parity" or record.trial.execution.precision != "tf32":
            continue
        for rung in record.parity.rungs if record.parity is not None else ():
            key = (rung.rung, record.trial.workload)
            if rung.gate and (key not in largest or rung.measured > largest[key][1].measured):
                largest[key] = record, rung
    return largest


def rows() -> Iterator[list[str]]:
    for (name, workload), (record, rung) in sorted(
        largest_rungs().items(), key=lambda item: (RUNGS.index(item[0][0]), item[0][1])
    ):
        yield [
            name,
            workload,
            gate(rung),
            f"{rung.measured:.2g}",
            record.trial.backend,
            hardware(record),
            margin(rung),
        ]


def page(text: str) -> str:
    """Return the page with its table made from the records."""
    return marked.fill(text, *marked.marks("tf32"), table(HEADERS, rows()))


if __name__ == "__main__":
    marked.write(PAGE, page)
