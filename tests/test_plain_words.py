"""Pages keep the rules for words in CONTRIBUTING.md: no avoided word, and short sentences."""

import re
from collections.abc import Iterator

import pytest

from tests.test_architecture import PAGES, ROOT

MOST_WORDS = 29
# the makers of these parts quote reports and records
MADE = re.compile(r"<!-- [^>]*made by .*?<!-- end of .*?-->", re.DOTALL)
CODE = re.compile(r"```.*?```", re.DOTALL)
QUOTED = re.compile(r'"[^"\n]*"|`[^`]*`')
ADDRESS = re.compile(r"\]\([^)]*\)")


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


def faults(text: str) -> list[str]:
    """Return the sentences with an avoided word or with too many words."""
    words = re.compile(rf"\b({'|'.join(map(re.escape, avoided()))})\b", re.IGNORECASE)
    return [
        sentence
        for sentence in sentences(text)
        if words.search(QUOTED.sub("", sentence))
        or len(re.findall(r"\S*\w\S*", ADDRESS.sub("]", sentence))) > MOST_WORDS
    ]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_page_is_in_plain_words(path):
    assert faults(path.read_text(encoding="utf-8")) == []


def test_an_avoided_word_and_a_long_sentence_are_found():
    assert "whoever" in avoided()
    assert faults("The order is drawn anew. This is fine.") == ["The order is drawn anew."]
    assert faults('Avoid "anew".\n\n```sh\nnobody\n```\n') == []
    assert faults(f"{'word ' * MOST_WORDS}.") == []
    assert len(faults(f"- {'word ' * (MOST_WORDS + 1)}.\n- short")) == 1
