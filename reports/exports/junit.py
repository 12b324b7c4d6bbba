"""The certificates as JUnit XML."""

from collections.abc import Sequence
from xml.etree import ElementTree

from bench.record import Record
from reports.results.cells import CellResults
from reports.results.parity import precision_of
from reports.text import one_line


def as_junit(cells: Sequence[CellResults]) -> bytes:
    """Return JUnit XML with one suite per certificate and one case per rung.

    A trial that ended without a failed rung and is not ok has a case of its own, with an error.
    """
    root = ElementTree.Element("testsuites", name="samestep parity")
    for results in cells:
        for record in results.records:
            if record.trial.kind == "parity":
                root.append(suite(results, record))
    ElementTree.indent(root)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def suite(results: CellResults, record: Record) -> ElementTree.Element:
    """Return the suite of one certificate."""
    name = f"{results.cell.workload}.{results.name}.{precision_of(record)}"
    rungs = record.parity.rungs if record.parity is not None else []
    failed = [rung for rung in rungs if not rung.passed]
    element = ElementTree.Element("testsuite", name=name)
    for rung in rungs:
        case = ElementTree.SubElement(element, "testcase", classname=name, name=one_line(rung.rung))
        if not rung.passed:
            message = f"measured {rung.measured:.3g}, gate {rung.gate:.3g}: {one_line(rung.where)}"
            ElementTree.SubElement(case, "failure", message=message)
    has_error = record.status != "ok" and not failed
    if has_error:
        case = ElementTree.SubElement(element, "testcase", classname=name, name="trial")
        ElementTree.SubElement(case, "error", message=one_line(f"{record.status}: {record.reason}"))
    counts = {"tests": len(element), "failures": len(failed), "errors": int(has_error)}
    for key, count in counts.items():
        element.set(key, str(count))
    return element
