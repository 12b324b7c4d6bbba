"""A comparison as strict JSON: unrounded numbers, units in the names, null for a missing figure."""

from dataclasses import asdict
from typing import Any

from bench.stats import Claim
from reports.compare.accuracy import ComparedAccuracy, accuracies
from reports.compare.comparison import ComparedSides
from reports.compare.means import ComparedMean, backend_settings
from reports.compare.pairs import ComparedCell
from reports.compare.sides import ComparedRun
from reports.compare.words import sentences, speedup_of
from reports.results.cells import CellResults
from reports.results.speed_verdicts import verdict_as_json
from reports.text import unescape

NO_CLAIM = dict.fromkeys(
    ("verdict", "reason", "adjusted_p_value", "adjusted_equivalence_p_value", "comparison")
)


def as_json(compared: ComparedSides) -> dict[str, Any]:
    """Return the comparison as one object; all claims are on the second of two sides."""
    return {
        "sentences": [unescape(sentence) for sentence in sentences(compared)],
        "sides": [[run.name for run in side.runs] for side in compared.sides],
        "runs": [run_as_json(run) for run in compared.runs],
        "claims": [cell_as_json(cell) for cell in compared.cells],
        "means": [mean_as_json(mean) for mean in compared.means],
        "accuracy": [accuracy_as_json(accuracy) for accuracy in accuracies(compared.sides)],
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
        "second_device": cell.other.cell.execution.device,
        "hardware": hardware(cell),
        "lane": cell.lane,
        "other_machine": cell.other_machine,
        "what_differs": list(cell.notes),
        "refusal": cell.refusal,
        **claim_as_json(cell.claim),
    }


def mean_as_json(mean: ComparedMean) -> dict[str, Any]:
    """Return the claim on the geometric mean of a backend over workloads."""
    backend, settings = backend_settings(mean.cells[0].first)
    return {
        "run": mean.matchup.other.name,
        "backend": backend,
        "settings": settings,
        "workloads": list(mean.workloads),
        "hardware": hardware(mean),
        "lane": mean.lane,
        **claim_as_json(mean.claim),
    }


def hardware(item: ComparedCell | ComparedMean) -> dict[str, str]:
    """Return the names of the hardware of both sides."""
    second, first = item.matchup.hardware
    return {"first": first, "second": second}


def claim_as_json(claim: Claim | None) -> dict[str, Any]:
    """Return a claim on speed; all values are null if there is a refusal.

    `comparison` has the ratio of seconds, `speedup` that of speeds.
    """
    if claim is None:
        return {**NO_CLAIM, "speedup": None, "smallest_detectable": None}
    speedup = None if claim.comparison is None else asdict(speedup_of(claim))
    return {
        **verdict_as_json(claim),
        "speedup": speedup,
        "smallest_detectable": claim.detectable,
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
