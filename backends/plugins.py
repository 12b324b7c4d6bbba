"""Backends of other packages, found through the entry-point group `samestep.backends`.

An entry point's name is the backend's name; its value, such as `samestep_flax:PLACE`, is a
`backends.Place`. Loading it imports a package of the plug-in into a process that has no framework.
A plug-in that is not as it should be is told on standard error and left out: the others still run.
"""

import re
import sys
from dataclasses import replace
from importlib import metadata

from backends import BACKENDS, Place
from bench.errors import one_line

GROUP = "samestep.backends"
# it becomes a part of file names; and `--backend all` means every one
NAME = re.compile(r"(?!all$)[a-z0-9]+(-[a-z0-9]+)*")


class PluginError(Exception):
    """What is wrong with a plug-in: what was expected, what was received, what to do."""


def plugins() -> dict[str, Place]:
    """The plug-ins that can be used, by name."""
    found: dict[str, Place] = {}
    for point in metadata.entry_points(group=GROUP):
        try:
            require_free(point.name, found)
            found[point.name] = place_of(point)
        except PluginError as error:
            print(
                f"samestep: the backend {point.name!r} of {distribution_of(point)} is left out: "
                f"{error}, or uninstall {distribution_of(point)}",
                file=sys.stderr,
            )
    return found


def require_free(name: str, found: dict[str, Place]) -> None:
    """Raise `PluginError` for a name that can't be one, or is another's."""
    if NAME.fullmatch(name) is None:
        raise PluginError(
            "its name can't be part of a file name. Expected: lower-case words and numbers joined "
            f"by hyphens, and not 'all'. Received: {name!r}. Rename its entry point"
        )
    taken = {**BACKENDS, **found}.get(name)
    if taken is not None:
        raise PluginError(
            "its name is taken. Expected: a name of its own. Received: the name of a backend of "
            f"{taken.distribution}. Rename its entry point"
        )


def place_of(point: metadata.EntryPoint) -> Place:
    """The plug-in's place, with the distribution that brought it. Raises `PluginError`."""
    try:
        found = point.load()
    # whatever another's module does when it is imported
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{point.value} does not load. Expected: a backends.Place, in a module that imports "
            f"no framework. Received: {one_line(error)}. Mend it"
        ) from error
    if not isinstance(found, Place):
        raise PluginError(
            f"{point.value} is no place. Expected: a backends.Place. "
            f"Received: {type(found).__name__}. Mend it"
        )
    return replace(found, distribution=distribution_of(point))


def distribution_of(point: metadata.EntryPoint) -> str:
    # without one where somebody made it by hand
    return point.dist.name if point.dist is not None else "an unknown distribution"
