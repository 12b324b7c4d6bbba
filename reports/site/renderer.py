"""HTML of single Markdown tokens, where the site wants more than markdown-it's own."""

import re
from collections.abc import Sequence

from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# `reports.text.estimate` joins the two ends of an interval by a non-breaking space
INTERVAL = re.compile("\\[[^\\[\\]]*,\u00a0[^\\[\\]]*\\]")


class Renderer(RendererHTML):
    """The methods' names are those of the tokens."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Intervals are marked: they stand back behind their value."""
        escaped = escapeHtml(tokens[idx].content)
        return INTERVAL.sub(r'<span class="interval">\g<0></span>', escaped)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A figure leads to itself: on a phone it is too small to read."""
        shown = super().image(tokens, idx, options, env)
        return f'<a class="figure" href="{escapeHtml(str(tokens[idx].attrs["src"]))}">{shown}</a>'

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """The table scrolls sideways in a box of its own; the page never does."""
        return f'<div class="scroll">{self.renderToken(tokens, idx, options, env)}'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        return "</table></div>\n"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """A link to the heading; the table of contents has the same one for the keyboard."""
        anchor = escapeHtml(str(tokens[idx].meta["anchor"]))
        link = f'<a class="anchor" href="#{anchor}" aria-hidden="true" tabindex="-1">#</a>'
        return f" {link}</{tokens[idx].tag}>\n"
