"""The card: one figure with the answer, for light and for dark pages."""

from collections.abc import Iterator

from reports.drawing.card import figure_file
from reports.drawing.files import svg_file
from reports.results.card import Card, card
from reports.results.report import Report
from reports.text import picture


def section(report: Report) -> Iterator[str]:
    """Yield the card; nothing if no two backends were timed."""
    shown = card(report)
    if shown is not None:
        yield card_picture(shown)


def card_picture(shown: Card, name: str = "card") -> str:
    """Return the picture of a card whose files begin with `name`."""
    light, dark = (svg_file(figure_file(theme, name)) for theme in ("light", "dark"))
    return picture(shown.alternative, light, dark)
