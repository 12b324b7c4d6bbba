"""Make a record of a worker's outcome, whatever the worker sent."""

from dataclasses import asdict, dataclass

from pydantic import ValidationError

from bench.errors import RecordError
from bench.record import (
    SCHEMA_VERSION,
    ContentionModel,
    EnvironmentModel,
    GpuUseModel,
    LanesModel,
    Record,
    TimingsModel,
    TrialModel,
    WindowsModel,
    first_problem,
    flags,
    seal,
    unexplained_nulls,
)
from bench.record.home_folder import shortened
from bench.spec import Status, Trial
from bench.worker.messages import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a worker ended. `result` is what it sent last; None if nothing usable came."""

    status: Status
    reason: str | None
    result: Result | None

    @property
    def reported(self) -> Result:
        """Return the result; if none came, one with this status and reason alone."""
        return self.result or Result(status=self.status, reason=self.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the parent saw beside a trial; nothing if nothing ran.

    `gpu` is None on a CPU; `usual_megahertz` the clock at which the session's earlier trials ran
    on that GPU, None for the first ones.
    """

    load: ContentionModel | None = None
    gpu: GpuUseModel | None = None
    usual_megahertz: float | None = None


def record_of(
    run_id: str,
    trial: Trial,
    outcome: Outcome,
    environment: EnvironmentModel,
    beside: Beside,
    certificate: str | None = None,
) -> Record:
    """Return the record of a trial; if the worker sent nonsense, the record says so.

    `certificate` is the hash of the parity record that let this trial run.
    """
    try:
        require_figures(trial, outcome)
        return seal(compose(run_id, trial, outcome, environment, beside, certificate))
    except RecordError as error:
        reason = f"the worker's result is {error}"
    except ValidationError as error:
        reason = f"the worker's result is not a record: {first_problem(error)}"
    # a result of any shape may come out of a worker, so anything may fail on the way
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"the worker's result is malformed: {type(error).__name__}: {error}"
    failed = Outcome(status="failed", reason=reason, result=None)
    return seal(compose(run_id, trial, failed, environment, beside, certificate))


def require_figures(trial: Trial, outcome: Outcome) -> None:
    """Raise `RecordError` for a result that says ok and has no figures."""
    wanted = {"parity": "rungs", "timing": "lanes", "accuracy": "accuracy"}[trial.kind]
    if outcome.status == "ok" and not outcome.reported.get(wanted):
        raise RecordError(f"without its figures. Expected: {wanted}. Received: none")


def compose(
    run_id: str,
    trial: Trial,
    outcome: Outcome,
    environment: EnvironmentModel,
    beside: Beside,
    certificate: str | None,
) -> dict[str, object]:
    """Return the record as a document, not yet checked nor hashed."""
    result = outcome.reported
    document: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "trial": TrialModel.of(trial).model_dump(),
        "status": outcome.status,
        "reason": shortened(outcome.reason),
        "flags": flags_of(environment, result, beside),
        "parity": parity(result, certificate),
        "parameters": parameters(result),
        "settings": settings(trial, result),
        "timings": dict.fromkeys(TimingsModel.model_fields) | result.get("timings", {}),
        # a trial that failed has no figures, whatever it measured before it did
        "lanes": lanes(result) if outcome.status == "ok" else None,
        "accuracy": result.get("accuracy") if outcome.status == "ok" else None,
        "memory": {
            "peak_rss_bytes": result.get("peak_rss_bytes"),
            "peak_device_bytes": result.get("peak_device_bytes"),
        },
        "gpu": None if beside.gpu is None else beside.gpu.model_dump(),
        "contention": contention_of(beside.load, result),
        "environment": {**environment.model_dump(), **interpreter(result)},
    }
    return {**document, "null_reasons": null_reasons(document, trial, outcome)}


def interpreter(result: Result) -> dict[str, str]:
    """Return the worker's Python, which may be another than the parent's."""
    return {"python": result["python"]} if "python" in result else {}


def parity(result: Result, certificate: str | None) -> dict[str, object] | None:
    """Return the rungs and the hash of the certificate; None without rungs."""
    if "rungs" not in result:
        return None
    return {"rungs": result["rungs"], "certificate_sha256": certificate}


def parameters(result: Result) -> dict[str, object] | None:
    """Return the layers and the sum of their parameters; None if they are not known."""
    if "layers" not in result:
        return None
    layers = result["layers"]
    return {"total": sum(layer["count"] for layer in layers), "layers": layers}


def settings(trial: Trial, result: Result) -> dict[str, object] | None:
    """Return the settings asked for and the actual ones; None if these are not known."""
    if "settings" not in result:
        return None
    return {"requested": asdict(trial.cell.execution), "effective": result["settings"]}


def lanes(result: Result) -> dict[str, object] | None:
    """Return the lanes, None for each that was not timed; None if none was."""
    if "lanes" not in result:
        return None
    return {**dict.fromkeys(LanesModel.model_fields), **result["lanes"]}


def contention_of(load: ContentionModel | None, result: Result) -> dict[str, object] | None:
    """Return what the parent saw of the whole trial and the worker of its lanes."""
    if load is None:
        return None
    return {**load.model_dump(), "windows": result.get("windows", {})}


def flags_of(environment: EnvironmentModel, result: Result, beside: Beside) -> object:
    """Return the worker's own flags, then those of the windows, the clocks and the GPU."""
    own = result.get("flags", [])
    windows = {
        lane: WindowsModel.model_validate(columns)
        for lane, columns in result.get("windows", {}).items()
    }
    disturbed = flags.flags(windows, environment.cores_logical)
    if beside.load is not None:
        disturbed += flags.clock_flags(beside.load)
    if beside.gpu is not None:
        disturbed += flags.gpu_flags(beside.gpu, beside.usual_megahertz)
    # flags that are no list make no record: its check says so
    return [*own, *disturbed] if isinstance(own, list) else own


UNCOUNTED = {
    "contention.windows.": "this system has no such counter",
    "gpu.energy_": "no power lane in this trial, or this GPU counts no energy",
    "gpu.": "the driver does not tell",
}


def null_reasons(document: dict[str, object], trial: Trial, outcome: Outcome) -> dict[str, str]:
    """Return a reason for each null: what is known of that value, else how the trial ended."""
    known = {
        "lanes.latency": "the plan has no steps for it",
        "lanes.tutorial": outcome.reported.get("tutorial_missing")
        or "the plan has no steps for it",
        "memory.peak_device_bytes": "the framework keeps no count of this device's memory",
        "gpu": "no GPU",
        "contention": "nothing ran",
    }
    otherwise = f"not part of this {trial.kind} trial"
    if outcome.status != "ok":
        otherwise = f"the trial ended before that, as {outcome.status}"
    return {
        path: next((why for part, why in UNCOUNTED.items() if path.startswith(part)), None)
        or known.get(path)
        or otherwise
        for path in unexplained_nulls(document, {})
    }
