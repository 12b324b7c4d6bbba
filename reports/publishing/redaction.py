"""What a published run does not tell: home folders, names of users and hosts, UUIDs of GPUs.

Hosts are hashed when a run is made. Reasons and variables may still quote them, and paths.
"""

import contextlib
import getpass
import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from bench.record.home_folder import END, home_pattern

Replacement: TypeAlias = tuple[re.Pattern[str], str]

# what a run and its records are put together by: never texts, and not to be touched
IDENTIFIERS = frozenset(
    {
        *("trial", "trials", "run_id", "sha256", "certificate_sha256", "host_sha256"),
        *("status", "profile", "cell", "created", "started"),
    }
)
# such names of users and hosts are words of ours, or those of thousands
ORDINARY = frozenset(
    {
        *("admin", "batch", "cpu", "cuda", "data", "default", "device", "fit", "gpu", "graph"),
        *("guest", "home", "host", "jax", "keras", "linux", "localhost", "machine", "memory"),
        *("model", "none", "numpy", "parity", "python", "pytorch", "root", "run", "runner"),
        *("samestep", "step", "system", "tensorflow", "test", "time", "timing", "torch", "trial"),
        *("ubuntu", "unknown", "unset", "user", "worker"),
    }
)
SHORTEST_NAME = 3
HOMES = re.compile(rf"/(?:home|Users)/[\w.-]+|(?<![\w.~-])/root{END}")
GPU_UUID = re.compile(r"\b(?:GPU|MIG)-[0-9a-f]{4,}(?:-[0-9a-f]+)*\b", re.IGNORECASE)


def of_this_machine() -> list[Replacement]:
    """With the names of whoever publishes, on the machine where that is done."""
    user = ""
    # a user of a container may have no name
    with contextlib.suppress(KeyError, OSError):
        user = getpass.getuser()
    return replacements(os.environ.get("HOME", ""), user, platform.node())


def replacements(home: str, user: str, host: str) -> list[Replacement]:
    """In the order in which they apply: a home folder before the user's name that it may end in."""
    found = [(GPU_UUID, "[gpu]")]
    own = home_pattern(home)
    if own is not None:
        found.append((own, "~"))
    found.append((HOMES, "~"))
    return [*found, *names([user], "[user]"), *names([host, host.partition(".")[0]], "[host]")]


def names(found: Sequence[str], instead: str) -> Iterator[Replacement]:
    """Whole words, in any case; what is short or ordinary tells nothing."""
    for name in found:
        if len(name) >= SHORTEST_NAME and name.lower() not in ORDINARY:
            yield re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE), instead


@dataclass(kw_only=True)
class Redactor:
    """Replaces in JSON documents, and counts the texts that it changed."""

    replacements: Sequence[Replacement]
    replaced: int = 0

    def document(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key: part if key in IDENTIFIERS else self._part(part) for key, part in value.items()
        }

    def _part(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self._part(one) for one in value]
        return self.document(value) if isinstance(value, dict) else value

    def _text(self, text: str) -> str:
        clean = text
        for pattern, instead in self.replacements:
            clean = pattern.sub(instead, clean)
        self.replaced += clean != text
        return clean
