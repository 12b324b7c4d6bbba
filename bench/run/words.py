"""Say in words what a run does and how long it takes. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bench.spec import Trial, TrialKind
from bench.worker.messages import EpochFigures

VERBS: dict[TrialKind, str] = {"timing": "timing", "accuracy": "training", "parity": "checking"}


def duration(seconds: float) -> str:
    """Return `45 s`, `12 min` or `1 h 05 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def clock_time(now: datetime, seconds: float) -> str:
    """Return the time of day after so many seconds: `17:40`, or `Tue 17:40` on another day."""
    end = now + timedelta(seconds=seconds)
    return end.strftime("%H:%M" if end.date() == now.date() else "%a %H:%M")


def plural(number: int, what: str) -> str:
    """Return `1 trial` or `2 trials`."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def describe(trial: Trial) -> str:
    """Return a trial in words: kind, workload, backend, device, mode and turn."""
    execution = trial.cell.execution
    mode = "" if execution.mode == "default" else f" {execution.mode}"
    return f"{subject(trial)} {execution.device}{mode}, {turn(trial)}"


def subject(trial: Trial) -> str:
    """Return `timing mlp-512 pytorch`."""
    return f"{VERBS[trial.kind]} {trial.cell.workload} {trial.cell.backend}"


def turn(trial: Trial) -> str:
    """Return `round 3`, `seed 0` or `float64`."""
    if trial.parity is not None:
        return trial.parity.precision
    return f"seed {trial.seed}" if trial.round is None else f"round {trial.round + 1}"


def running_line(trials: Sequence[Trial], epoch: EpochFigures | None, width: int) -> str:
    """Return what runs now in at most `width` columns; empty if nothing runs."""
    if not trials:
        return ""
    return fit(list(parts(trials, epoch)), width)


def parts(trials: Sequence[Trial], epoch: EpochFigures | None) -> Iterator[str]:
    """Yield what there is to say of the trials that run now, the most important first."""
    first, execution = trials[0], trials[0].cell.execution
    if len(trials) > 1:
        yield f"{VERBS[first.kind]} {first.cell.workload}"
        yield turn(first)
        yield f"{len(trials)} configurations in turn"
    else:
        yield subject(first)
        if epoch is not None:
            total = first.accuracy.epochs if first.accuracy else "?"
            yield f"epoch {epoch['epoch']}/{total}"
            yield f"test accuracy {100 * epoch['test_accuracy']:.2f} %"
        yield turn(first)
        if execution.mode != "default":
            yield execution.mode
    yield execution.device


def fit(texts: Sequence[str], width: int) -> str:
    """Join texts with commas; a text that is too long for the width is left out as a whole."""
    line, *others = texts
    for text in others:
        longer = f"{line}, {text}"
        line = longer if len(longer) <= width else line
    return line
