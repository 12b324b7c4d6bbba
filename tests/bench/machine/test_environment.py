"""The machine and its software are recorded as facts, without secrets."""

import os
import tempfile
from collections import namedtuple
from pathlib import Path

import psutil
import pytest

from bench import __version__
from bench.machine.environment import (
    ContentionMeter,
    cpu_name,
    environment,
    gpus,
    recorded_variables,
)
from bench.record.run import read_run, write_run
from bench.run.workers import Workers
from tests.bench.run.test_runner import request_for
from tests.fakes.scripts import write_script
from tests.records import build_run
from tests.records import environment as environment_fields


def test_the_machine_is_described_without_its_name():
    machine = environment({"fake": "1.0"}, {"KERAS_BACKEND": "jax"})
    assert machine.samestep == __version__
    assert machine.versions == {"fake": "1.0"}
    assert machine.variables["KERAS_BACKEND"] == "jax"
    assert machine.cores_logical >= 1
    assert machine.cores_usable == len(os.sched_getaffinity(0))
    assert machine.memory_bytes > 2**28
    assert len(machine.host_sha256) == 64
    assert len(machine.gpus) == len(gpus())


def test_variables_that_change_a_result_are_noted_and_nothing_else():
    noted = {
        "CUDA_VISIBLE_DEVICES": "1",
        "KERAS_BACKEND": "jax",
        "OMP_NUM_THREADS": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "XLA_FLAGS": "--xla_cpu_enable_fast_math=false",
    }
    secrets = {"AWS_SECRET_ACCESS_KEY": "x", "HOME": "/home/me", "TF_TOKEN": "y", "OMP": "z"}
    variables = recorded_variables({**secrets, **noted})
    assert variables == noted
    assert list(variables) == sorted(variables)


def test_a_variable_that_is_not_text_can_be_stored_in_a_run(tmp_path):
    variables = recorded_variables({"XLA_FLAGS": os.fsdecode(b"--xla_dump_to=/tmp/\xff")})
    assert variables == {"XLA_FLAGS": "--xla_dump_to=/tmp/?"}
    write_run(build_run([], environment={**environment_fields(), "variables": variables}), tmp_path)
    assert read_run(tmp_path).environment.variables == variables


def test_the_workers_variables_count_more_than_the_parents(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert environment({}, {}).variables["OMP_NUM_THREADS"] == "8"
    assert environment({}, {"OMP_NUM_THREADS": "2"}).variables["OMP_NUM_THREADS"] == "2"


def workers_of(folder: Path) -> Workers:
    return Workers(request_for("fake"), folder, folder)


@pytest.mark.parametrize(("chosen", "order"), [(None, "PCI_BUS_ID"), ("FASTEST_FIRST",) * 2])
def test_cuda_numbers_gpus_as_the_driver_does_unless_a_variable_differs(
    monkeypatch, tmp_path, chosen, order
):
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    if chosen is not None:
        monkeypatch.setenv("CUDA_DEVICE_ORDER", chosen)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    workers = workers_of(tmp_path)
    noted = workers.environment("fake", {}).variables
    assert (noted["CUDA_DEVICE_ORDER"], noted["CUDA_VISIBLE_DEVICES"]) == (order, "1")
    # the record has the values of the worker
    assert workers._variables("fake")["CUDA_DEVICE_ORDER"] == order


def test_files_of_a_worker_in_its_temporary_folder_are_removed(tmp_path):
    leaving = """
path = os.path.join(os.environ["TMPDIR"], "left")
open(path, "w").close()
result = {"status": "failed", "reason": path}
os.write(pipe, json.dumps({"event": "result", "result": result}).encode() + b"\\n")
"""
    request = request_for("fake", interpreters={"fake": write_script(tmp_path, "leaving", leaving)})
    path = Path(Workers(request, tmp_path, tmp_path).look("fake", []).reason)
    assert path.name == "left"
    assert path.parent != Path(tempfile.gettempdir())
    assert not path.parent.exists()


def test_the_processor_has_a_name():
    assert cpu_name().strip()


Times = namedtuple("Times", "user nice system idle iowait steal guest guest_nice")


def test_contention_is_counted_from_the_start_of_the_meter(monkeypatch):
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(10, 20, 30, 40, 50, 60, 70, 80))
    meter = ContentionMeter(100.0)
    # guests count as users too; stolen and idle time counts for no process
    monkeypatch.setattr(psutil, "cpu_times", lambda: Times(14, 22, 31, 48, 66, 60.5, 73, 82))
    contention = meter.read(107.5, worker_cpu_seconds=5.0)
    assert contention.model_dump(exclude={"windows", "clock_jump_seconds"}) == {
        "wall_seconds": 7.5,
        "worker_cpu_seconds": 5.0,
        "other_cpu_seconds": 4 + 2 + 1 - 5.0,
        "steal_seconds": 0.5,
    }


def test_on_a_system_without_steal_it_is_null(monkeypatch):
    few = namedtuple("few", "user nice system idle")
    monkeypatch.setattr(psutil, "cpu_times", lambda: few(1, 1, 1, 1))
    contention = ContentionMeter(0.0).read(1.0, worker_cpu_seconds=0.0)
    assert (contention.other_cpu_seconds, contention.steal_seconds) == (0.0, None)


def test_contention_is_never_negative():
    assert ContentionMeter(0.0).read(1.0, worker_cpu_seconds=1e9).other_cpu_seconds == 0.0


def test_without_the_workers_time_that_of_other_processes_is_unknown():
    contention = ContentionMeter(0.0).read(1.0, None)
    assert (contention.worker_cpu_seconds, contention.other_cpu_seconds) == (None, None)
    assert contention.wall_seconds == 1.0
