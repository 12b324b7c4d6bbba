"""The parent reads a GPU's energy, memory and clocks during trials; here the driver is a fake."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from backends import Place
from bench import mnist
from bench.machine import gpu_watch
from bench.profiles import Profile
from bench.record import Record
from bench.record.quantities import joules_per_step, power_watts
from bench.record.run import read_run, write_run
from bench.record.stored import read_records
from bench.run import process
from bench.run.process import worker_packages
from bench.run.request import Request
from bench.run.runner import Runner
from tests.bench.run.test_rounds import CollectingDisplay
from tests.fakes.scripts import write_script
from tests.records import build_run, plan

NAME = "pytorch"
BODY = """
def tell(**event):
    os.write(pipe, json.dumps(event).encode() + b"\\n")
for phase in ("load", "step", "power", "parity"):
    tell(event="phase", phase=phase)
    time.sleep(0.02)
lanes = {"step": {"block_seconds": [1.0], "steps_per_block": 1, "batch_size": 128},
         "power": {"seconds": 10.0, "steps": 50, "batch_size": 128}}
result = {"status": "ok", "reason": None, "lanes": lanes, "cpu_seconds": 0.5}
tell(event="result", result=result)
"""


@pytest.fixture(autouse=True)
def _quick(data: mnist.Mnist, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(mnist, "load", lambda: data)
    monkeypatch.setattr(process, "LEAVE_SECONDS", 0.05)
    return


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Replace NVML by a fake of one GPU, which has used 500 J more at each reading."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    readings = {"clock": 1980, "reasons": 0}
    queries = count()
    answers = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "1.0",
        "nvmlDeviceGetCount": lambda: 0,
        "nvmlDeviceGetHandleByIndex": int,
        "nvmlDeviceGetTotalEnergyConsumption": lambda handle: 500_000 * next(queries),
        "nvmlDeviceGetEnforcedPowerLimit": lambda handle: 700_000,
        "nvmlDeviceGetMemoryInfo": lambda handle: SimpleNamespace(used=2**30),
        "nvmlDeviceGetClockInfo": lambda handle, kind: readings["clock"],
        "nvmlDeviceGetCurrentClocksEventReasons": lambda handle: readings["reasons"],
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)
    return readings


def run_trials(folder: Path, display: CollectingDisplay, rounds: int) -> list[Record]:
    trials = plan(
        workloads=["mlp-512"], backends=[NAME], devices=["cuda:0"], rounds=rounds, seeds=()
    )
    known = {"versions": {"fake": "1.0"}, "devices": ["cuda:0"], "unavailable": None}
    run = build_run(trials, backends={NAME: known}, sessions=[])
    write_run(run, folder)
    request = Request(
        workloads=[], backends=(NAME,), devices=["cuda:0"],
        profile=Profile(name="standard", rounds=rounds),
        interpreters={NAME: write_script(folder, "timing", BODY)},
        places={NAME: Place(adapter="none", environment="none")},
    )  # fmt: skip
    with worker_packages() as packages:
        Runner(request, folder, packages, display).execute(run)
    return list(read_records(folder, read_run(folder)))


def test_energy_memory_and_clock_are_in_the_record(tmp_path, driver):
    (record,) = run_trials(tmp_path, CollectingDisplay(), rounds=1)
    assert record.gpu is not None
    assert record.gpu.energy_joules == 500.0
    assert record.gpu.energy_seconds > 0
    assert record.gpu.peak_used_bytes == 2**30
    # at the beginning, and at both ends of the power lane
    assert record.gpu.clock_megahertz == [1980] * 3
    assert (record.gpu.slowed_by, record.gpu.power_limit_watts) == ([], 700.0)
    assert joules_per_step(record) == 10.0
    assert power_watts(record) == pytest.approx(500 / record.gpu.energy_seconds)
    assert record.flags == []


def test_a_driver_that_lowers_the_clock_flags_the_trial(tmp_path, driver):
    driver["reasons"] = pynvml.nvmlClocksEventReasonSwThermalSlowdown
    (record,) = run_trials(tmp_path, CollectingDisplay(), rounds=1)
    assert record.gpu.slowed_by == ["heat"]
    assert record.flags == ["gpu_throttled"]


def test_a_clock_below_that_of_the_trials_before_flags_the_trial(tmp_path, driver, monkeypatch):
    class SlowingDisplay(CollectingDisplay):
        def ended(self, record: Record) -> None:
            if record.trial.round == 1:
                driver["clock"] = 1500

    monkeypatch.setattr(gpu_watch, "FEWEST_FOR_USUAL", 2)
    records = run_trials(tmp_path, SlowingDisplay(), rounds=3)
    assert [record.flags for record in records] == [[], [], ["gpu_slow_clock"]]


def test_a_value_that_the_driver_does_not_have_is_null_with_a_reason(tmp_path, driver, monkeypatch):
    def refuse(*arguments: object) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)

    monkeypatch.setattr(pynvml, "nvmlDeviceGetTotalEnergyConsumption", refuse)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetClockInfo", refuse)
    (record,) = run_trials(tmp_path, CollectingDisplay(), rounds=1)
    assert (record.gpu.energy_joules, record.gpu.clock_megahertz) == (None, None)
    assert joules_per_step(record) is None
    assert "counts no energy" in record.null_reasons["gpu.energy_joules"]
    assert record.null_reasons["gpu.clock_megahertz"] == "the driver does not tell"
