"""The signal of each planted bug, with the gate and the honest noise.

`python -m tests.conformance.signals BACKEND` prints the table of docs/parity.md.
"""

import argparse
import importlib
import warnings

import pytest

from backends import BACKENDS
from bench import mnist
from bench.parity.rungs import Rung
from tests.conformance.planted import FAMILIES, climb, plants


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backend", choices=FAMILIES)
    name = parser.parse_args().backend
    warnings.filterwarnings("ignore")
    backend = importlib.import_module(BACKENDS[name].adapter).open_backend(name)
    data = mnist.load()
    sound_rungs: dict[tuple[str, str], dict[str, Rung]] = {}
    print("| planted bug | workload | rung | signal | gate | honest noise |")
    print("|---|---|---|---|---|---|")
    for plant in plants(name):
        key = plant.workload.name, plant.precision
        if key not in sound_rungs:
            climbed = climb(backend, data, plant.workload, plant.precision)
            sound_rungs[key] = {rung.rung: rung for rung in climbed}
        with pytest.MonkeyPatch.context() as patch:
            plant.plant(patch)
            *_, failed = climb(backend, data, plant.workload, plant.precision)
        assert failed.rung == plant.rung
        gate = f"{failed.gate:.0e}" if failed.gate else "exact"
        noise = f"{sound_rungs[key][plant.rung].measured:.1e}" if failed.gate else "0"
        print(
            f"| {plant.name} | {plant.workload.name} | {failed.rung} | {failed.measured:.1e} "
            f"| {gate} | {noise} |"
        )


if __name__ == "__main__":
    main()
