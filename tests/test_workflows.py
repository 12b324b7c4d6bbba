"""GitHub's workflows run pinned actions, with as few permissions as possible."""

import re
from pathlib import Path

import pytest

WORKFLOWS = sorted((Path(__file__).resolve().parent.parent / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_is_pinned_by_hash_and_may_only_read(path):
    text = path.read_text(encoding="utf-8")
    actions = re.findall(r"^ *-? *uses: (.+)$", text, re.MULTILINE)
    assert actions
    assert [action for action in actions if not PINNED.match(action)] == []
    assert text.count("permissions:") == 1
    assert "\npermissions:\n  contents: read\n" in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@")
    # a pull request of another person would run with our secrets
    assert "pull_request_target" not in text


def test_all_workflows_are_known():
    assert [path.stem for path in WORKFLOWS] == ["ci", "newest"]
