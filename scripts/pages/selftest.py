"""The self-tests' figures as Markdown: `python -m scripts.pages.selftest` writes them.

They come from the files that the self-tests left, which lie in docs/selftest.
"""

import json
import re
from collections import defaultdict
from typing import Any

from reports.text import table
from scripts.pages import marked

FIGURES = marked.ROOT / "docs" / "selftest"
PAGE = marked.ROOT / "docs" / "measuring.md"
LINE = re.compile(r"(\S+) (\S+): step lane over bare loop ([\d.]+) \(([\d., ]+)\)")


def section() -> str:
    """Return the part of the page between its two marks."""
    found = {name: read(name) for name in ("aa", "effect", "contention")}
    rows = [*aa(found["aa"]), *effect(found["effect"]), *contention(found["contention"])]
    return "\n\n".join([
        machine(found), table(["self-test", "what", "found", "wanted"], rows),
        "The harness's step lane over a bare loop of the same step, in one process, median of nine "
        "pairs (`nox -s overhead`; wanted: 0.98 to 1.02):",
        overhead((FIGURES / "overhead.txt").read_text(encoding="utf-8")),
    ])  # fmt: skip


def read(name: str) -> dict[str, Any]:
    return json.loads((FIGURES / f"selftest-{name}.json").read_text(encoding="utf-8"))


def machine(found: dict[str, dict[str, Any]]) -> str:
    one = found["aa"]
    runs = ", ".join(f"{name} {figures['run_id']}" for name, figures in found.items())
    return (
        f"On {one['cores']} shared cores of an {one['cpu']}, without a GPU, PyTorch "
        f"{one['versions']['torch']}, `mlp-512-256` in the step lane (runs: {runs}):"
    )


def aa(found: dict[str, Any]) -> list[list[str]]:
    apart = found["sequential"]
    comparisons = (
        f"{found['comparisons']} comparisons of {found['rounds_in_each']} rounds, the names "
        f"exchanged at random in {found['rounds']} rounds of {found['trials']} trials"
    )
    return [
        ["A/A", f"p under 5 % in {comparisons}", str(found["raw_positives"]), "at most 9"],
        ["A/A", "called different under the full rule", str(found["claims"]), "at most 1"],
        ["A/A", "called SAME", str(found["called_same"]), ""],
        ["A/A", "median log ratio", f"{found['median_log_ratio']:+.4f}", "within 0.01"],
        ["A/A", "first over second of a round",
         f"{found['position_ratio']:.4f}, p {found['position_p_value']:.2g}", "p over 5 %"],
        ["A/A", "smallest effect that could be found",
         f"{found['minimum_detectable_effect']:.1%}", ""],
        ["A/A", f"the same trials in windows, ten after ten: beyond 3 % in {apart['windows']}",
         f"{apart['beyond_3_percent']}, up to {apart['largest_difference']:.0%}", ""],
    ]  # fmt: skip


def effect(found: dict[str, Any]) -> list[list[str]]:
    least = {"5": "80 %", "10": "95 %"}
    rows = []
    for percent, one in found["effects"].items():
        low, high = one["interval"]
        rows += [
            ["effect", f"+{percent} % planted: called SLOWER in {found['resamples']} resamples of "
             f"{one['rounds']} rounds", f"{one['found']:.0%}", f"at least {least[percent]}"],
            ["effect", f"+{percent} % planted: estimate",
             f"{one['ratio'] - 1:+.1%} [{low - 1:+.1%}, {high - 1:+.1%}]", "within 2 points"],
        ]  # fmt: skip
    return rows


def contention(found: dict[str, Any]) -> list[list[str]]:
    false_alarms = found["clean_and_flagged"] - found["of_those_really_disturbed"]
    disturbed = found["of_those_really_disturbed"]
    return [
        ["contention", f"of {found['hit']} trials beside a half-busy process, flagged",
         str(found["hit_and_flagged"]), "95 %"],
        ["contention", f"of {found['clean']} other trials, flagged without another sensor's word "
         f"({disturbed} with it)", str(false_alarms), "at most 5 %"],
        ["contention", "+10 % planted: verdict and ratio, disturbed trials repeated",
         f"{found['verdict_with_the_rule']}, {found['ratio_with_the_rule']:.3f}",
         "as of the clean trials"],
        ["contention", "the same, of the clean trials alone",
         f"{found['verdict_of_clean_trials']}, {found['ratio_of_clean_trials']:.3f}", ""],
    ]  # fmt: skip


def overhead(text: str) -> str:
    medians: dict[str, dict[str, str]] = defaultdict(dict)
    for backend, workload, middle, _ in LINE.findall(text):
        medians[workload][backend] = middle
    backends = list(dict.fromkeys(name for row in medians.values() for name in row))
    rows = [[workload, *(row[name] for name in backends)] for workload, row in medians.items()]
    return table(["workload", *backends], rows, ",".join(backends))


def page(text: str) -> str:
    """Return the page with its part made from the files."""
    return marked.filled(text, *marked.marks("selftest"), section())


if __name__ == "__main__":
    marked.write(PAGE, page)
