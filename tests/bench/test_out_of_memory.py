"""Lack of memory is recognized by the error, and by the kernel's count of kills."""

import pytest

from bench.errors import is_out_of_memory, says_out_of_memory
from bench.machine import cgroups
from bench.run.outcome import Outcome
from bench.run.workers import mark_out_of_memory
from bench.worker.job import UnavailableError, import_backend, reason_of


class OutOfMemoryError(RuntimeError):
    pass


class ResourceExhaustedError(Exception):
    pass


class LibraryOutOfMemoryError(OutOfMemoryError):
    pass


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        LibraryOutOfMemoryError("tried to allocate 2.00 GiB"),
        ResourceExhaustedError("when allocating tensor with shape[60000,1000]"),
        RuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:118] can't allocate memory: you tried"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        OSError(12, "Cannot allocate memory"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_memory_that_ran_out_is_recognized(error):
    assert is_out_of_memory(error)
    assert says_out_of_memory(reason_of(error))


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        UnavailableError("torch: OSError: cannot allocate memory in static TLS block"),
    ],
    ids=["illegal access", "library"],
)
def test_other_errors_about_memory_are_not_recognized(error):
    assert not is_out_of_memory(error)
    assert not says_out_of_memory(reason_of(error))


def test_a_framework_that_does_not_fit_into_memory_is_not_missing(monkeypatch):
    def raise_memory_error(name: str) -> None:
        raise MemoryError

    monkeypatch.setattr("importlib.import_module", raise_memory_error)
    with pytest.raises(MemoryError):
        import_backend("backends.pytorch.adapter", "pytorch")


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, None),
        ({"a/memory.events": "low 0\noom 4\noom_kill 3\n", "memory.events": "oom_kill 9\n"}, 3),
        ({"a/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"}, 2),
        # a kernel that does not count kills
        ({"a/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n"}, None),
    ],
)
def test_the_kernels_kills_for_memory_are_counted(monkeypatch, tmp_path, files, expected):
    monkeypatch.setattr(cgroups, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    (tmp_path / "membership").write_text("0::/a\n")
    (tmp_path / "a").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert cgroups.memory_kills() == expected


@pytest.mark.parametrize(
    ("reason", "before", "after", "expected"),
    [
        ("ended by SIGKILL; see a.log", 1, 2, "out of memory: ended by SIGKILL; see a.log"),
        ("ended by SIGKILL; see a.log", 2, 2, "ended by SIGKILL; see a.log"),
        ("ended by SIGKILL; see a.log", None, None, "ended by SIGKILL; see a.log"),
        ("ended by SIGSEGV; see a.log", 1, 2, "ended by SIGSEGV; see a.log"),
    ],
)
def test_a_kill_is_out_of_memory_if_the_kernels_count_rose(reason, before, after, expected):
    outcome = Outcome(status="killed", reason=reason, result=None)
    assert mark_out_of_memory(outcome, before, after).reason == expected
