"""Remove home folders, names of users and hosts, and UUIDs of GPUs from a run's texts.

A run stores its host as a hash, but reasons and variables may quote names and paths.
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

# keys that link a run and its records; their values are never texts, and must not change
IDENTIFIERS = frozenset(
    {
        *("trial", "trials", "run_id", "sha256", "certificate_sha256", "host_sha256"),
        *("status", "profile", "cell", "created", "started"),
    }
)
# names of users and hosts that are also words of records, or that thousands of machines have
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


def local_replacements() -> list[Replacement]:
    """Return the replacements for the current user on this machine."""
    user = ""
    # a user in a container may have no name
    with contextlib.suppress(KeyError, OSError):
        user = getpass.getuser()
    return replacements(os.environ.get("HOME", ""), user, platform.node())


def replacements(home: str, user: str, host: str) -> list[Replacement]:
    """Return the replacements in the order in which they apply.

    A home folder comes before the user's name, which may be a part of its path.
    """
    hosts = [host, host.partition(".")[0]]
    own_home = home_pattern(home)
    return [
        (GPU_UUID, "[gpu]"),
        *([] if own_home is None else [(own_home, "~")]),
        (HOMES, "~"),
        *name_replacements([user], "[user]"),
        *name_replacements(hosts, "[host]"),
    ]


def name_replacements(names: Sequence[str], substitute: str) -> Iterator[Replacement]:
    """Yield replacements of whole words in any case; short and ordinary names identify nothing."""
    for name in names:
        if len(name) >= SHORTEST_NAME and name.lower() not in ORDINARY:
            yield re.compile(rf"(?<!\w){re.escape(name)}(?!\w)", re.IGNORECASE), substitute


@dataclass(kw_only=True)
class Redactor:
    """Replaces names in JSON documents, and counts the texts that it changed."""

    replacements: Sequence[Replacement]
    replaced: int = 0

    def document(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document with names replaced in all texts except identifiers."""
        return {
            key: part if key in IDENTIFIERS else self._part(part) for key, part in value.items()
        }

    def _part(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self._part(item) for item in value]
        return self.document(value) if isinstance(value, dict) else value

    def _text(self, text: str) -> str:
        clean = text
        for pattern, substitute in self.replacements:
            clean = pattern.sub(substitute, clean)
        self.replaced += clean != text
        return clean
