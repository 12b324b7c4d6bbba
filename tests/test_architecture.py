"""docs/architecture.md shows the real tree, and the paths and links of pages exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PAGES = [
    page
    for pattern in ("*.md", "docs/*.md", "examples/**/*.md")
    for page in sorted(ROOT.glob(pattern))
]
OURS = "bench|backends|reports|docs|tests|scripts|examples|constraints"


def tree_paths(text: str) -> set[str]:
    """Return the paths in the page's tree; a folder ends with `/`."""
    (tree,) = re.findall(r"```text\n(.*?)```", text, re.DOTALL)
    paths, above = set(), []
    for line in tree.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        above = [*above[:depth], line.split()[0]]
        paths.add("".join(above))
    return paths


def rooms() -> set[str]:
    """Return our folders that contain modules; folders of data are left out."""
    return {
        f"{path.parent.relative_to(ROOT).as_posix()}/"
        for package in ("bench", "backends", "reports")
        for path in (ROOT / package).rglob("*.py")
    }


def faults(text: str) -> list[str]:
    """Return rooms that the tree lacks, and paths in it that do not exist."""
    paths = tree_paths(text)
    return sorted(rooms() - paths) + sorted(path for path in paths if not (ROOT / path).exists())


def dead_paths(text: str) -> list[str]:
    """Return the paths, also those in commands, that do not exist in the repository."""
    names = re.findall(rf"(?<!formerly `)(?<![\w./-])((?:{OURS})/[\w./*-]*[\w*])", text)
    return [path for path in names if not list(ROOT.glob(path))]


def dead_modules(text: str) -> list[str]:
    """Return the modules of `python -m MODULE` that do not exist in the repository."""
    names = re.findall(rf"python -m ((?:{OURS})\b[\w.]*)", text)
    paths = {name: ROOT / name.replace(".", "/") for name in names}
    return [
        name
        for name, path in paths.items()
        if not (path.with_suffix(".py").exists() or (path / "__main__.py").exists())
    ]


def dead_links(text: str, page: Path) -> list[str]:
    """Return the links to files that do not exist, or to headings that their page lacks."""
    links = re.findall(r"\]\(([^)#:\s]*)(?:#([^)]*))?\)", text)
    return [
        f"{link}#{anchor}" if anchor else link
        for link, anchor in links
        if not is_alive(page.parent / link if link else page, anchor)
    ]


def is_alive(target: Path, anchor: str) -> bool:
    if not anchor:
        return target.exists()
    return target.exists() and anchor in anchors(target.read_text(encoding="utf-8"))


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


def test_the_tree_of_the_page_is_the_real_tree():
    assert faults(PAGE.read_text(encoding="utf-8")) == []


def test_a_wrong_tree_is_found():
    text = PAGE.read_text(encoding="utf-8")
    assert faults(text.replace("  mnist/ ", "  minst/ ")) == ["bench/mnist/", "bench/minst/"]
    assert faults(text.replace("    gates.py", "    gate.py ")) == ["bench/parity/gate.py"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_paths_modules_and_links_of_a_page_exist(path):
    text = path.read_text(encoding="utf-8")
    assert dead_paths(text) == []
    assert dead_modules(text) == []
    assert dead_links(text, path) == []


def test_a_dead_path_and_a_dead_link_are_found():
    assert dead_paths("see `bench/measure/` and `bench/run/`") == ["bench/measure"]
    assert dead_paths("run `pytest tests/test_spec.py -q`.") == ["tests/test_spec.py"]
    assert dead_paths("`bench/record/record.py`, formerly `bench/whole.py`") == []
    assert dead_modules("`python -m bench.record > x`, `python -m bench`") == []
    assert dead_modules("`python -m scripts.pages.nothing`") == ["scripts.pages.nothing"]
    links = "[a](nowhere.md) [b](parity.md#tf32) [c](parity.md#tf33) [d](#the-rooms)"
    assert dead_links(links, PAGE) == ["nowhere.md", "parity.md#tf33"]
