"""A package with a licence that is missing or not allowed is refused."""

from importlib.metadata import Distribution

import pytest

from scripts import licences


class Package(Distribution):
    """A package with these lines of metadata."""

    def __init__(self, *lines: str, name: str = "thing") -> None:
        self._text = "\n".join([f"Name: {name}", "Version: 1.0", *lines, ""])

    def read_text(self, filename):
        return self._text if filename == "METADATA" else None

    def locate_file(self, path):
        raise NotImplementedError


@pytest.mark.parametrize(
    "lines",
    [
        ["License-Expression: MIT"],
        ["License-Expression: BSD-3-Clause AND MIT"],
        ["License-Expression: GPL-3.0-only OR Apache-2.0"],
        ["License-Expression: Apache-2.0 AND Apache-2.0 WITH LLVM-exception"],
        ["License: a whole text", "Classifier: License :: OSI Approved :: BSD License"],
        ["License: Apache-2.0"],
    ],
)
def test_a_package_with_an_allowed_licence_is_not_refused(lines):
    assert list(licences.list_refused([Package(*lines)])) == []


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "tells no licence"),
        (["License: UNKNOWN"], "UNKNOWN"),
        (["License-Expression: GPL-3.0-only"], "GPL-3.0-only"),
        (["License-Expression: MIT AND GPL-3.0-only"], "MIT AND GPL-3.0-only"),
        # an expression that is not understood is not allowed
        (["License-Expression: (MIT OR GPL-3.0-only)"], "(MIT OR GPL-3.0-only)"),
        (["License: MIT", "Classifier: License :: OSI Approved :: GNU General Public License"],
         "GNU General Public License"),
    ],
)  # fmt: skip
def test_a_package_with_another_licence_is_refused(lines, message):
    assert list(licences.list_refused([Package(*lines)])) == [f"thing 1.0: {message}"]


def test_a_licence_that_was_read_by_hand_counts_if_the_package_names_none():
    assert list(licences.list_refused([Package(name="namex")])) == []
    assert list(licences.list_refused([Package("License: GPL-3.0-only", name="namex")])) != []
