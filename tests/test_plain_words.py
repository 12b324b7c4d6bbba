"""Pages, docstrings, comments and names of functions have no word that CONTRIBUTING.md avoids."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_architecture import PAGES, ROOT

MOST_WORDS = 29
# the programs that make these parts quote reports and records
MADE = re.compile(r"<!-- [^>]*made by .*?<!-- end of .*?-->", re.DOTALL)
CODE = re.compile(r"```.*?```", re.DOTALL)
QUOTED = re.compile(r'"[^"\n]*"|`[^`]*`')
ADDRESS = re.compile(r"\]\([^)]*\)")

SOURCES = ["bench", "backends", "reports", "scripts", "tests", "noxfile.py"]
# docstrings that stay: each is a description in record.schema.json, whose text never changes
STAY = {"TimingsModel", "StepLane", "GpuUseModel"}


def avoided() -> list[str]:
    """Return the words that CONTRIBUTING.md says to avoid."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^- Avoid (.*)$", text, re.MULTILINE)
    return re.findall(r'"([^"]+)"', line)


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of paragraphs, items and cells; code and made parts are left out."""
    prose = CODE.sub("", MADE.sub("", text))
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-|#>]|\d+\.))|\|", prose):
        yield from re.split(r"(?<=[.!?:;])\s+", " ".join(block.split()))


def has_avoided(sentence: str) -> bool:
    """Return whether an avoided word stands outside quotation marks."""
    words = "|".join(map(re.escape, avoided()))
    return bool(re.search(rf"\b({words})\b", QUOTED.sub("", sentence), re.IGNORECASE))


def faults(text: str) -> list[str]:
    """Return the sentences with an avoided word or with too many words."""
    return [
        sentence
        for sentence in sentences(text)
        if has_avoided(sentence)
        or len(re.findall(r"\S*\w\S*", ADDRESS.sub("]", sentence))) > MOST_WORDS
    ]


def docstrings(source: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the docstring of the module, its classes and its functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield getattr(node, "name", "module"), ast.get_docstring(node) or ""


def functions(source: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each function, and the words of the name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            yield node.name, node.name.replace("_", " ")


def comments(source: str) -> Iterator[tuple[str, str]]:
    """Yield the line number and the text of each comment."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield str(token.start[0]), token.string


def wordings(source: str) -> list[str]:
    """Return the names of docstrings and functions, and the lines of comments, that have hits."""
    texts = [*docstrings(source), *functions(source), *comments(source)]
    return [place for place, text in texts if has_avoided(" ".join(text.split()))]


def modules(name: str) -> list[Path]:
    """Return the modules of a folder, or the module itself."""
    return sorted((ROOT / name).rglob("*.py")) or [ROOT / name]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_is_in_plain_words(path):
    assert faults(path.read_text(encoding="utf-8")) == []


def test_an_avoided_word_and_a_long_sentence_are_found():
    assert "whoever" in avoided()
    assert faults("The order is drawn anew. This is fine.") == ["The order is drawn anew."]
    assert faults('Avoid "anew".\n\n```sh\nnobody\n```\n') == []
    assert faults(f"{'word ' * MOST_WORDS}.") == []
    assert len(faults(f"- {'word ' * (MOST_WORDS + 1)}.\n- short")) == 1


@pytest.mark.parametrize("name", SOURCES)
def test_docstrings_comments_and_names_are_in_plain_words(name):
    hits = {
        f"{path.relative_to(ROOT)}: {place}"
        for path in modules(name)
        for place in wordings(path.read_text(encoding="utf-8"))
    }
    stay = {f"bench/record/measured.py: {model}" for model in STAY} if name == "bench" else set()
    assert hits == stay


def test_the_docstrings_that_stay_are_descriptions_in_the_schema():
    schema = json.loads((ROOT / "bench/record/record.schema.json").read_text(encoding="utf-8"))
    assert all("description" in schema["$defs"][model] for model in STAY)


def test_an_avoided_word_in_a_docstring_a_comment_or_a_name_is_found():
    source = '''"""Nobody."""

class Board:
    """Say what the driver told
    us."""

    def read(self) -> str:
        """Return "anew"."""
        # drawn anew
        return "told"

    def nobody_reads(self) -> None: ...
'''
    assert wordings(source) == ["module", "Board", "nobody_reads", "9"]
