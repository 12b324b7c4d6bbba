"""What differs between two texts, by line."""

import time

import pytest

from reports.publishing.differences import ABSENT, text_differences, unequal_lines

LINES = [f"line {number}" for number in range(1, 401)]


def test_equal_texts_have_no_difference():
    assert list(text_differences("a", "one\ntwo", "one\ntwo")) == []
    (one,) = text_differences("a", "one", None)
    assert (one.expected, one.found) == ("a file", ABSENT)


def test_an_inserted_line_is_one_difference_and_the_lines_after_it_are_none():
    found = [*LINES[:10], "new", *LINES[10:]]
    assert list(unequal_lines(LINES, found)) == [(11, "", "new")]
    (one,) = text_differences("a", "\n".join(LINES), "\n".join(found))
    assert (one.where, one.expected, one.found) == ("line 11", "", "new")


def test_a_missing_line_is_one_difference_too():
    assert list(unequal_lines(LINES, [*LINES[:10], *LINES[11:]])) == [(11, "line 11", "")]


def test_a_changed_line_is_shown_beside_what_it_should_be():
    found = [*LINES[:10], "line 12", *LINES[11:]]
    assert list(unequal_lines(LINES, found)) == [(11, "line 11", "line 12")]


@pytest.mark.parametrize("found", ["a\n\nb", "a\nb\n", "\na\nb"])
def test_an_empty_line_more_is_a_difference(found):
    assert len(list(text_differences("a", "a\nb", found))) == 1


def test_frequent_lines_are_compared_one_by_one_and_quickly():
    many = ["0"] * 300_000
    started = time.process_time()
    assert list(unequal_lines(many, [*many[:5], "1", *many[6:]])) == [(6, "0", "1")]
    assert time.process_time() - started < 20
