"""What each backend's interpreter has installed, asked of a worker; and what it can be used for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.machine.devices import Gpu
from bench.machine.gpu_support import OK, Support, support
from bench.record.run import BackendModel
from bench.run.outcome import Outcome
from bench.run.pilot import backend_found, build_of
from bench.run.process import worker_packages
from bench.run.request import Display, Request
from bench.run.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """One backend's environment. `python` is the version, None where no worker came so far.

    `usable` has a verdict for the CPU and for each GPU; none where the backend is unavailable.
    """

    backend: str
    environment: str
    interpreter: str
    python: str | None
    found: BackendModel
    usable: Mapping[str, Support]

    @property
    def unavailable(self) -> str | None:
        return self.found.unavailable

    @property
    def good(self) -> bool:
        """Whether it can be used, and on every device."""
        return self.unavailable is None and not any(one.hopeless for one in self.usable.values())


def look_at(request: Request, gpus: Sequence[Gpu], display: Display) -> Iterator[Installed]:
    """A worker of each of the request's backends, one at a time; nothing is left behind."""
    with (
        TemporaryDirectory(prefix="samestep-") as folder,
        worker_packages(*request.packages) as packages,
    ):
        workers = Workers(request, Path(folder), packages)
        for backend in request.backends:
            display.piloting(backend, "environment")
            outcome = workers.look(backend, ())
            # the worker's log goes with the folder
            log = Path(folder) / "logs" / f"pilot-{backend}_probe.log"
            found = told(outcome, log)
            yield Installed(
                backend=backend,
                environment=request.places[backend].environment,
                interpreter=request.interpreters[backend],
                python=(outcome.result or {}).get("python"),
                found=found,
                usable=usable(found, gpus),
            )


def told(outcome: Outcome, log: Path) -> BackendModel:
    """What the worker said; of one that died without a word the last line of its log."""
    found = backend_found(outcome)
    if outcome.result is None and log.exists():
        lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "an empty log")
        reason = f"{(found.unavailable or '').partition('; see ')[0]}: {last}"
        return found.model_copy(update={"unavailable": reason})
    return found


def usable(found: BackendModel, gpus: Sequence[Gpu]) -> dict[str, Support]:
    """What to expect of a backend on the CPU and on each GPU."""
    if found.unavailable is not None:
        return {}
    return {"cpu": OK, **{gpu.device: support(build_of(found), gpu) for gpu in gpus}}
