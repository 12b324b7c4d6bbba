"""GitHub's workflows: what they run can't change under us, and may do no more than it must."""

import re
from pathlib import Path

import pytest

WORKFLOWS = sorted((Path(__file__).resolve().parent.parent / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_pinned_by_hash_and_may_read_alone(path):
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"^ *-? *uses: (.+)$", text, re.MULTILINE)
    assert used
    assert [one for one in used if not PINNED.match(one)] == []
    assert text.count("permissions:") == 1
    assert "\npermissions:\n  contents: read\n" in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")
    # a pull request of a stranger would run with our secrets
    assert "pull_request_target" not in text


def test_there_are_workflows():
    assert [path.stem for path in WORKFLOWS] == ["ci", "newest"]
