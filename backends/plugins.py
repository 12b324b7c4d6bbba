"""Backends of other packages, read from the entry-point group `samestep.backends`.

An entry point's name is the backend's name; its value, such as `samestep_flax:PLACE`, is a
`backends.Place`. Loading it imports a package of the plug-in into a process that has no framework.
An invalid plug-in is reported on standard error and left out: the other backends still run.
"""

import re
import sys
from dataclasses import replace
from importlib import metadata

from backends import BACKENDS, Place
from bench.errors import one_line

GROUP = "samestep.backends"
# a backend's name is part of file names, and `--backend all` means every backend
NAME = re.compile(r"(?!all$)[a-z0-9]+(-[a-z0-9]+)*")


class PluginError(Exception):
    """An invalid plug-in: what was expected, what was received, what to do."""


def plugins() -> dict[str, Place]:
    """Return the places of valid plug-ins by name; report the others on standard error."""
    places: dict[str, Place] = {}
    for point in metadata.entry_points(group=GROUP):
        try:
            require_free(point.name, places)
            places[point.name] = load_place(point)
        except PluginError as error:
            print(
                f"samestep: the backend {point.name!r} of {distribution_of(point)} is left out: "
                f"{error}, or uninstall {distribution_of(point)}",
                file=sys.stderr,
            )
    return places


def require_free(name: str, places: dict[str, Place]) -> None:
    """Raise `PluginError` if the name is not valid, or is another backend's."""
    if NAME.fullmatch(name) is None:
        raise PluginError(
            "its name can't be part of a file name. Expected: lower-case words and numbers joined "
            f"by hyphens, and not 'all'. Received: {name!r}. Rename its entry point"
        )
    owner = {**BACKENDS, **places}.get(name)
    if owner is not None:
        raise PluginError(
            "its name is taken. Expected: a name of its own. Received: the name of a backend of "
            f"{owner.distribution}. Rename its entry point"
        )


def load_place(point: metadata.EntryPoint) -> Place:
    """Return the plug-in's place with its distribution. Raises `PluginError`."""
    try:
        place = point.load()
    # the module is not ours: importing it may raise anything, or exit
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{point.value} does not load. Expected: a backends.Place, in a module that imports "
            f"no framework. Received: {one_line(error)}. Mend it"
        ) from error
    if not isinstance(place, Place):
        raise PluginError(
            f"{point.value} is no place. Expected: a backends.Place. "
            f"Received: {type(place).__name__}. Mend it"
        )
    return replace(place, distribution=distribution_of(point))


def distribution_of(point: metadata.EntryPoint) -> str:
    """Return the name of the entry point's package."""
    # None if the entry point was constructed by hand
    return point.dist.name if point.dist is not None else "an unknown distribution"
