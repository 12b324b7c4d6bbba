"""Quote the headlines of published reports, word for word, in the README.

`python -m scripts.pages.readme` writes them into README.md.
"""

from collections.abc import Iterator

from scripts.pages import marked

PAGE = marked.ROOT / "README.md"
PUBLISHED = "reports/published"
# the newest runs that time all backends in the default mode, and compare their accuracies
QUOTED = ("2026-11-25-amd-epyc-2-cores", "2026-11-27-amd-epyc-2-cores-ten-seeds")


def quotations() -> Iterator[str]:
    """Yield each report's card, if it has one, its title and headline, and a link to it."""
    for name in QUOTED:
        report = marked.ROOT / PUBLISHED / name / "report.md"
        title, *blocks = report.read_text(encoding="utf-8").split("\n\n")
        headline = next(block for block in blocks if not block.startswith((">", "Baseline: ")))
        for block in blocks:
            if block.startswith("<picture>"):
                yield block.replace("figures/card", f"{PUBLISHED}/{name}/figures/card")
        yield f"**{title.removeprefix('# ')}.** {headline} [Report]({PUBLISHED}/{name}/report.md)"


def page(text: str) -> str:
    """Return the page with its quotations read from the reports."""
    return marked.fill(text, *marked.marks("readme"), "\n\n".join(quotations()))


if __name__ == "__main__":
    marked.write(PAGE, page)
