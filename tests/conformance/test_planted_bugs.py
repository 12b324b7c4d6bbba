"""The named rung detects each planted bug, and passes without the bug."""

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

SoundRungs = Callable[[Workload, str], dict[str, Rung]]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    backend = metafunc.config.getoption("--backend")
    bugs = plants(backend) if backend else ()
    metafunc.parametrize("plant", bugs, ids=[bug.name.replace(" ", "-") for bug in bugs])


@pytest.fixture(scope="module")
def sound_rungs(backend: Backend, data: mnist.Mnist) -> SoundRungs:
    """Return a function for the rungs of the backend without a bug; it climbs them once."""
    known: dict[tuple[str, str], dict[str, Rung]] = {}

    def rungs(workload: Workload, precision: str) -> dict[str, Rung]:
        key = workload.name, precision
        if key not in known:
            climbed = climb(backend, data, workload, precision)
            known[key] = {rung.rung: rung for rung in climbed}
        return known[key]

    return rungs


def test_a_planted_bug_is_detected(
    plant: Plant,
    sound_rungs: SoundRungs,
    backend: Backend,
    data: mnist.Mnist,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = sound_rungs(plant.workload, plant.precision)
    assert all(rung.passed for rung in expected.values()), list(expected.values())[-1]
    assert plant.rung in expected
    plant.plant(monkeypatch)
    *passed, failed = climb(backend, data, plant.workload, plant.precision)
    assert all(rung.passed for rung in passed)
    assert (failed.rung, failed.passed) == (plant.rung, False), failed
    assert plant.where in (failed.where or ""), failed
    # the signal of a bug must be well above the gate
    assert failed.measured > 3 * failed.gate, failed
