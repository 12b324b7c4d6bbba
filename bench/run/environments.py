"""Look at each backend's environment: what is installed, and on which devices it works."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.machine.devices import Gpu
from bench.machine.gpu_support import OK, Support, support
from bench.record.run import BackendModel
from bench.run.log import log_path
from bench.run.outcome import Outcome
from bench.run.pilot import backend_model, build_of
from bench.run.process import worker_packages
from bench.run.progress import Display
from bench.run.request import Request
from bench.run.scratch import scratch_folder
from bench.run.workers import Workers, pilot_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One backend's environment. `python` is the version; None if no worker came that far.

    `usable` has a verdict for the CPU and for each GPU; empty if the backend is unavailable.
    """

    backend: str
    environment: str
    interpreter: str
    python: str | None
    found: BackendModel
    usable: Mapping[str, Support]

    @property
    def unavailable(self) -> str | None:
        """Return why the backend can't be used; None if it can."""
        return self.found.unavailable

    @property
    def good(self) -> bool:
        """Return whether the backend can be used, and on every device."""
        return self.unavailable is None and not any(
            support.hopeless for support in self.usable.values()
        )


def look_at(request: Request, gpus: Sequence[Gpu], display: Display) -> Iterator[Installed]:
    """Yield what a worker of each backend reports, one at a time; no file is left behind."""
    with worker_packages(*request.packages) as packages, scratch_folder() as folder:
        workers = Workers(request, folder, packages)
        for backend in request.backends:
            display.piloting(backend, "environment")
            outcome = workers.look(backend, ())
            # the worker's log goes with the folder
            found = reported_backend(outcome, log_path(folder, pilot_name(backend, ())))
            yield Installed(
                backend=backend,
                environment=request.place(backend).environment,
                interpreter=request.interpreters[backend],
                python=outcome.reported.get("python"),
                found=found,
                usable=supports(found, gpus),
            )


def reported_backend(outcome: Outcome, log: Path) -> BackendModel:
    """Return what the worker reported; if it died without a result, the last line of its log."""
    found = backend_model(outcome)
    if outcome.result is None and log.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "an empty log")
        reason = f"{(found.unavailable or '').partition('; see ')[0]}: {last}"
        return found.model_copy(update={"unavailable": reason})
    return found


def supports(found: BackendModel, gpus: Sequence[Gpu]) -> dict[str, Support]:
    """Return what to expect of a backend on the CPU and on each GPU."""
    if found.unavailable is not None:
        return {}
    return {"cpu": OK, **{gpu.device: support(build_of(found), gpu) for gpu in gpus}}
