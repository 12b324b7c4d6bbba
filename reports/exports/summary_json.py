"""Export the first tables of a report as JSON, unrounded."""

from dataclasses import asdict
from typing import Any

from reports.results import accuracy_verdicts, time_to_accuracy
from reports.results.accuracy import Accuracy
from reports.results.report import Report
from reports.results.speed_verdicts import as_json as claim_as_json
from reports.results.standings import Standings
from reports.results.summary import SummaryRow
from reports.sections.headline import sentences


def as_json(report: Report) -> dict[str, Any]:
    """Return the summary as strict JSON: unrounded, units in the names, null if missing."""
    return {
        "run_id": report.run.run_id,
        "profile": report.run.profile,
        # the JSON says what the report's stamp "smoke run" says
        "citable": report.run.profile != "smoke",
        "headline": sentences(report),
        "speedups": [standings_as_json(standings) for standings in report.standings],
        "cells": [row_as_json(row) for row in report.rows],
        "claims": [claim_as_json(pair) for pair in report.pairs],
        "accuracy_claims": [accuracy_verdicts.as_json(pair) for pair in report.accuracy_pairs],
    }


def standings_as_json(standings: Standings) -> dict[str, Any]:
    """Return the speed-ups of the full training loop on one device against its baseline."""
    return {
        "device": standings.device,
        "baseline": standings.baseline,
        "configurations": [
            {
                "workload": standing.results.cell.workload,
                "backend": standing.results.cell.backend,
                "speedup": None if standing.speedup is None else asdict(standing.speedup),
                "verdict": standing.verdict,
            }
            for standing in standings.cells
        ],
        "geometric_means": [
            {
                "backend": mean.backend,
                "speedup": asdict(mean.speedup),
                "workloads": list(mean.workloads),
            }
            for mean in standings.means
        ],
    }


def row_as_json(row: SummaryRow) -> dict[str, Any]:
    """Return one cell; a figure that was not measured is null."""
    results = row.results
    return {
        "cell": results.cell.label,
        "workload": results.cell.workload,
        "backend": results.cell.backend,
        "execution": asdict(results.cell.execution),
        "planned_trials": len(results.planned_trials),
        "ok_trials": sum(record.status == "ok" for record in results.records),
        "statuses": sorted({record.status for record in results.records}),
        "parameters": results.parameter_total,
        "parameters_checked": results.parameters_hold,
        "speed": None if row.speed is None else asdict(row.speed),
        "gpu_speed_over_cpu": (
            None if row.gpu_speed_over_cpu is None else asdict(row.gpu_speed_over_cpu)
        ),
        "accuracy": None if row.accuracy is None else accuracy_as_json(row, row.accuracy),
    }


def accuracy_as_json(row: SummaryRow, accuracy: Accuracy) -> dict[str, Any]:
    """Return the accuracy of one cell, and of each of its trainings."""
    return {
        "test_accuracy": accuracy.test_accuracy,
        "seeds": list(accuracy.seeds),
        "prediction_interval": accuracy.prediction and list(accuracy.prediction),
        "epochs": accuracy.epochs,
        "train_images": accuracy.train_images,
        "published_test_accuracy": row.published_accuracy,
        "trained_as_published": row.matches_published,
        "published_is": row.published_verdict,
        "time_to_accuracy": time_to_accuracy.as_json(row, accuracy),
        "evaluated_images_per_second": accuracy.evaluated_per_second,
        "inference_images_per_second": accuracy.images_per_second,
        "trainings": [
            {
                "seed": training.seed,
                "right": training.right,
                "test_images": training.test_images,
                "final_train_loss": training.result.final_train_loss,
                "final_train_accuracy": training.result.final_train_accuracy,
                "final_test_loss": training.result.final_test_loss,
                "final_test_accuracy": training.result.final_test_accuracy,
            }
            for training in accuracy.trainings
        ],
    }
