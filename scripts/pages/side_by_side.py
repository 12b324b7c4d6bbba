"""Write the scripts of examples/tutorials into docs/side-by-side.md, Keras beside PyTorch.

The command is `python -m scripts.pages.side_by_side`.
"""

from pathlib import Path

from bench.workloads import WORKLOADS
from scripts.pages import marked
from scripts.pages.marked import ROOT

PAGE = ROOT / "docs" / "side-by-side.md"
# the name of the script per framework
VERSIONS = {"keras": "keras_version.py", "pytorch": "pytorch_version.py"}
LABELS = {"keras": "Keras", "pytorch": "PyTorch"}
BEGIN, END = "<!-- {}: made by scripts.pages.side_by_side -->", "<!-- end of {} -->"


def folder_of(workload: str) -> Path:
    return ROOT / "examples" / "tutorials" / workload.replace("-", "_")


# a workload may come without scripts
WRITTEN = [workload for workload in WORKLOADS.values() if folder_of(workload.name).is_dir()]


def page(text: str) -> str:
    """Return the page with the code of each workload as the files have it now."""
    for workload in WRITTEN:
        begin, end = BEGIN.format(workload.name), END.format(workload.name)
        text = marked.fill(text, begin, end, code_table(folder_of(workload.name)))
    return text


def code_table(folder: Path) -> str:
    """Return a table of two cells; blank lines make GitHub read the code in them as Markdown."""
    path = folder.relative_to(ROOT).as_posix()
    links = [f'<a href="../{path}/{VERSIONS[key]}">{label}</a>' for key, label in LABELS.items()]
    heads = "".join(f"<th>{link}</th>" for link in links)
    cells = "\n</td><td>\n".join(cell(folder / name) for name in VERSIONS.values())
    return f'<table>\n<tr>{heads}</tr>\n<tr valign="top"><td>\n{cells}\n</td></tr>\n</table>'


def cell(path: Path) -> str:
    return f"\n```python\n{path.read_text(encoding='utf-8')}```\n"


if __name__ == "__main__":
    marked.write(PAGE, page)
