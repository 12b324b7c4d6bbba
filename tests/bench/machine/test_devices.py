"""Devices by name: how CUDA numbers a machine's GPUs, and which names a user may give them."""

import pytest

from bench.cli import options
from bench.errors import UsageError
from bench.machine import nvml
from bench.machine.devices import Gpu, find_device, require_known_order, visible_names
from bench.record import GpuModel
from tests.records import build_run, plan, write_folder

UUIDS = ("GPU-1a2b-1", "GPU-1a2b-2", "GPU-9f")
GPUS = [
    Gpu(device=f"cuda:{number}", name="NVIDIA T4", uuid=uuid) for number, uuid in enumerate(UUIDS)
]


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        (None, ["0", "1", "2"]),
        ("", []),
        ("2", ["2"]),
        ("2, 0", ["2", "0"]),
        ("GPU-9f,GPU-1a2b-1", ["2", "0"]),
        ("GPU-9", ["2"]),
        ("02", ["2"]),
        # an entry that fits no GPU, or several, ends the list
        ("1,7,0", ["1"]),
        ("-1", []),
        ("-1,0", []),
        ("0,GPU-1a2b,1", ["0"]),
        ("0,gpu-9f,1", ["0"]),
        # the same GPU twice leaves no GPU
        ("1,0,1", []),
        ("2,GPU-9f", []),
        # parts of a GPU have their own names
        ("MIG-5,MIG-6", ["MIG-5", "MIG-6"]),
    ],
)
def test_cuda_numbers_gpus_as_its_variable_says(variable, expected):
    assert visible_names(UUIDS, variable) == expected


def test_a_gpu_without_a_uuid_has_its_number():
    assert visible_names(["", ""], "1,GPU-1") == ["1"]


@pytest.mark.parametrize(
    ("name", "device"),
    [
        ("cpu", "cpu"),
        ("cuda", "cuda:0"),
        ("cuda:2", "cuda:2"),
        ("cuda:GPU-1a2b-2", "cuda:1"),
        ("cuda:GPU-9", "cuda:2"),
    ],
)
def test_a_device_has_several_names(name, device):
    assert find_device(name, GPUS, {}) == device


DEVICES = (
    "Expected: one of cpu, cuda:0 (NVIDIA T4, GPU-1a2b-1), cuda:1 (NVIDIA T4, GPU-1a2b-2), "
    "cuda:2 (NVIDIA T4, GPU-9f). Received: "
)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("cuda:3", "no such device on this machine"),
        ("cuda:GPU-7", "no such device on this machine"),
        ("cuda:", "no such device on this machine"),
        ("GPU-9f", "no such device on this machine"),
        ("cpu:0", "no such device on this machine"),
        ("gpu", "no such device on this machine"),
        ("cuda:GPU-1a2b", "2 GPUs have a UUID that begins so"),
        ("mps", "mps is untried: this version measures cpu and cuda"),
        ("xpu:0", "xpu is untried: this version measures cpu and cuda"),
        ("rocm", "rocm is untried: this version measures cpu and cuda"),
    ],
)
def test_an_absent_device_is_refused_with_the_present_devices(name, problem):
    with pytest.raises(UsageError) as raised:
        find_device(name, GPUS, {})
    assert str(raised.value) == f"{problem}. {DEVICES}{name}"


def test_the_variable_that_hides_a_gpu_is_named():
    with pytest.raises(UsageError) as raised:
        find_device("cuda:1", GPUS[:1], {"CUDA_VISIBLE_DEVICES": "0", "HOME": "/home/me"})
    assert str(raised.value) == (
        "no such device on this machine. Expected: one of cpu, cuda:0 (NVIDIA T4, GPU-1a2b-1), "
        "as CUDA_VISIBLE_DEVICES=0 leaves them. Received: cuda:1"
    )


LIKE, UNLIKE = ("NVIDIA T4", "NVIDIA T4"), ("NVIDIA T4", "NVIDIA L4")
FASTEST = {"CUDA_DEVICE_ORDER": "FASTEST_FIRST"}


@pytest.mark.parametrize(
    ("names", "variables"),
    [
        (UNLIKE, {}),
        (UNLIKE, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}),
        (LIKE, FASTEST),
        (UNLIKE, {**FASTEST, "CUDA_VISIBLE_DEVICES": "GPU-9f"}),
    ],
)
def test_an_order_that_finds_the_same_gpu_is_accepted(names, variables):
    require_known_order(names, variables)


@pytest.mark.parametrize("shown", [{}, {"CUDA_VISIBLE_DEVICES": "1"}])
def test_different_gpus_in_the_order_of_cuda_are_refused(shown):
    with pytest.raises(UsageError, match="Received: CUDA_DEVICE_ORDER=FASTEST_FIRST"):
        require_known_order(UNLIKE, {**FASTEST, **shown})


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set up a machine with two different GPUs, which CUDA lists in reverse order."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1,0")
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    monkeypatch.setattr(nvml, "visible_gpus", lambda: GPUS[:2])
    models = [GpuModel(name=name, memory_bytes=None, driver="1") for name in UNLIKE]
    monkeypatch.setattr(nvml, "gpus", lambda: models)


def test_the_default_devices_are_the_cpu_and_the_first_gpu(machine):
    assert options.select_devices([]) == ("cpu", "cuda:0")
    assert options.select_devices(["cuda", "cuda:GPU-1a2b-1", "cpu"]) == ("cuda:0", "cpu")


def test_the_order_matters_only_if_a_gpu_is_selected(machine, monkeypatch):
    monkeypatch.setenv("CUDA_DEVICE_ORDER", "FASTEST_FIRST")
    assert options.select_devices(["cpu"]) == ("cpu",)
    with pytest.raises(UsageError, match="unlike GPUs"):
        options.select_devices(["cuda:1"])


@pytest.mark.parametrize("command", ["run", "parity"])
@pytest.mark.parametrize("device", ["cuda:2", "mps"])
def test_an_absent_device_is_refused_before_a_folder_is_made(
    samestep, machine, tmp_path, command, device
):
    folder = tmp_path / "run"
    code, out, err = samestep(command, "--device", device, "--out", str(folder))
    assert (code, out) == (2, "")
    assert "cuda:1 (NVIDIA T4, GPU-1a2b-2), as CUDA_VISIBLE_DEVICES=1,0 leaves them" in err
    assert not folder.exists()


def test_a_run_is_not_resumed_without_its_gpu(samestep, monkeypatch, tmp_path):
    monkeypatch.setattr(nvml, "visible_gpus", list)
    folder = write_folder(tmp_path / "run", build_run(plan(devices=["cuda:0"], rounds=1)), [])
    before = sorted(tmp_path.rglob("*"))
    code, out, err = samestep("run", "--resume", str(folder))
    assert (code, out) == (2, "")
    assert "no such device on this machine. Expected: one of cpu. Received: cuda:0\n" in err
    assert sorted(tmp_path.rglob("*")) == before
