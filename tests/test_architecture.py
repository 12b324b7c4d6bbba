"""docs/architecture.md draws the tree as it is, and paths that pages name exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]
PAGES += sorted((ROOT / "docs").glob("*.md"))
OURS = "bench|backends|reports|docs|tests|scripts|examples|constraints"


def drawn(text: str) -> set[str]:
    """Return the paths in the page's tree; a folder ends with `/`."""
    (tree,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    found, above = set(), []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[:depth], line.split()[0]]
        found.add("".join(above))
    return found


def rooms() -> set[str]:
    """Return the folders of ours that hold modules, data left out."""
    return {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for package in ("bench", "backends", "reports")
        for path in (ROOT / package).rglob("*.py")
    }


def faults(text: str) -> list[str]:
    """Return rooms that the tree lacks, and paths in it that do not exist."""
    paths = drawn(text)
    return sorted(rooms() - paths) + sorted(path for path in paths if not (ROOT / path).exists())


def dead_paths(text: str) -> list[str]:
    """Return the paths in backticks that do not exist in the repository."""
    named = re.findall(rf"`((?:{OURS})/[\w./*-]*)`", text)
    return [path for path in named if not list(ROOT.glob(path.rstrip("/")))]


def dead_links(text: str, folder: Path) -> list[str]:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text)
    return [link for link in links if not (folder / link).exists()]


def test_the_tree_is_drawn_as_it_is():
    assert faults(PAGE.read_text(encoding="utf-8")) == []


def test_a_wrong_tree_is_found():
    text = PAGE.read_text(encoding="utf-8")
    assert faults(text.replace("  mnist/ ", "  minst/ ")) == ["bench/mnist/", "bench/minst/"]
    assert faults(text.replace("    gates.py", "    gate.py ")) == ["bench/parity/gate.py"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_paths_and_links_of_a_page_exist(path):
    text = path.read_text(encoding="utf-8")
    assert dead_paths(text) == []
    assert dead_links(text, path.parent) == []


def test_a_dead_path_and_a_dead_link_are_found():
    assert dead_paths("see `bench/measure/` and `bench/run/`") == ["bench/measure/"]
    assert dead_links("[a](nowhere.md) [b](parity.md#tf32)", ROOT / "docs") == ["nowhere.md"]
