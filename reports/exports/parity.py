"""Export the certificates as text, JSON and Markdown."""

from collections.abc import Sequence

from tabulate import tabulate

from reports.results.cells import CellResults
from reports.results.parity import certificates, failures, precision_of, software, verdict
from reports.text import escape, table


def as_markdown(cells: Sequence[CellResults]) -> str:
    """Write verdict, failures and tables, for a summary in CI."""
    blocks = ["## Parity", verdict(cells)]
    blocks += [f"- {escape(line)}" for line in failures(cells)]
    for name, headers, rows in certificates(cells):
        escaped = [[escape(cell) for cell in row] for row in rows]
        titles = [escape(header) for header in headers]
        blocks += [f"### {escape(name)}", table(titles, escaped, ",".join(titles[2:]))]
    blocks.append("\n".join(f"- {escape(line)}" for line in software(cells)))
    return "\n\n".join(blocks) + "\n"


def as_text(cells: Sequence[CellResults]) -> str:
    """Write the same for a terminal, with the verdict last."""
    blocks = [
        f"{name}\n{tabulate(rows, headers, 'simple', disable_numparse=True)}"
        for name, headers, rows in certificates(cells)
    ]
    return "\n\n".join([*blocks, "\n".join(software(cells)), *failures(cells), verdict(cells)])


def as_json(cells: Sequence[CellResults]) -> list[dict[str, object]]:
    """Return one entry per certificate."""
    return [
        {
            "workload": results.cell.workload,
            "backend": results.cell.backend,
            "device": results.cell.execution.device,
            "precision": precision_of(record),
            "status": record.status,
            "reason": record.reason,
            "versions": record.environment.versions,
            "rungs": [rung.model_dump() for rung in record.parity.rungs] if record.parity else [],
            "certificate_sha256": record.sha256,
        }
        for results in cells
        for record in results.records
        if record.trial.kind == "parity"
    ]
