"""Where a backend lives, as strings, so that nothing of it is imported before a worker does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

OURS = "samestep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    adapter: str
    environment: str
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cache_variable: str | None = None
    distribution: str = OURS
