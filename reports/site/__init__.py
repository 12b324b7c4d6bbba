"""A static site from the published runs: an index, a page a report, any two runs compared.

It lies beside the runs and shows their figures by relative links, so that the directory works from
a disk and on any host of static files. The same runs give the same bytes.
"""

from pathlib import Path

from bench.files import write_atomically
from reports.site.pages import compare_page, index_page, report_page
from reports.site.runs import read_all

INDEX = "index.html"


def write_site(directory: Path) -> Path:
    """Write the site of the runs in the sub-folders of `directory`; returns the path of its index.

    Takes each `report.md` as it is. Raises `RecordError` for a damaged run or one without a
    report, `UsageError` where there is no run, `WriteError`.
    """
    runs = read_all(directory)
    for one in runs:
        folder = directory / one.name
        write_atomically(folder / INDEX, report_page(one, folder).encode())
    write_atomically(directory / "compare.html", compare_page(runs, directory).encode())
    # last: the index links to all others
    write_atomically(directory / INDEX, index_page(runs).encode())
    return directory / INDEX
