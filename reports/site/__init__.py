"""A static site of the published runs: an index, one page per report, comparisons of two runs.

It is written into the directory of the runs and shows their figures by relative links. So the
directory works from a disk and on any host of static files. The same runs give the same bytes.
"""

from pathlib import Path

from bench.files import write_atomically
from reports.site.pages import compare_page, index_page, report_page
from reports.site.runs import html_name, read_all, report_pages

INDEX = "index.html"


def write_site(directory: Path) -> Path:
    """Write the site of the runs in the sub-folders of `directory`; return the path of its index.

    The Markdown of every report is used unchanged. Raises `RecordError` for a damaged run or one
    without a report, `UsageError` if there is no run, `WriteError` if a file can't be written.
    """
    runs = read_all(directory)
    for run in runs:
        folder = directory / run.name
        for page in report_pages(folder):
            write_atomically(folder / html_name(page), report_page(run, page).encode())
    write_atomically(directory / "compare.html", compare_page(runs, directory).encode())
    # last, because the index links to all other pages
    write_atomically(directory / INDEX, index_page(runs).encode())
    return directory / INDEX
