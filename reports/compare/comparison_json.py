"""A comparison for a machine: unrounded, strict JSON, units in the names, null for no figure."""

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
    """`cells` as `compare` gives them for these runs."""
    return {
        "runs": [run_as_json(one) for one in runs],
        "claims": [cell_as_json(one) for one in cells],
        "accuracy": [accuracy_as_json(one) for one in accuracies(runs)],
    }


def run_as_json(one: ComparedRun) -> dict[str, Any]:
    run = one.run
    return {"name": one.name, "run_id": run.run_id, "created": run.created,
            "profile": run.profile, "samestep": run.samestep}  # fmt: skip


def cell_as_json(one: ComparedCell) -> dict[str, Any]:
    """Where there is a refusal, the values of a claim are null."""
    return {
        "run": one.run,
        **cell_of(one.first),
        "lane": one.lane,
        "other_machine": one.other_machine,
        "what_differs": list(one.notes),
        "refusal": one.refusal,
        **(NO_CLAIM if one.claim is None else verdict_as_json(one.claim)),
    }


def accuracy_as_json(one: ComparedAccuracy) -> dict[str, Any]:
    claim = one.claim
    return {
        "run": one.run,
        **cell_of(one.cell),
        "first_test_accuracy": one.first.test_accuracy,
        "first_seeds": list(one.first.seeds),
        "test_accuracy": one.other.test_accuracy,
        "seeds": list(one.other.seeds),
        "refusal": one.refusal or None,
        **(NO_CLAIM if claim is None else verdict_as_json(claim)),
    }


def cell_of(results: CellResults) -> dict[str, Any]:
    cell = results.cell
    return {
        "workload": cell.workload,
        "backend": cell.backend,
        "execution": asdict(cell.execution),
    }
