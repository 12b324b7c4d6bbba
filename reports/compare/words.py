"""The result of a comparison in sentences that are no stronger than its verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from bench.stats import SAME_WITHIN, SMALLEST_SAMPLE, Claim, Estimate, Verdict, cell_value
from bench.stats.comparison import Rounds
from reports.compare.comparison import ComparedSides
from reports.compare.means import ComparedMean, backend_settings
from reports.compare.pairs import ComparedCell, Matchup
from reports.results.cells import CellResults
from reports.results.names import LANE_NAMES, framework
from reports.text import (
    NOTHING,
    centre,
    comma_list,
    escape,
    estimate,
    factor,
    factor_estimate,
    interval_words,
    percent,
    plain_percent,
    plural,
)

# the sentences are on the first of these lanes that a backend has
SENTENCE_LANES = ("native", "step")
DIFFERENT = {Verdict.FASTER: "faster", Verdict.SLOWER: "slower"}


def sentences(compared: ComparedSides) -> list[str]:
    """Return one sentence per backend and hardware, in Markdown."""
    return [sentence(mean) for mean in leading_means(compared.means)]


def leading_means(means: Sequence[ComparedMean]) -> Iterator[ComparedMean]:
    """Yield the mean of each backend on each hardware in the lane that readers ask for."""
    lanes: dict[tuple[str, tuple[str, str]], dict[str, ComparedMean]] = {}
    for mean in means:
        key = mean.matchup.title, backend_settings(mean.cells[0].first)
        lanes.setdefault(key, {})[mean.lane] = mean
    for by_lane in lanes.values():
        yield next(by_lane[lane] for lane in SENTENCE_LANES if lane in by_lane)


def sentence(mean: ComparedMean) -> str:
    """Write `NVIDIA H200 against AMD EPYC, 2 cores: PyTorch 2.5x as fast in the ...`."""
    statement = f"{backend_name(mean.cells[0].first)} {statement_on(mean)}"
    return f"{escape(mean.matchup.title)}: {statement}{exceptions(mean)}."


def backend_name(results: CellResults) -> str:
    """Write `PyTorch` or `PyTorch (compiled)`; plug-ins have their own names."""
    backend, settings = backend_settings(results)
    name = escape(framework(backend))
    return f"{name} ({escape(settings)})" if settings else name


def statement_on(mean: ComparedMean) -> str:
    """Write what the claim allows: `2.5x as fast in the full training loop of cnn (2.1 to 2.9)`."""
    claim, where = mean.claim, place(mean)
    if claim is None or claim.comparison is None:
        return f"undecided {where}: no good round of all workloads on both sides"
    speedup = speedup_of(claim)
    if claim.verdict is Verdict.UNDECIDED:
        rates = " against ".join(map(median_rate, mean_rates(mean)))
        rounds = progress(claim, mean.matchup)
        return (
            f"{factor(speedup)} as fast {where}, {rates} images per second; preliminary, {rounds}"
        )
    reach = interval_words(speedup)
    if claim.verdict is Verdict.SAME:
        return f"as fast within {plain_percent(SAME_WITHIN)} {where} ({reach})"
    if claim.verdict is Verdict.UNCLEAR:
        least = f"smallest detectable difference {percent(claim.detectable, 0)}"
        return f"unclear {where}, {factor(speedup)} as fast ({reach}): {claim.reason}; {least}"
    return f"{factor(speedup)} as fast {where} ({reach})"


def place(mean: ComparedMean) -> str:
    """Write the lane and the workloads: `in the full training loop of cnn`."""
    lane = f"in the {LANE_NAMES[mean.lane]}"
    if len(mean.cells) == 1:
        return f"{lane} of {escape(mean.workloads[0])}"
    return f"{lane}, geometric mean of {plural(len(mean.cells), 'workload')}"


def progress(claim: Claim, matchup: Matchup) -> str:
    """Write `3 rounds instead of the 6 of a verdict`, or the reason of repeated runs."""
    if matchup.is_repeated or claim.comparison is None:
        return claim.reason
    rounds = plural(claim.comparison.n, "round")
    return f"{rounds} instead of the {SMALLEST_SAMPLE} of a verdict"


def exceptions(mean: ComparedMean) -> str:
    """Write the workloads whose own verdict is another one: `; slower on cnn`."""
    if len(mean.cells) == 1:
        return ""
    verdict = None if mean.claim is None else mean.claim.verdict
    parts = [
        f"{word} on {comma_list(names)}"
        for other, word in DIFFERENT.items()
        if other is not verdict
        and (names := [escape(c.first.cell.workload) for c in mean.cells if c.verdict is other])
    ]
    return "".join(f"; {part}" for part in parts)


def speedup_of(claim: Claim) -> Estimate:
    """Return how many times as fast the other side is, from a claim with a comparison."""
    assert claim.comparison is not None, "only claims with a comparison have a speed-up"
    return claim.comparison.ratio.inverse()


def speedup_text(claim: Claim | None) -> str:
    """Write `2.5x [2.1, 2.9]`."""
    if claim is None or claim.comparison is None:
        return NOTHING
    return factor_estimate(speedup_of(claim))


def rates(cell: ComparedCell) -> tuple[str, str]:
    """Write the images per second of the first side and of the other side, with intervals."""
    other, first = cell.samples
    size = cell.first.cell.execution.batch_size
    return rate(first, size), rate(other, size)


def rate(runs: Sequence[Rounds], images: int) -> str:
    """Write the images per second of a side: the median of its rounds, or of several runs."""
    return estimate(cell_value(side_rates(runs, images)))


def mean_rates(mean: ComparedMean) -> tuple[list[float], list[float]]:
    """Return the images per second of the other side and of the first side."""
    other, first = mean.samples
    return side_rates(other, 1), side_rates(first, 1)


def median_rate(values: Sequence[float]) -> str:
    """Write the median with the digits that the table has."""
    value = cell_value(values)
    return NOTHING if value is None else centre(value)


def side_rates(runs: Sequence[Rounds], images: int) -> list[float]:
    """Return the images per second of each round of a run; of several runs, of each run."""
    if len(runs) == 1:
        return [images / seconds for seconds in by_turn(runs[0])]
    return [images / median(run.values()) for run in runs if run]


def by_turn(rounds: Mapping[int, float]) -> list[float]:
    """Return the values in the order of their rounds."""
    return [rounds[turn] for turn in sorted(rounds)]


def cell_text(cell: ComparedCell) -> str:
    """Write `pytorch (cpu) on mlp-512 (full training loop)`."""
    lane = LANE_NAMES[cell.lane]
    return f"{cell.other.name} on {cell.first.cell.workload} ({lane})"
