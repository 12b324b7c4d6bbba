"""`samestep list`."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from backends import DEFAULT_BACKENDS, all_backends
from bench.cli.options import AsJson
from bench.cli.table import paragraph, table
from bench.profiles import PROFILES
from bench.workloads import WORKLOADS


def list_(as_json: AsJson = False) -> None:
    """List workloads, backends and profiles. Imports no framework."""
    if as_json:
        print(json.dumps({"workloads": workload_rows(), "backends": backend_rows(),
                          "profiles": profile_rows()}, indent=1))  # fmt: skip
        return
    for title, rows in (
        ("Workloads", workload_rows()),
        ("Backends", backend_rows()),
        ("Profiles", profile_rows()),
    ):
        print(f"{title}\n{as_table(rows)}\n")
    print(
        paragraph("What is installed, and on which devices it runs: samestep doctor --environments")
    )


def as_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Draw rows that have the same keys; numbers are aligned to the right."""
    numbers = [key for key, value in rows[0].items() if type(value) in (int, float)]
    return table(tuple(rows[0]), [tuple(map(as_cell, row.values())) for row in rows], numbers)


def as_cell(value: object) -> str:
    """Write a count with commas, an accuracy with at most six digits, a bool as yes or no."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        # a float32 accuracy has more digits than its source published
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def workload_rows() -> list[dict[str, Any]]:
    """Return one row per workload; the keys are the headers and the JSON's names."""
    return [
        {
            "name": workload.name,
            "parameters": workload.parameter_total,
            "optimizer": workload.optimizer.name,
            "batch": workload.batch_size,
            "epochs": workload.epochs,
            "published test accuracy": workload.published[0].test_accuracy,
        }
        for workload in WORKLOADS.values()
    ]


def backend_rows() -> list[dict[str, Any]]:
    """Return one row per backend, plug-ins included."""
    return [
        {
            "name": name,
            "environment": place.environment,
            "default": name in DEFAULT_BACKENDS,
            "from": place.distribution,
        }
        for name, place in all_backends().items()
    ]


def profile_rows() -> list[dict[str, Any]]:
    """Return one row per profile."""
    return [
        {
            "name": profile.name,
            "rounds": profile.rounds,
            "seeds": len(profile.seeds),
            "training images": profile.train_images,
            "epochs unlike published": ", ".join(
                f"{name} {epochs}" for name, epochs in profile.epochs.items()
            ),
        }
        for profile in PROFILES.values()
    ]
