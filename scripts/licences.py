"""Hold the licence of every package in an environment against those that this project may use.

Run by the environment's own Python; the standard library is all that it needs. Exits with 1 where
a package has another licence, or tells none.
"""

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions

# what is used and passed on freely; MPL's files are used as they are, and NVIDIA's come to whoever
# installs a CUDA build, never with this project
ALLOWED = frozenset(
    {
        *("0BSD", "AFL-2.1", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause"),
        *("BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0"),
        *("Zlib", "LicenseRef-NVIDIA-Proprietary"),
        # MNIST, which lies inside our own package
        "CC-BY-SA-3.0",
        # older packages have words, not identifiers: a classifier's, or their own
        *("Apache Software License", "Apache License 2.0", "BSD License", "BSD", "MIT License"),
        *("ISC License (ISCL)", "Mozilla Public License 2.0 (MPL 2.0)", "3-Clause BSD License"),
        *("Python Software Foundation License", "NVIDIA Proprietary Software"),
    }
)
# their metadata say nothing: as their LICENSE file has it, and NVIDIA's package of packages
READ = {"namex": "Apache-2.0", "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary"}
CLASSIFIER = "License :: OSI Approved :: "


def licence(package: Distribution) -> str:
    """As an expression of identifiers or words, joined by AND and OR; empty where none is told."""
    said = package.metadata
    classifiers = [one for one in said.get_all("Classifier") or [] if one.startswith(CLASSIFIER)]
    return (
        said.get("License-Expression")
        or " AND ".join(one.removeprefix(CLASSIFIER) for one in classifiers)
        or said.get("License")
        or READ.get(package.name.lower().replace("_", "-"), "")
    )


def is_allowed(expression: str) -> bool:
    """Whether all of its parts are, of alternatives one; of brackets nothing is understood."""
    return all(
        any(one.strip() in ALLOWED for one in part.split(" OR "))
        for part in expression.split(" AND ")
    )


def refused(packages: Iterable[Distribution]) -> Iterator[str]:
    for package in packages:
        told = licence(package)
        if not is_allowed(told):
            yield f"{package.name} {package.version}: {told.strip()[:80] or 'tells no licence'}"


def main() -> int:
    packages = list(distributions())
    found = sorted(set(refused(packages)))
    print(
        f"{sys.prefix}: {len(packages)} packages, {len(found)} with a licence that is not allowed"
    )
    for one in found:
        print(one)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
