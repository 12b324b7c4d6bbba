"""The option `--versus`: a backend with another Python, in the same rounds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from backends import all_backends
from bench.cli.options import find_python
from bench.errors import UsageError
from bench.spec import require

if TYPE_CHECKING:
    from bench.record.run import RunModel
    from bench.run.request import Request

USAGE = "NAME=BACKEND:PYTHON"
# a name is part of file names, and stands where names of backends do
NAME = re.compile(r"(?!all$)[a-z0-9]+([.-][a-z0-9]+)*")
LONGEST_NAME = 40

Versus = Annotated[
    list[str] | None,
    typer.Option(
        "--versus",
        help="Measure a backend with another Python too, under a name of its own: another "
        "version, another build.",
        metavar=USAGE,
    ),
]


@dataclass(frozen=True, kw_only=True)
class OtherEnvironment:
    """A backend with another Python, measured under a name of its own."""

    name: str
    backend: str
    python: str


def select_environments(texts: Iterable[str]) -> tuple[OtherEnvironment, ...]:
    """Return the environments that the values of `--versus` name.

    Raises `UsageError` for an unknown backend, a Python that does not exist, and a name that is
    taken or can't be part of a file name.
    """
    environments = tuple(map(parse, texts))
    names = [each.name for each in environments]
    for name in names:
        require(
            names.count(name) == 1, f"--versus {USAGE}", expected="each name once", received=name
        )
    return environments


def parse(text: str) -> OtherEnvironment:
    """Return the environment of one value."""
    name, _, rest = text.partition("=")
    backend, _, path = rest.partition(":")
    known = all_backends()
    require(
        NAME.fullmatch(name) is not None and len(name) <= LONGEST_NAME and name not in known,
        f"the name in --versus {USAGE}",
        expected="lower-case words and numbers joined by . or -, and not the name of a backend",
        received=text,
    )
    require(
        backend in known,
        f"the backend in --versus {USAGE}",
        expected=", ".join(known),
        received=text,
    )
    return OtherEnvironment(name=name, backend=backend, python=find_python(name, path))


def add_environments(
    request: "Request", environments: Iterable[OtherEnvironment], *, chosen: bool
) -> "Request":
    """Return the request with these environments; each backend of theirs is measured too.

    Unless backends were `chosen`, no other backends are measured.
    """
    others = tuple(environments)
    if not others:
        return request
    return replace(
        request,
        backends=tuple(
            dict.fromkeys([
                *(request.backends if chosen else ()),
                *(other.backend for other in others),
                *(other.name for other in others),
            ])
        ),
        interpreters={**request.interpreters, **{other.name: other.python for other in others}},
        versus={other.name: other.backend for other in others},
    )  # fmt: skip


def require_environments(run: "RunModel", environments: Iterable[OtherEnvironment]) -> None:
    """Raise `UsageError` unless these are the environments of a run that is resumed."""
    given = {other.name: other.backend for other in environments}
    if given != run.versus:
        received = ", ".join(f"{name}={backend}" for name, backend in given.items())
        wanted = " ".join(f"--versus {name}={base}:PYTHON" for name, base in run.versus.items())
        raise UsageError(
            "a resumed run needs the environments that it was started with. "
            f"Expected: {wanted or 'no --versus'}. Received: {received or 'no --versus'}"
        )
