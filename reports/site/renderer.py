"""HTML of single Markdown tokens, if the site needs more than markdown-it's own HTML."""

import re
from collections.abc import Sequence

from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

# `reports.text.estimate` joins the two ends of an interval by a non-breaking space
INTERVAL = re.compile("\\[[^\\[\\]]*,\u00a0[^\\[\\]]*\\]")


class Renderer(RendererHTML):
    """A renderer of HTML; markdown-it calls the method that has the token's name."""

    def text(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Mark intervals, which the style shows paler than their value."""
        escaped = escapeHtml(tokens[idx].content)
        return INTERVAL.sub(r'<span class="interval">\g<0></span>', escaped)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """Link a figure to its own file, because on a phone it is too small to read."""
        picture = super().image(tokens, idx, options, env)
        return f'<a class="figure" href="{escapeHtml(str(tokens[idx].attrs["src"]))}">{picture}</a>'

    def table_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Put a table into a box that scrolls sideways, so that the page does not."""
        return f'<div class="scroll">{self.renderToken(tokens, idx, options, env)}'

    def table_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Close the table and its box."""
        return "</table></div>\n"

    def heading_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Add a link to the heading, for the mouse; the contents have the same for the keyboard."""
        anchor = escapeHtml(str(tokens[idx].meta["anchor"]))
        link = f'<a class="anchor" href="#{anchor}" aria-hidden="true" tabindex="-1">#</a>'
        return f" {link}</{tokens[idx].tag}>\n"
