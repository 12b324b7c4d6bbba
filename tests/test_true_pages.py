"""No page contradicts the published records, the schema of the record and the dependencies."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench.record import LanesModel
from scripts.pages import gpu, marked, tf32, verified
from scripts.pages.published import good_records

ROOT = Path(__file__).resolve().parent.parent
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "bench" / "parity" / "gates.py",
)
NEVER = re.compile(
    r"\b(nothing|never|not yet|nobody|untested|untried|no (?:real )?(?:one|GPU)) ?[^.]*?"
    r"\b(timed|certified|measured|run|tested|tried|climbed|met|seen)\b"
    r"|\b(timed|certified|run|tested|tried|climbed) [^.]*\b(never|not yet|on CPUs only)\b"
    r"|\bmet no real one\b",
    re.IGNORECASE,
)
GPU = re.compile(r"\b(GPUs?|CUDA|H200|cuda:N|TF32)\b", re.IGNORECASE)
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight")


def sentences(text: str) -> Iterator[str]:
    """Yield sentences, and complete rows of tables, whose first cells name their subject."""
    for line in re.split(r"\n\s*\n|\n(?=\s*[-|#])", text):
        if line.lstrip().startswith("|"):
            yield line
        else:
            yield from re.split(r"(?<=[.!?])\s+", " ".join(line.split()))


def gpu_denials(text: str) -> list[str]:
    """Return sentences that deny GPU trials, unless they name what the records really lack."""
    facts = gpu.facts()
    lacking = [
        *facts.missing_backends, *facts.untimed_modes, "verdict", "CUDA graph", "planted bug",
    ]  # fmt: skip
    return [
        sentence
        for sentence in sentences(text)
        if GPU.search(sentence)
        and NEVER.search(sentence)
        and not any(name.lower() in sentence.lower() for name in lacking)
    ]


def python_denials(text: str) -> list[str]:
    """Return sentences that deny a Python version in which a published trial ended well."""
    versions = {".".join(record.environment.python.split(".")[:2]) for record, _ in good_records()}
    return [
        sentence
        for sentence in sentences(text)
        if any(re.search(rf"\b{re.escape(version)}\b", sentence) for version in versions)
        and re.search(r"\b(not yet|never) (run|tried|tested)|untested|untried", sentence)
    ]


def lanes() -> list[str]:
    """Return the names of the timed lanes; the canary is a check."""
    return [name for name in LanesModel.model_fields if name != "canary"]


def lane_denials(text: str) -> list[str]:
    """Return phrases with another number of lanes than the record has."""
    phrases = re.findall(rf"\b(?:{'|'.join(NUMBERS)}) \W*lanes\b", text)
    return [phrase for phrase in phrases if not phrase.startswith(NUMBERS[len(lanes()) - 1])]


@cache
def compiled_distributions() -> set[str]:
    """Return the distributions with compiled code among all that samestep needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(line) for line in project["dependencies"]]
    has_code: dict[str, bool] = {}
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        marker = requirement.marker
        if name in has_code or (marker and not marker.evaluate({"extra": ""})):
            continue
        installed = distribution(requirement.name)
        has_code[name] = any(file.suffix in {".so", ".pyd"} for file in installed.files or ())
        waiting += [Requirement(line) for line in installed.requires or ()]
    return {name for name in has_code if has_code[name]}


def missing_distributions(text: str) -> set[str]:
    """Return the distributions with compiled code that a text does not name."""
    return {name for name in compiled_distributions() if name not in text.lower()}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_no_page_denies_trials_that_were_run(path):
    text = re.sub(r"^# ?", "", path.read_text(encoding="utf-8"), flags=re.M)
    assert gpu_denials(text) == []
    assert python_denials(text) == []
    assert lane_denials(text) == []


@pytest.mark.parametrize(
    "denial",
    [
        "nothing is certified or timed on a\nGPU yet.",
        "Gates and measuring have been tested on CPUs only; nothing is timed on a GPU yet.",
        "| Linux with an NVIDIA GPU | built for (`cuda:N`), not yet run |",
        "`tf32` has a quarter of these: a rule, not a measurement; no GPU has climbed them yet.",
        "the power lane and TF32 have met no real one.",
    ],
)
def test_a_page_that_denies_the_gpu_is_found(denial):
    assert len(gpu_denials(f"A sentence before.\n\n{denial}\n\nA sentence after.")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "A captured CUDA graph has never been timed.",
        "`keras-tensorflow` has never run on a GPU.",
        "12 trials were timed on a GPU.",
    ],
)
def test_a_true_denial_is_allowed(text):
    assert gpu_denials(text) == []


def test_a_page_that_denies_a_python_version_is_found():
    assert python_denials("| Linux x86-64, Python 3.12 and 3.13 | allowed, not yet run |")
    assert not python_denials("| Linux x86-64, Python 3.13 | allowed, not yet run |")


def test_a_wrong_number_of_lanes_is_found():
    assert lane_denials("It times four lanes: `step`.") == ["four lanes"]
    assert lane_denials("It times five lanes, as the record has.") == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "docs/measuring.md"])
def test_pages_name_every_lane(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert [lane for lane in lanes() if f"`{lane}`" not in text and f"**{lane}**" not in text] == []


def test_every_dependency_with_compiled_code_is_named():
    assert "numpy" in compiled_distributions()
    assert (
        missing_distributions((ROOT / "docs" / "on-a-gpu.md").read_text(encoding="utf-8")) == set()
    )
    assert "psutil" in missing_distributions(
        "pure Python but for NumPy, SciPy, pydantic and Matplotlib"
    )


@pytest.mark.parametrize("path", gpu.PAGES, ids=lambda path: path.name)
def test_statements_about_gpus_are_those_of_the_records(path):
    text = path.read_text(encoding="utf-8")
    assert gpu.page(text) == text, "run `python -m scripts.pages.gpu`"


def test_margins_of_tf32_are_those_of_the_records():
    text = tf32.PAGE.read_text(encoding="utf-8")
    assert tf32.page(text) == text, "run `python -m scripts.pages.tf32`"
    margins = {(row[0], row[1], row[4]): row[6] for row in tf32.rows()}
    assert margins["gradient", "cnn", "keras-torch"] == "1.3x"


def test_certificates_without_trials_are_called_not_timed():
    rows = {tuple(row[:4]): row[4:6] for row in verified.rows()}
    assert rows["pytorch", "default", "tf32", "NVIDIA GPU"] == [
        "2 (mlp-512-256 1, cnn 1)",
        "not timed",
    ]


def test_a_page_without_its_marks_is_not_filled():
    assert marked.fill("a <b> old <e> z", "<b>", "<e>", "new") == "a <b>\n\nnew\n\n<e> z"
    for broken in ("no marks", "<b> never closed", "<b> one <e> <b> two <e>"):
        with pytest.raises(ValueError, match="Expected: 1 times <b>"):
            marked.fill(broken, "<b>", "<e>", "new")
