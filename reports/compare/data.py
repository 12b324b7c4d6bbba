"""A comparison for a machine: unrounded, strict JSON, units in the names, null for no figure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from reports.compare.accuracy import ComparedAccuracy, accuracies
from reports.compare.pairs import ComparedCell, ComparedRun
from reports.ranking import verdict_as_json

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
        "workload": one.first.cell.workload,
        "backend": one.first.cell.backend,
        "execution": asdict(one.first.cell.execution),
        "lane": one.lane,
        "other_machine": one.other_machine,
        "what_differs": list(one.notes),
        "refusal": one.refusal,
        **(NO_CLAIM if one.claim is None else verdict_as_json(one.claim)),
    }


def accuracy_as_json(one: ComparedAccuracy) -> dict[str, Any]:
    return {
        "run": one.run,
        "workload": one.cell.cell.workload,
        "backend": one.cell.cell.backend,
        "execution": asdict(one.cell.cell.execution),
        "first_test_accuracy": one.first.test_accuracy,
        "first_seeds": list(one.first.seeds),
        "test_accuracy": one.other.test_accuracy,
        "seeds": list(one.other.seeds),
        "difference": one.difference,
        "trained_otherwise": one.otherwise,
    }
