"""The headline: at most four sentences, made from the values of the first table."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bench.spec import Execution
from bench.stats import (
    FEWEST_SEEDS,
    SMALLEST_SAMPLE,
    AccuracyVerdict,
    Verdict,
)
from reports.results.accuracy_verdicts import AccuracyPair
from reports.results.cells import CellResults, has_timing
from reports.results.names import framework, networks
from reports.results.report import Report
from reports.results.standings import MeanSpeedup, Standing, Standings
from reports.text import escape, factor, interval_words, join_words, percent, plural

MOST_DEVICES = 2
MOST_ON_SPEED = 3
MOST_NAMED = 4
DECIDED = (Verdict.FASTER, Verdict.SLOWER, Verdict.SAME)


def section(report: Report) -> Iterator[str]:
    """Yield the headline as one paragraph."""
    yield " ".join(escape(sentence) for sentence in sentences(report))


def answer(report: Report) -> str:
    """Return the first sentence, for a list of runs, as Markdown."""
    return escape(sentences(report)[0])


def sentences(report: Report) -> list[str]:
    """Return the sentences on speed and on accuracy; none is stronger than its claims."""
    kinds = {record.trial.kind for record in report.records if record.status == "ok"}
    if kinds <= {"parity"}:
        return [unmeasured(report)]
    if report.run.profile == "smoke":
        return ["A smoke run ranks nothing: it shows only that everything runs."]
    speeds = [
        sentence
        for standings in report.standings[:MOST_DEVICES]
        for sentence in speed_sentences(standings, several=len(report.standings) > 1)
    ]
    if has_timing(report.run) and not speeds:
        speeds = [uncompared(report)]
    others = list(other_modes(report))
    return [*speeds[: MOST_ON_SPEED - len(others)], *others, accuracy_sentence(report)]


def unmeasured(report: Report) -> str:
    """Return why a run has no figure."""
    if all(trial.kind == "parity" for trial in report.run.trials):
        certified = sum(record.status == "ok" for record in report.records)
        checks = plural(len(report.run.trials), "parity check")
        return f"Nothing was timed: {certified} of {checks} passed."
    if all(record.status == "unavailable" for record in report.records) and report.records:
        return "Nothing was measured: no framework is available."
    return "Nothing was measured: no trial ended well."


def uncompared(report: Report) -> str:
    """Return why no configuration stands against another."""
    timed = [results for results in report.cells if results.speed is not None]
    if not timed:
        return "Nothing was timed: no timing trial ended well."
    if all(results.cell.execution.mode != "default" for results in timed):
        return "No framework was timed in its default mode; the details have the other modes."
    return "Nothing can be compared: no timing trial was steady."


def speed_sentences(standings: Standings, *, several: bool) -> Iterator[str]:
    """Yield who is faster over all workloads, and the workloads for which that does not hold."""
    where = f"On {standings.device}: " if several else ""
    if not standings.means:
        yield where + alone(standings)
        return
    if any(mean.speedup.low is None for mean in standings.means):
        yield where + preliminary(standings)
        return
    yield where + ranking(standings)
    yield from exceptions(standings)
    yield from open_comparisons(standings)


def alone(standings: Standings) -> str:
    """Return the sentence for a run without a second framework to compare with."""
    return (
        f"Only {framework(standings.baseline)} was timed on "
        f"{networks(workloads_of(standings))}: there is nothing to compare it with."
    )


def workloads_of(standings: Standings) -> list[str]:
    """Return the names of the workloads, each once."""
    return list(dict.fromkeys(one.results.cell.workload for one in standings.cells))


def preliminary(standings: Standings) -> str:
    """Return the speed-ups so far, of a run in which some lack the rounds of an interval."""
    values = [f"{framework(mean.backend)} {factor(mean.speedup)}" for mean in standings.ranked]
    return (
        f"Preliminary, {missing_rounds(standings)}: against {framework(standings.baseline)} on "
        f"{spans(standings.means)} {join_words(values)} as fast."
    )


def missing_rounds(standings: Standings) -> str:
    """Return how many good rounds there are, whose they are, and how many are needed."""
    short = [mean for mean in standings.means if mean.speedup.low is None]
    rounds = min(mean.speedup.n for mean in short)
    of_all = len(short) == len(standings.means)
    whose = "" if of_all else f" of {join_words([framework(mean.backend) for mean in short])}"
    return f"{plural(rounds, 'good round')}{whose} instead of the {SMALLEST_SAMPLE} of a verdict"


def spans(means: Sequence[MeanSpeedup]) -> str:
    """Return the workloads over which the means are: `cnn`, or `5 networks (geometric mean)`."""
    counts = sorted({len(mean.workloads) for mean in means})
    if counts == [1]:
        return networks(means[0].workloads)
    most = f"{counts[-1]} networks" if len(counts) == 1 else f"{counts[0]} to {counts[-1]} networks"
    return f"{most} (geometric mean)"


def ranking(standings: Standings) -> str:
    """Return who is the fastest, by how much, and the others after it."""
    fastest, *others = standings.ranked
    base, name = framework(standings.baseline), framework(fastest.backend)
    if is_clear(fastest, standings) and fastest.speedup.value > 1:
        close = [
            f"{framework(mean.backend)} ({factor(mean.speedup)})"
            for mean in others
            if mean.backend in standings.close
        ]
        rest = [value_of(mean, standings) for mean in others if mean.backend not in standings.close]
        beside = f", not clearly faster than {join_words(close)}" if close else ""
        after = f"; {join_words(rest)}" if rest else ""
        return (
            f"{name} trains {factor(fastest.speedup)} ({interval_words(fastest.speedup)}) as fast "
            f"as {base} on {spans([fastest])}{beside}{after}."
        )
    values = [value_of(mean, standings) for mean in standings.ranked]
    return (
        f"No {rivals(standings)} is clearly faster than {base} on {spans([fastest])}: "
        f"{join_words(values)}."
    )


def rivals(standings: Standings) -> str:
    """Return what the baseline is compared with: frameworks, or environments of one framework."""
    return "environment" if standings.of_environments else "framework"


def value_of(mean: MeanSpeedup, standings: Standings) -> str:
    """Return `JAX 0.98x (unclear)`, or `(the same)` if that is the verdict on one workload."""
    fewer = len(mean.workloads) < max(len(other.workloads) for other in standings.means)
    where = f" on {networks(mean.workloads)}" if fewer else ""
    text = f"{framework(mean.backend)} {factor(mean.speedup)}{where}"
    if len(mean.workloads) == 1 and verdicts_on(mean.backend, standings) == {Verdict.SAME}:
        return f"{text} (the same)"
    return text if is_clear(mean, standings) else f"{text} (unclear)"


def verdicts_on(backend: str, standings: Standings) -> set[Verdict | None]:
    """Return the verdicts on a backend's cells."""
    return {one.verdict for one in standings.cells if one.results.cell.backend == backend}


def is_clear(mean: MeanSpeedup, standings: Standings) -> bool:
    """Return whether the mean's interval excludes 1; of one workload its verdict decides too."""
    if len(mean.workloads) == 1:
        decided = verdicts_on(mean.backend, standings) <= {Verdict.FASTER, Verdict.SLOWER}
        return decided and mean.speedup.excludes(1)
    return mean.speedup.excludes(1)


def exceptions(standings: Standings) -> Iterator[str]:
    """Yield the comparisons whose verdict is the opposite of their backend's mean."""
    means = {mean.backend: mean.speedup for mean in standings.means}
    opposite = {True: Verdict.SLOWER, False: Verdict.FASTER}
    against: dict[tuple[str, Verdict], list[str]] = {}
    for one in standings.cells:
        mean = means.get(one.results.cell.backend)
        if mean is None or one.speedup is None or one.verdict is None or not mean.excludes(1):
            continue
        if one.verdict is opposite[mean.value > 1]:
            name = f"{framework(one.results.cell.backend)} ({factor(one.speedup)})"
            against.setdefault((one.results.cell.workload, one.verdict), []).append(name)
    clauses = [
        f"{join_words(names)} {'is' if len(names) == 1 else 'are'} {verdict.lower()} on {workload}"
        for (workload, verdict), names in against.items()
    ]
    if clauses:
        yield f"But {join_words(clauses)}."


def other_modes(report: Report) -> Iterator[str]:
    """Yield one sentence on the networks whose fastest median is of another mode than default."""
    fastest: dict[tuple[str, Execution], CellResults] = {}
    for results in sorted(report.cells, key=native_median):
        execution = replace(results.cell.execution, mode="default")
        fastest.setdefault((results.cell.workload, execution), results)
    others = [
        f"{results.title} on {results.cell.workload}"
        for results in fastest.values()
        if results.cell.execution.mode != "default" and native_median(results) < math.inf
    ]
    if not others or not any(standings.means for standings in report.standings):
        return
    if len(others) > MOST_NAMED:
        yield f"In {len(others)} cases another mode has a shorter median; no verdict compares it."
    else:
        subject = "median of all modes is that" if len(others) == 1 else "medians are those"
        yield f"The shortest {subject} of {join_words(others)}; no verdict compares all modes."


def native_median(results: CellResults) -> float:
    """Return the median seconds per step of the full training loop; infinite if not timed."""
    native = None if results.speed is None else results.speed.native_seconds
    return math.inf if native is None else native.value


def open_comparisons(standings: Standings) -> Iterator[str]:
    """Yield how many comparisons with the baseline have no verdict, and which if they are few."""
    judged = [one for one in standings.cells if one.verdict is not None]
    unclear = [one for one in judged if one.verdict not in DECIDED]
    if unclear:
        which = f"; not {named(unclear)}" if len(unclear) <= MOST_NAMED else ""
        yield (
            f"{len(judged) - len(unclear)} of {plural(len(judged), 'comparison')} with "
            f"{framework(standings.baseline)} are decided{which}."
        )


def named(some: Sequence[Standing]) -> str:
    """Return `JAX on cnn (0.59x) and Keras on JAX on cnn (0.60x)`."""
    return join_words([
        f"{framework(one.results.cell.backend)} on {one.results.cell.workload}"
        f"{f' ({factor(one.speedup)})' if one.speedup else ''}"
        for one in some
    ])  # fmt: skip


def accuracy_sentence(report: Report) -> str:
    """Return whether the frameworks train to the same accuracy."""
    pairs = report.default_accuracy_pairs
    if not any(results.accuracy for results in report.cells):
        return "Accuracy was not compared: nothing was trained."
    if not pairs:
        return "Accuracy was not compared: no two frameworks have the same training."
    seeds = min(pair.claim.comparison.n for pair in pairs)
    if seeds < FEWEST_SEEDS:
        trained = "only 1 seed was" if seeds == 1 else f"only {seeds} seeds were"
        return f"Accuracy was not compared: {trained} trained, {FEWEST_SEEDS} are needed."
    different = [pair for pair in pairs if pair.claim.verdict is AccuracyVerdict.DIFFERENT]
    if different:
        return f"Accuracy differs: {join_words([accuracies(pair) for pair in different[:2]])}."
    return equivalence(pairs)


def equivalence(pairs: Sequence[AccuracyPair]) -> str:
    """Return in how many comparisons equivalent accuracy was shown."""
    shown = [pair for pair in pairs if pair.claim.verdict is AccuracyVerdict.EQUIVALENT]
    example = f" ({accuracies(pairs[0])})" if len(pairs) == 1 else ""
    return (
        f"Equivalent accuracy was shown in {len(shown)} of {plural(len(pairs), 'comparison')}"
        f"{example}."
    )


def accuracies(pair: AccuracyPair) -> str:
    """Return `PyTorch 97.97 % and Keras on TensorFlow 97.99 % on mlp-512`."""
    sides = [
        f"{framework(side.cell.backend)} "
        f"{percent(side.accuracy.test_accuracy if side.accuracy else None)}"
        for side in (pair.first, pair.second)
    ]
    return f"{join_words(sides)} on {pair.first.cell.workload}"
