"""Text from records stays text, and numbers show what is known of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bench.stats import Estimate
from reports.text import (
    LONGEST_TEXT,
    alternatives,
    escape,
    estimate,
    figure,
    file_name,
    number,
    picture,
    points,
    table,
)

MARKUP = st.text(alphabet="ab_*`|\\<>&#$@~[]()!:/w. \n\t\x00é", max_size=40)


PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def shown(markdown: str) -> tuple[str, set[str]]:
    """What a table's only cell shows, and the kinds of what it is made of."""
    tokens = PARSER.parse(f"| h |\n|---|\n| x{markdown}x |\n")
    (cell,) = [t for t in tokens if t.type == "inline" and t.content != "h"]
    return "".join(c.content for c in cell.children), {c.type for c in cell.children}


@given(MARKUP | st.text(max_size=40))
def test_escaped_text_is_shown_as_it_is(text):
    printable = "".join(c if c.isprintable() else " " for c in text)
    content, kinds = shown(escape(text))
    assert content == f"x{' '.join(printable.split())}x"
    assert kinds <= {"text"}


@pytest.mark.parametrize("text", ["see https://example.org", "www.example.org", "ask @octocat"])
def test_nothing_that_github_links(text):
    assert not {"://", "www.", "@o"} & {p for p in ("://", "www.", "@o") if p in escape(text)}


def test_names_stay_readable():
    name = "Intel(R) Xeon(R) @ 2.20GHz, no_steady_state, mlp-512-256"
    assert escape(name) == name


def test_long_text_is_cut():
    assert len(escape("a" * 10_000)) == LONGEST_TEXT


@pytest.mark.parametrize(
    ("value", "low", "high", "expected"),
    [
        (3.3071, 3.2512, 3.4013, "3.31 [3.25,\u00a03.40]"),
        (3.3071, None, None, "3.31"),
        (3.3071, 2.1, 5.2, "3.3 [2.1,\u00a05.2]"),
        (38_712.0, 38_600.0, 38_900.0, "38,700 [38,600,\u00a038,900]"),
        (0.0, -1.5, 1.4, "0.0 [-1.5,\u00a01.4]"),
        (-0.4, -9.0, 8.0, "-0.4 [-9.0,\u00a08.0]"),
    ],
)
def test_an_estimate_shows_as_much_as_its_interval_allows(value, low, high, expected):
    assert estimate(Estimate(value=value, low=low, high=high, n=10)) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, "0.00"), (1234.5, "1,230"), (0.01234, "0.0123"), (None, "–")]  # noqa: RUF001
)  # fmt: skip
def test_a_number_has_three_figures(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize(
    ("difference", "expected"), [(0.0005, "+0.05"), (-0.0123, "-1.23"), (-0.00001, "0.00")]
)
def test_points_are_signed(difference, expected):
    assert points(difference) == expected


def test_tables_keep_cells_as_they_are():
    text = table(["name", "count"], [["a", "535,818"], ["0.10", "1e5"]], "count")
    assert text.splitlines()[1].endswith(":|")
    assert "535,818" in text
    assert "0.10" in text
    assert "1e5" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [("cuda:0", "cuda-0"), ("../../x", "-..-x"), ("a b)", "a-b-"), ("..", "unnamed")],
)
def test_file_names_are_plain(text, expected):
    assert file_name(text) == expected


def test_a_picture_has_a_variant_for_dark_pages():
    assert picture('a 2x <b> & "c"', "light.svg", "dark.svg").splitlines() == [
        "<picture>",
        '<source media="(prefers-color-scheme: dark)" srcset="figures/dark.svg">',
        '<img alt="a 2x &lt;b&gt; &amp; &quot;c&quot;" src="figures/light.svg">',
        "</picture>",
    ]


@given(MARKUP | st.text(max_size=40))
def test_alternatives_are_read_back(words):
    plain = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    text = f"{figure(words, 'a.png')}\n\n{picture(words, 'light.svg', 'dark.svg')}\n"
    read = alternatives(text)
    assert read["figures/light.svg"] == read["figures/dark.svg"] == plain
    assert read["figures/a.png"] == plain
