"""Row 11: if a framework or its device is missing or broken, its records say why; others go on.

The real worker imports the real adapter, which imports a fake `torch`. A fake driver reports a GPU
until it is lost.
"""

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias
from unittest.mock import patch

import pynvml

from bench.record import Record
from bench.record.run import read_run
from bench.record.stored import read_records
from tests.faults.matrix import Row, Try, share_of
from tests.faults.real_worker import real_worker, shell_script
from tests.faults.runs import Place, damages, fork_command, temporary_files, wait_for_end, workers
from tests.faults.stand_in import write_orders

PLAN = ("run", "--profile=smoke", "--workload=mlp-512", "--rounds=2", "--seeds=0")
LOST = 12
IMPORTING = "pytorch does not import: "
# the source of `torch`, the status, and the beginning of the reason
BROKEN = (
    ("raise ModuleNotFoundError('no torch')", "unavailable", f"{IMPORTING}ModuleNotFoundError: no"),
    ("raise ImportError('libcudart.so.13')", "unavailable", f"{IMPORTING}ImportError: libcudart"),
    ("raise OSError('libcudnn.so.9')", "unavailable", f"{IMPORTING}OSError: libcudnn.so.9"),
    ("raise RuntimeError('driver too old')", "unavailable", f"{IMPORTING}RuntimeError: driver"),
    ("import sys; sys.nothing", "unavailable", f"{IMPORTING}AttributeError: module 'sys'"),
    ("raise SystemExit('no licence')", "unavailable", f"{IMPORTING}SystemExit: no licence"),
    ("def", "unavailable", f"{IMPORTING}SyntaxError: invalid syntax"),
    ("", "unavailable", f"{IMPORTING}ModuleNotFoundError: No module named 'torch.nn'"),
    ("import os; os.abort()", "killed", "ended by SIGABRT; see "),
)
# the functions of NVML that are replaced
CALLS = re.compile(r"nvml(Init|Shutdown|SystemGet\w+|DeviceGet\w+)$")
Promised: TypeAlias = Mapping[str, tuple[str, str]] | Callable[[Record], tuple[str, str]]
GONE = "result.update(status='unavailable', reason='no such device in pytorch')"


def missing_frameworks(share: float, folder: Path) -> Iterator[Try]:
    place, draw = Place.make(folder), random.Random(11)
    kinds = [(f"import {number}", *kind) for number, kind in enumerate(broken_interpreters(place))]
    draw.shuffle(kinds)
    for name, interpreter, status, reason in kinds[: share_of(len(kinds), share)]:
        yield one_backend(place, name, interpreter, status, reason)
    yield try_all_broken(place)
    yield try_no_gpu(place)
    for number in range(share_of(LOST, share)):
        yield try_lost_gpu(place, place.root / f"lost-{number}", draw.randrange(20, 150))
    yield try_missing_device(place)


def broken_interpreters(place: Place) -> Iterator[tuple[str, str, str]]:
    """Yield broken interpreters for `pytorch`, with the status and the beginning of the reason."""
    for number, (source, status, reason) in enumerate(BROKEN):
        yield real_worker(place.root, f"broken-{number}", "torch", source), status, reason
    yield (
        script_without_interpreter(place),
        "unavailable",
        f"cannot start {place.root}/unstartable: No such file",
    )
    yield shell_script(place.root / "no-python", "exit 3"), "failed", "exit status 3 without a resu"


def script_without_interpreter(place: Place) -> str:
    """Return a script with a missing interpreter, as in an environment that was moved."""
    path = place.root / "unstartable"
    path.write_text("#!/nowhere/python\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def one_backend(place: Place, name: str, interpreter: str, status: str, reason: str) -> Try:
    """Run a backend that works, and a broken backend that was selected by name."""
    folder = place.root / name.replace(" ", "-")
    code = run(place, folder, interpreter, "--backend=keras-tensorflow,pytorch")
    return judge(
        place, folder, code, 1, {"keras-tensorflow": ("ok", ""), "pytorch": (status, reason)}
    )


def try_all_broken(place: Place) -> Try:
    """Run the default backends, all broken: nothing is measured, which is exit code 1."""
    folder, interpreter = place.root / "nothing", script_without_interpreter(place)
    code = run(place, folder, interpreter, f"--python=keras-tensorflow={interpreter}")
    promised = ("unavailable", f"cannot start {interpreter}")
    return judge(place, folder, code, 1, dict.fromkeys(("keras-tensorflow", "pytorch"), promised))


def try_no_gpu(place: Place) -> Try:
    with patch.object(pynvml, "nvmlInit", raise_lost):
        code = run(place, place.root / "no-gpu", place.interpreter, "--device=cuda")
    message = place.output(place.root / "no-gpu")
    right = code == 2 and "no such device on this machine. Expected: one of cpu" in message
    return Try(wrong=None if right else f"exit code {code}: {message[-200:]}")


def try_lost_gpu(place: Place, folder: Path, answers: int) -> Try:
    """Run with a driver that stops answering: the workers go on."""
    with driver(answers):
        code = run(place, folder, place.interpreter, "--device=cuda:0")
    return judge(place, folder, code, 0, dict.fromkeys(("keras-tensorflow", "pytorch"), ("ok", "")))


def try_missing_device(place: Place) -> Try:
    """Run with a backend that does not find the GPU in its second round."""
    folder = place.root / "gone"
    write_orders(place.root, {"timing pytorch 1 1": GONE})
    with driver(10_000):
        both = "--backend=keras-tensorflow,pytorch"
        code = run(place, folder, place.interpreter, "--device=cuda:0", both)
    write_orders(place.root, {})

    def promised(record: Record) -> tuple[str, str]:
        is_lost = record.trial.backend == "pytorch" and (record.trial.round or 0) > 0
        return ("unavailable", "no such device in pytorch") if is_lost else ("ok", "")

    return judge(place, folder, code, 1, promised)


def run(place: Place, folder: Path, pytorch: str, *arguments: str) -> int:
    """Return the exit code of a run with this interpreter for `pytorch`; later options win."""
    pythons = [f"--python=keras-tensorflow={place.interpreter}", f"--python=pytorch={pytorch}"]
    output = place.root / f"{folder.name}.out"
    return wait_for_end(
        fork_command([*PLAN, f"--out={folder}", *pythons, *arguments], output, place.temporary)
    )


def judge(place: Place, folder: Path, code: int, expected: int, promised: Promised) -> Try:
    """Check the exit code, and the status and the beginning of the reason of every record."""
    run = read_run(folder)
    records = list(read_records(folder, run))
    wrong = [] if code == expected else [f"{folder.name}: exit code {code}"]
    for record in records:
        name = record.trial.backend
        status, reason = promised(record) if callable(promised) else promised[name]
        if record.status != status or not (record.reason or "").startswith(reason):
            wrong.append(f"{folder.name}, {name}: {record.status}, {record.reason}")
    if {record.trial.backend for record in records} != {"keras-tensorflow", "pytorch"}:
        wrong.append(f"{folder.name}: a backend has no record")
    return Try(
        wrong=next(iter([*wrong, *damages(folder)]), None),
        lost=len(run.trials) - len(records),
        orphans=len(workers(place)) + len(temporary_files(place, folder)),
    )


def raise_lost(*arguments: Any) -> Any:
    raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)


@contextmanager
def driver(answers: int) -> Iterator[None]:
    """Replace NVML by a fake with one GPU, which is lost after a number of answers."""
    left = iter(range(answers))

    def handle(name: object) -> str:
        return raise_lost() if next(left, None) is None else "the GPU"

    functions: dict[str, Callable[..., Any]] = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlSystemGetDriverVersion": lambda: "1.0",
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": handle,
        "nvmlDeviceGetHandleByUUID": handle,
        "nvmlDeviceGetName": lambda gpu: "a GPU",
        "nvmlDeviceGetUUID": lambda gpu: "GPU-1a2b",
        "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(total=2**33, used=2**30),
    }
    with ExitStack() as stack:
        for name in filter(CALLS.match, dir(pynvml)):
            stack.enter_context(patch.object(pynvml, name, functions.get(name, raise_lost)))
        stack.enter_context(patch.dict(os.environ))
        os.environ.pop("CUDA_VISIBLE_DEVICES", None)
        yield


ROW = Row(
    number=11, fault="framework missing or broken, GPU missing or lost", tries=missing_frameworks
)
