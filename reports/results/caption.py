"""The caption of a figure: what a reader needs to cite it without its report."""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from bench.record import Record
from bench.record.run import RunModel
from reports.results.content_hash import SHORT_HASH
from reports.results.machine import machines
from reports.text import one_line, plural

# the packages that compute, by the names that readers know; others only if none of these is there
MAIN_PACKAGES = {"keras": "Keras", "tensorflow": "TensorFlow", "torch": "PyTorch", "jax": "JAX"}
COMMON_PACKAGES = frozenset({"numpy", "jaxlib", "cuda", "cudnn"})
# a name from a record has at most so many characters in a figure
LONGEST_NAME = 80
NO_BREAK = "\u00a0"


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a figure says of its run; `extent` is `10 rounds, 3 seeds`, or empty."""

    machine: str
    versions: str
    date: str
    extent: str
    source: str

    @property
    def line(self) -> str:
        """Return all parts in one line, which may be broken only between two parts."""
        parts = (self.machine, self.versions, self.date, self.extent, self.source)
        unbroken = (part.replace(" ", NO_BREAK) for part in parts if part)
        return f"{NO_BREAK}· ".join(unbroken)


def caption(run: RunModel, records: Iterable[Record], content_hash: str) -> Caption:
    """Return the caption of the figures of a run with these records and this hash."""
    return Caption(
        machine=shorten(machines(run)),
        versions=versions(run),
        date=one_line(run.created[:10]),
        extent=extent(run, {record.name for record in records}),
        source=f"run {shorten(run.run_id)}, hash {content_hash[:SHORT_HASH]}",
    )


def versions(run: RunModel) -> str:
    """Return `Keras 3.15.1, JAX 0.10.2, samestep 0.1.0`: the versions of what computed."""
    planned = {trial.backend for trial in run.trials}
    named: dict[str, list[str]] = {}
    for backend, entry in sorted(run.backends.items()):
        if backend in planned and entry.unavailable is None:
            for name, version in main_versions(entry.versions):
                named.setdefault(name, []).append(version)
    order = list(MAIN_PACKAGES.values())
    names = sorted(named, key=lambda name: order.index(name) if name in order else len(order))
    parts = [f"{name} {' and '.join(dict.fromkeys(named[name]))}" for name in names]
    return ", ".join([*map(shorten, parts), f"samestep {shorten(run.samestep)}"])


def main_versions(packages: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the name and version of the main packages; of all but common packages without any."""
    main = MAIN_PACKAGES.keys() & packages.keys()
    for package in packages:
        if package in main or (not main and package not in COMMON_PACKAGES):
            # what follows the + is how the package was built
            yield MAIN_PACKAGES.get(package, package), packages[package].partition("+")[0]


def extent(run: RunModel, recorded: Set[str]) -> str:
    """Return `3 of 9 rounds, 1 seed`: how many were planned, and how many of them have ended."""
    rounds: dict[int, bool] = {}
    seeds: dict[int, bool] = {}
    for trial in run.trials:
        ended = trial.name in recorded
        if trial.round is not None:
            rounds[trial.round] = rounds.get(trial.round, True) and ended
        if trial.accuracy is not None and not trial.accuracy.longer:
            seeds[trial.seed] = seeds.get(trial.seed, True) and ended
    return ", ".join([*share_of(rounds, "round"), *share_of(seeds, "seed")])


def share_of(ended: Mapping[int, bool], noun: str) -> Iterator[str]:
    """Yield `9 rounds`, or `3 of 9 rounds` if only these have ended; nothing without any."""
    if ended:
        number = sum(ended.values())
        part = "" if number == len(ended) else f"{number:,} of "
        yield f"{part}{plural(len(ended), noun)}"


def shorten(text: str) -> str:
    """Return text from a record as one line that a figure has room for."""
    line = one_line(text)
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"
