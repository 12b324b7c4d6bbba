"""Write the figures of the self-tests into a page: `python -m scripts.pages.selftest`.

The figures come from the files in docs/selftest, which the self-tests wrote.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from backends import BACKENDS
from reports.text import comma_list, table
from scripts.pages import marked

FIGURES = marked.ROOT / "docs" / "selftest"
PAGE = marked.ROOT / "docs" / "measuring.md"
LINE = re.compile(r"(\S+) (\S+): step lane over bare loop ([\d.]+) \(([\d., ]+)\)")


def section() -> str:
    """Return the part of the page between its two marks."""
    found = {name: read(name) for name in ("aa", "effect", "contention")}
    rows = [*aa(found["aa"]), *effect(found["effect"]), *contention(found["contention"])]
    medians = overheads((FIGURES / "overhead.txt").read_text(encoding="utf-8"))
    return "\n\n".join([
        machine(found), table(["self-test", "what", "result", "required"], rows),
        "The next table shows what the harness adds to a step: the time of its step lane, divided "
        "by that of a bare loop over the same step. Both ran in one process. Each value is the "
        "median of nine pairs (`nox -s overhead`); 0.98 to 1.02 is required.",
        overhead(medians), *not_measured(medians),
    ])  # fmt: skip


def read(name: str) -> dict[str, Any]:
    return json.loads((FIGURES / f"selftest-{name}.json").read_text(encoding="utf-8"))


def machine(found: dict[str, dict[str, Any]]) -> str:
    one = found["aa"]
    runs = ", ".join(f"{name} {figures['run_id']}" for name, figures in found.items())
    return (
        f"Measured on {one['cores']} shared cores of an {one['cpu']}, without a GPU, with PyTorch "
        f"{one['versions']['torch']} and `mlp-512-256`, in the step lane (runs: {runs}):"
    )


def aa(found: dict[str, Any]) -> list[list[str]]:
    apart = found["sequential"]
    comparisons = (
        f"{found['comparisons']} comparisons of {found['rounds_in_each']} rounds, drawn from "
        f"{found['rounds']} rounds ({found['trials']} trials) with names exchanged at random"
    )
    return [
        ["A/A", f"p under 5 % in {comparisons}", str(found["raw_positives"]), "at most 9"],
        ["A/A", "verdicts of a difference by the full rule", str(found["claims"]), "at most 1"],
        ["A/A", "verdicts SAME", str(found["called_same"]), ""],
        ["A/A", "median log ratio", f"{found['median_log_ratio']:+.4f}", "within 0.01"],
        ["A/A", "first trial of a round divided by the second",
         f"{found['position_ratio']:.4f}, p {found['position_p_value']:.2g}", "p over 5 %"],
        ["A/A", "smallest detectable effect",
         f"{found['minimum_detectable_effect']:.1%}", ""],
        ["A/A", "the same trials, ten of one name after ten of the other: differences over 3 % "
         f"in {apart['windows']} windows",
         f"{apart['beyond_3_percent']}, up to {apart['largest_difference']:.0%}", ""],
    ]  # fmt: skip


def effect(found: dict[str, Any]) -> list[list[str]]:
    least = {"5": "80 %", "10": "95 %"}
    rows = []
    for percent, one in found["effects"].items():
        low, high = one["interval"]
        rows += [
            ["effect", f"+{percent} % planted: verdict SLOWER in {found['resamples']} resamples of "
             f"{one['rounds']} rounds", f"{one['found']:.0%}", f"at least {least[percent]}"],
            ["effect", f"+{percent} % planted: estimate",
             f"{one['ratio'] - 1:+.1%} [{low - 1:+.1%}, {high - 1:+.1%}]", "within 2 points"],
        ]  # fmt: skip
    return rows


def contention(found: dict[str, Any]) -> list[list[str]]:
    false_alarms = found["clean_and_flagged"] - found["of_those_really_disturbed"]
    disturbed = found["of_those_really_disturbed"]
    return [
        ["contention", f"flagged, among {found['hit']} trials beside a half-busy process",
         str(found["hit_and_flagged"]), "95 %"],
        ["contention", f"wrongly flagged, among {found['clean']} other trials (flagged and "
         f"confirmed by another sensor: {disturbed})", str(false_alarms), "at most 5 %"],
        ["contention", "+10 % planted: verdict and ratio, disturbed trials repeated",
         f"{found['verdict_with_the_rule']}, {found['ratio_with_the_rule']:.3f}",
         "as for the clean trials"],
        ["contention", "the same, for the clean trials only",
         f"{found['verdict_of_clean_trials']}, {found['ratio_of_clean_trials']:.3f}", ""],
    ]  # fmt: skip


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


def not_measured(medians: dict[str, dict[str, str]]) -> Iterator[str]:
    """Yield a sentence that names the backends without an overhead; nothing if there are none."""
    lacking = [f"`{name}`" for name in BACKENDS if name not in columns(medians)]
    if lacking:
        yield f"The overhead was not measured for these backends: {comma_list(lacking)}."


def page(text: str) -> str:
    """Return the page with its part made from the files."""
    return marked.fill(text, *marked.marks("selftest"), section())


if __name__ == "__main__":
    marked.write(PAGE, page)
