"""Where a backend is found, as strings, so that nothing of it is imported outside a worker."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

OURS = "samestep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A backend's adapter module, its environment, and the package that brings it.

    `variables` are set for its workers. `cache_variable` names the variable that holds the folder
    of its compile cache; None if it has no such cache.
    """

    adapter: str
    environment: str
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cache_variable: str | None = None
    distribution: str = OURS
