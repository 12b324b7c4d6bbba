"""A comparison as strict JSON: unrounded numbers, units in the names, null for a missing figure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reports.compare.accuracy import ComparedAccuracy, accuracies
from reports.compare.pairs import ComparedCell, ComparedRun
from reports.results.cells import CellResults
from reports.results.speed_verdicts import verdict_as_json

NO_CLAIM = dict.fromkeys(
    ("verdict", "reason", "adjusted_p_value", "adjusted_equivalence_p_value", "comparison")
)


def as_json(runs: Sequence[ComparedRun], cells: Sequence[ComparedCell]) -> dict[str, Any]:
    """Return the comparison as one object; `cells` are those that `compare` returns for `runs`."""
    return {
        "runs": [run_as_json(run) for run in runs],
        "claims": [cell_as_json(cell) for cell in cells],
        "accuracy": [accuracy_as_json(accuracy) for accuracy in accuracies(runs)],
    }


def run_as_json(compared: ComparedRun) -> dict[str, Any]:
    """Return what identifies the run."""
    run = compared.run
    return {"name": compared.name, "run_id": run.run_id, "created": run.created,
            "profile": run.profile, "samestep": run.samestep}  # fmt: skip


def cell_as_json(cell: ComparedCell) -> dict[str, Any]:
    """Return one cell in one lane; the values of the claim are null if there is a refusal."""
    return {
        "run": cell.run,
        **cell_fields(cell.first),
        "lane": cell.lane,
        "other_machine": cell.other_machine,
        "what_differs": list(cell.notes),
        "refusal": cell.refusal,
        **(NO_CLAIM if cell.claim is None else verdict_as_json(cell.claim)),
    }


def accuracy_as_json(accuracy: ComparedAccuracy) -> dict[str, Any]:
    """Return one trained cell; the values of the claim are null if there is a refusal."""
    claim = accuracy.claim
    return {
        "run": accuracy.run,
        **cell_fields(accuracy.cell),
        "first_test_accuracy": accuracy.first.test_accuracy,
        "first_seeds": list(accuracy.first.seeds),
        "test_accuracy": accuracy.other.test_accuracy,
        "seeds": list(accuracy.other.seeds),
        "refusal": accuracy.refusal or None,
        **(NO_CLAIM if claim is None else verdict_as_json(claim)),
    }


def cell_fields(results: CellResults) -> dict[str, Any]:
    """Return the fields that identify a cell."""
    cell = results.cell
    return {
        "workload": cell.workload,
        "backend": cell.backend,
        "execution": asdict(cell.execution),
    }
