"""`samestep list`."""

import json
from typing import Any

from backends import DEFAULT_BACKENDS, all_backends
from bench.cli.options import AsJson
from bench.profiles import PROFILES
from bench.workloads import WORKLOADS


def list_(as_json: AsJson = False) -> None:
    """Show the workloads, the backends and the profiles. Imports no framework."""
    if as_json:
        print(json.dumps({"workloads": workload_rows(), "backends": backend_rows(),
                          "profiles": profile_rows()}, indent=1))  # fmt: skip
        return
    from tabulate import tabulate

    for title, rows in (
        ("Workloads", workload_rows()),
        ("Backends", backend_rows()),
        ("Profiles", profile_rows()),
    ):
        print(f"{title}\n{tabulate(rows, headers='keys', tablefmt='simple', intfmt=',')}\n")
    print("What is installed, and on which devices it runs: samestep doctor --environments")


def workload_rows() -> list[dict[str, Any]]:
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
