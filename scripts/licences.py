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
    metadata = package.metadata
    classifiers = [
        classifier
        for classifier in metadata.get_all("Classifier") or []
        if classifier.startswith(CLASSIFIER)
    ]
    return (
        metadata.get("License-Expression")
        or " AND ".join(classifier.removeprefix(CLASSIFIER) for classifier in classifiers)
        or metadata.get("License")
        or READ.get(package.name.lower().replace("_", "-"), "")
    )


def is_allowed(expression: str) -> bool:
    """Return whether every part joined by AND has an alternative, joined by OR, that is allowed.

    Brackets are not supported: an expression with brackets is not allowed.
    """
    return all(
        any(alternative.strip() in ALLOWED for alternative in part.split(" OR "))
        for part in expression.split(" AND ")
    )


def list_refused(packages: Iterable[Distribution]) -> Iterator[str]:
    """List the packages whose licence is not allowed, each with its licence."""
    for package in packages:
        expression = licence(package)
        if not is_allowed(expression):
            licences = expression.strip()[:80] or "tells no licence"
            yield f"{package.name} {package.version}: {licences}"


def main() -> int:
    packages = list(distributions())
    lines = sorted(set(list_refused(packages)))
    print(
        f"{sys.prefix}: {len(packages)} packages, {len(lines)} with a licence that is not allowed"
    )
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
