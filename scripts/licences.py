"""Hold the licence of every package in an environment against those that this project may use.

Run it with the environment's own Python. It needs only the standard library, and exits with 1 if a
package has another licence, or none in its metadata.
"""

import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions

# licences that allow use and redistribution; MPL's files are not changed, and NVIDIA's come with a
# CUDA build that a user installs, never with this project
ALLOWED = frozenset(
    {
        *("0BSD", "AFL-2.1", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause"),
        *("BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-CMU", "MPL-2.0", "PSF-2.0"),
        *("Zlib", "LicenseRef-NVIDIA-Proprietary"),
        # MNIST, which is in our own package
        "CC-BY-SA-3.0",
        # older packages name it in words: those of a classifier, or their own
        *("Apache Software License", "Apache License 2.0", "BSD License", "BSD", "MIT License"),
        *("ISC License (ISCL)", "Mozilla Public License 2.0 (MPL 2.0)", "3-Clause BSD License"),
        *("Python Software Foundation License", "NVIDIA Proprietary Software"),
    }
)
# not in their metadata: read in the LICENSE file, and NVIDIA's package that only has dependencies
READ = {"namex": "Apache-2.0", "cuda-toolkit": "LicenseRef-NVIDIA-Proprietary"}
CLASSIFIER = "License :: OSI Approved :: "


def licence(package: Distribution) -> str:
    """Return identifiers or words joined by AND and OR; empty if the metadata have no licence."""
    said = package.metadata
    classifiers = [one for one in said.get_all("Classifier") or [] if one.startswith(CLASSIFIER)]
    return (
        said.get("License-Expression")
        or " AND ".join(one.removeprefix(CLASSIFIER) for one in classifiers)
        or said.get("License")
        or READ.get(package.name.lower().replace("_", "-"), "")
    )


def is_allowed(expression: str) -> bool:
    """Return whether every part joined by AND has an alternative, joined by OR, that is allowed.

    Brackets are not supported: an expression with brackets is not allowed.
    """
    return all(
        any(one.strip() in ALLOWED for one in part.split(" OR "))
        for part in expression.split(" AND ")
    )


def refused(packages: Iterable[Distribution]) -> Iterator[str]:
    for package in packages:
        expression = licence(package)
        if not is_allowed(expression):
            named = expression.strip()[:80] or "tells no licence"
            yield f"{package.name} {package.version}: {named}"


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
