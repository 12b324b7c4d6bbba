"""The summary as data: a row for each cell, for the report's first tables and for `--json`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bench.record import Record
from bench.run_file import RunModel
from bench.spec import TRAIN_IMAGES, Cell, PublishedResult
from bench.stats import Estimate
from reports.accuracy import Accuracy
from reports.cells import CellResults, group
from reports.ranking import as_json as claim_as_json
from reports.ranking import rank
from reports.speed import Speed, paired_ratio
from reports.trials import ranked


@dataclass(frozen=True, kw_only=True)
class SummaryRow:
    """One cell's figures, unrounded; None where it has none. `gpu_speed_over_cpu` stands at GPUs.

    It is the CPU's native seconds per step over the GPU's, paired by round: 10 says that the GPU
    takes a tenth of the time.
    """

    results: CellResults
    gpu_speed_over_cpu: Estimate | None

    @property
    def speed(self) -> Speed | None:
        return self.results.speed

    @property
    def accuracy(self) -> Accuracy | None:
        return self.results.accuracy

    @property
    def published(self) -> PublishedResult | None:
        """The source's result with an accuracy; the first where there are several."""
        workload = self.results.workload
        results = workload.published if workload is not None else ()
        return next((one for one in results if one.test_accuracy is not None), None)

    @property
    def published_accuracy(self) -> float | None:
        return None if self.published is None else self.published.test_accuracy

    @property
    def difference(self) -> float | None:
        """Measured minus published test accuracy, as a fraction."""
        published = self.published_accuracy
        if self.accuracy is None or published is None:
            return None
        return self.accuracy.test_accuracy - published

    @property
    def as_published(self) -> bool:
        """Whether epochs, training images and batch size are those of the published training."""
        workload, trained = self.results.workload, self.accuracy
        if workload is None or trained is None or self.results.other_batch:
            return False
        return trained.epochs == workload.epochs and trained.train_images == TRAIN_IMAGES


def summary_rows(run: RunModel, records: Iterable[Record]) -> list[SummaryRow]:
    """A row for each cell of the plan, by workload, device and backend."""
    return rows_of(group(run, records))


def rows_of(cells: Sequence[CellResults]) -> list[SummaryRow]:
    by_cell = {results.cell: results for results in cells}
    return [
        SummaryRow(results=results, gpu_speed_over_cpu=gpu_speed_over_cpu(results, by_cell))
        for results in cells
    ]


def gpu_speed_over_cpu(results: CellResults, by_cell: dict[Cell, CellResults]) -> Estimate | None:
    """The ratio of a GPU's cell to the CPU's that is equal in all else; None without one."""
    # the CPU is its own twin
    twin = by_cell.get(results.cell.but(device="cpu"))
    if twin is None or twin is results:
        return None
    return paired_ratio(ranked(twin.good("timing")), ranked(results.good("timing")))


def as_json(run: RunModel, records: Iterable[Record]) -> dict[str, Any]:
    """The summary for a machine: unrounded, strict JSON, units in the names, null for no figure."""
    rows = summary_rows(run, records)
    pairs = rank(run, [row.results for row in rows])
    return {
        "run_id": run.run_id,
        "profile": run.profile,
        # whoever reads only the JSON must not miss the stamp of the report
        "citable": run.profile != "smoke",
        "cells": [row_as_json(row) for row in rows],
        "claims": [claim_as_json(pair) for pair in pairs],
    }


def row_as_json(row: SummaryRow) -> dict[str, Any]:
    results = row.results
    return {
        "cell": results.cell.label,
        "workload": results.cell.workload,
        "backend": results.cell.backend,
        "execution": asdict(results.cell.execution),
        "planned_trials": len(results.planned),
        "ok_trials": sum(record.status == "ok" for record in results.records),
        "statuses": sorted({record.status for record in results.records}),
        "parameters": results.parameter_total,
        "parameters_checked": results.parameters_checked,
        "speed": None if row.speed is None else asdict(row.speed),
        "gpu_speed_over_cpu": (
            None if row.gpu_speed_over_cpu is None else asdict(row.gpu_speed_over_cpu)
        ),
        "accuracy": None if row.accuracy is None else accuracy_as_json(row, row.accuracy),
    }


def accuracy_as_json(row: SummaryRow, measured: Accuracy) -> dict[str, Any]:
    return {
        "test_accuracy": measured.test_accuracy,
        "seeds": list(measured.seeds),
        "prediction_interval": measured.prediction and list(measured.prediction),
        "epochs": measured.epochs,
        "train_images": measured.train_images,
        "published_test_accuracy": row.published_accuracy,
        "trained_as_published": row.as_published,
        "inference_images_per_second": measured.images_per_second,
        "trainings": [
            {
                "seed": one.seed,
                "right": one.right,
                "test_images": one.test_images,
                "final_train_loss": one.result.final_train_loss,
                "final_train_accuracy": one.result.final_train_accuracy,
                "final_test_loss": one.result.final_test_loss,
                "final_test_accuracy": one.result.final_test_accuracy,
            }
            for one in measured.trainings
        ],
    }
