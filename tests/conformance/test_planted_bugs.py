"""Each planted bug is caught by the rung that is named for it, which passes without the bug."""

from collections.abc import Callable

import pytest

from bench import mnist
from bench.adapter import Backend
from bench.parity.rungs import Rung
from bench.spec import Workload
from tests.conformance.planted import Plant, climb, plants

pytestmark = [
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

Sound = Callable[[Workload, str], dict[str, Rung]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    backend = metafunc.config.getoption("--backend")
    found = plants(backend) if backend else ()
    metafunc.parametrize("plant", found, ids=[one.name.replace(" ", "-") for one in found])


@pytest.fixture(scope="module")
def sound(backend: Backend, data: mnist.Mnist) -> Sound:
    """The rungs of the backend as it is, climbed once for each workload and precision."""
    known: dict[tuple[str, str], dict[str, Rung]] = {}

    def rungs(workload: Workload, precision: str) -> dict[str, Rung]:
        key = workload.name, precision
        if key not in known:
            climbed = climb(backend, data, workload, precision)
            known[key] = {rung.rung: rung for rung in climbed}
        return known[key]

    return rungs


def test_a_planted_bug_is_caught(
    plant: Plant, sound: Sound, backend: Backend, data: mnist.Mnist, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = sound(plant.workload, plant.precision)
    assert all(rung.passed for rung in without.values()), list(without.values())[-1]
    assert plant.rung in without
    plant.plant(monkeypatch)
    *passed, failed = climb(backend, data, plant.workload, plant.precision)
    assert all(rung.passed for rung in passed)
    assert (failed.rung, failed.passed) == (plant.rung, False), failed
    assert plant.where in (failed.where or ""), failed
    # a gate that a bug only just fails is no gate
    assert failed.measured > 3 * failed.gate, failed
