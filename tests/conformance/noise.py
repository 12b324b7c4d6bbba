"""The honest noise of each rung: `python -m tests.conformance.noise BACKEND --repeats 50`.

Climbs the float32 rungs of all workloads with new batch orders and probe weights. Prints the
gate of each rung and the largest value that the rung measured; exits with 1 if a rung failed. A
gate is measured with this program before it is changed. Restrictions such as `ONEDNN_MAX_CPU_ISA`
are set in the environment.
"""

import argparse
import importlib
import os
import sys
import tempfile
import warnings
from dataclasses import dataclass, field

from backends import all_backends
from bench import mnist
from bench.parity.rungs import Rung
from bench.workloads import select_workloads
from tests.conformance.planted import climb

BY_OPTIMIZER = ("update", "fit", "fit loss", "trajectory", "tanh trajectory")


@dataclass
class Noise:
    """The values that a rung measured over all repeats."""

    gate: float
    measured: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def note(self, rung: Rung, workload: str, seed: int) -> None:
        self.measured.append((rung.measured, f"{workload}, seed {seed}"))
        if not rung.passed:
            self.failures.append(f"{workload}, seed {seed}: {rung.measured:.3g}: {rung.where}")


def measure(name: str, workloads: list[str], seeds: range, precision: str) -> dict[str, Noise]:
    backend = importlib.import_module(all_backends()[name].adapter).open_backend(name)
    data = mnist.load()
    noise: dict[str, Noise] = {}
    for seed in seeds:
        for workload in select_workloads(workloads):
            print(f"{workload.name}, seed {seed}", file=sys.stderr, flush=True)
            for rung in climb(backend, data, workload, precision, seed):
                # the gates of Adam and RMSprop differ
                kind = workload.optimizer.name
                key = f"{rung.rung} {kind}" if rung.rung in BY_OPTIMIZER else rung.rung
                noise.setdefault(key, Noise(gate=rung.gate)).note(rung, workload.name, seed)
    return noise


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend", choices=all_backends())
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workload", action="append", default=[])
    parser.add_argument("--precision", default="float32")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
    with tempfile.TemporaryDirectory() as folder:
        # a cache of hundreds of draws that are used only once
        os.environ["SAMESTEP_CACHE"] = folder
        seeds = range(options.first, options.first + options.repeats)
        measured = measure(options.backend, options.workload, seeds, options.precision)
    print(
        "| rung | gate | largest measured | where | climbed | failed |\n|---|---|---|---|---|---|"
    )
    for key, noise in measured.items():
        largest, where = max(noise.measured)
        counts = f"{len(noise.measured)} | {len(noise.failures)}"
        print(f"| {key} | {noise.gate:.2g} | {largest:.2g} | {where} | {counts} |")
    failures = [line for noise in measured.values() for line in noise.failures]
    print(*failures, sep="\n")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
