"""Write the figures of the self-tests into a page: `python -m scripts.pages.selftest`.

The figures come from the files in docs/selftest, which the self-tests wrote.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from backends import BACKENDS
from reports.results.caption import MAIN_PACKAGES
from reports.results.names import framework
from reports.text import comma_list, table
from scripts.pages import marked

FIGURES = marked.ROOT / "docs" / "selftest"
PAGE = marked.ROOT / "docs" / "measuring.md"
LINE = re.compile(r"(\S+) (\S+): step lane over bare loop ([\d.]+) \(([\d., ]+)\)")


def section() -> str:
    """Return the part of the page between its two marks."""
    figures = list(map(read, sorted(FIGURES.glob("selftest-*.json"))))
    rows = [row for one in figures for row in ROWS[one["selftest"]](one)]
    medians = overheads((FIGURES / "overhead.txt").read_text(encoding="utf-8"))
    return "\n\n".join([
        machine(figures), table(["self-test", "what", "result", "required"], rows),
        "The next table shows what the harness adds to a step: the time of its step lane, divided "
        "by that of a bare loop over the same step. Both ran in one process. Each value is the "
        "median of nine pairs (`nox -s overhead`); 0.98 to 1.02 is required.",
        overhead(medians), *missing_overheads(medians),
    ])  # fmt: skip


def read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def machine(figures: Sequence[dict[str, Any]]) -> str:
    run = figures[0]
    versions = {name: version for one in figures for name, version in one["versions"].items()}
    names = ", ".join(
        f"{MAIN_PACKAGES[name]} {versions[name]}" for name in MAIN_PACKAGES if name in versions
    )
    runs = ", ".join(f"{one['selftest']} of {one['backend']} {one['run_id']}" for one in figures)
    return (
        f"Measured on {run['cores']} shared cores of an {run['cpu']}, without a GPU, with {names} "
        f"and `mlp-512-256`, in the step lane (runs: {runs}):"
    )


def aa_rows(figures: dict[str, Any]) -> list[list[str]]:
    apart = figures["sequential"]
    comparisons = (
        f"{figures['comparisons']} comparisons of {figures['rounds_in_each']} rounds, drawn from "
        f"{figures['rounds']} rounds ({figures['trials']} trials) with names exchanged at random"
    )
    name = f"A/A, {framework(figures['backend'])}"
    return [
        [name, f"p under 5 % in {comparisons}", str(figures["raw_positives"]), "at most 9"],
        [name, "verdicts of a difference by the full rule", str(figures["claims"]), "at most 1"],
        [name, "verdicts SAME", str(figures["called_same"]), ""],
        [name, "median log ratio", f"{figures['median_log_ratio']:+.4f}", "within 0.01"],
        [name, "first trial of a round divided by the second",
         f"{figures['position_ratio']:.4f}, p {figures['position_p_value']:.2g}", "p over 5 %"],
        [name, "smallest detectable effect",
         f"{figures['minimum_detectable_effect']:.1%}", ""],
        [name, "the same trials, ten of one name after ten of the other: differences over 3 % "
         f"in {apart['windows']} windows",
         f"{apart['beyond_3_percent']}, up to {apart['largest_difference']:.0%}", ""],
    ]  # fmt: skip


def effect_rows(figures: dict[str, Any]) -> list[list[str]]:
    least = {"5": "80 %", "10": "95 %"}
    rows = []
    for percent, effect in figures["effects"].items():
        low, high = effect["interval"]
        *fewer, (most, found) = effect["found"].items()
        rows += [
            ["effect", f"+{percent} % planted: verdict SLOWER in {figures['resamples']} resamples "
             f"of {most} rounds", f"{found:.0%}", f"at least {least[percent]}"],
            *(["effect", f"+{percent} % planted: the same with {size} rounds", f"{share:.0%}", ""]
              for size, share in fewer),
            ["effect", f"+{percent} % planted: estimate",
             f"{effect['ratio'] - 1:+.1%} [{low - 1:+.1%}, {high - 1:+.1%}]", "within 2 points"],
        ]  # fmt: skip
    return rows


def contention_rows(figures: dict[str, Any]) -> list[list[str]]:
    false_alarms = figures["clean_and_flagged"] - figures["of_those_really_disturbed"]
    disturbed = figures["of_those_really_disturbed"]
    return [
        ["contention", f"flagged, among {figures['hit']} trials beside a half-busy process",
         str(figures["hit_and_flagged"]), "95 %"],
        ["contention", f"wrongly flagged, among {figures['clean']} other trials (flagged and "
         f"confirmed by another sensor: {disturbed})", str(false_alarms), "at most 5 %"],
        ["contention", "+10 % planted: verdict and ratio, disturbed trials repeated",
         f"{figures['verdict_with_the_rule']}, {figures['ratio_with_the_rule']:.3f}",
         "as for the clean trials"],
        ["contention", "the same, for the clean trials only",
         f"{figures['verdict_of_clean_trials']}, {figures['ratio_of_clean_trials']:.3f}", ""],
    ]  # fmt: skip


ROWS = {"aa": aa_rows, "effect": effect_rows, "contention": contention_rows}


def overheads(text: str) -> dict[str, dict[str, str]]:
    """Return the median ratio per workload and backend."""
    medians: dict[str, dict[str, str]] = defaultdict(dict)
    for backend, workload, middle, _ in LINE.findall(text):
        medians[workload][backend] = middle
    return medians


def columns(medians: dict[str, dict[str, str]]) -> list[str]:
    """Return the backends that have an overhead, in the order of the file."""
    return list(dict.fromkeys(name for row in medians.values() for name in row))


def overhead(medians: dict[str, dict[str, str]]) -> str:
    backends = columns(medians)
    rows = [[workload, *(row[name] for name in backends)] for workload, row in medians.items()]
    return table(["workload", *backends], rows, ",".join(backends))


def missing_overheads(medians: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield a sentence that names the backends without an overhead; nothing if there are none."""
    missing = [f"`{name}`" for name in BACKENDS if name not in columns(medians)]
    if missing:
        yield f"The overhead was not measured for these backends: {comma_list(missing)}."


def page(text: str) -> str:
    """Return the page with its part made from the files."""
    return marked.fill(text, *marked.marks("selftest"), section())


if __name__ == "__main__":
    marked.write(PAGE, page)
