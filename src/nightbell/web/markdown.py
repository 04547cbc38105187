"""Turns Markdown that people wrote into HTML for a page.

Rule 1: nothing of it reaches the page as markup of its own. HTML is switched off in the parser, pictures are links
(the pages load nothing from elsewhere), and an address that is not http, https or mailto is no link.
"""

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

#: Usual text takes 2 ms for each kilobyte, hostile brackets ten times that (so callers use a thread); longer ones are cut.
LONGEST = 200_000
#: Headings of a text begin below those of the page it stands on.
_DEEPER = 1
_ALLOWED = ("http://", "https://", "mailto:", "/", "#")


class _Parser(MarkdownIt):
    """CommonMark with tables, without HTML and pictures."""

    def __init__(self) -> None:
        super().__init__("js-default", {"html": False, "linkify": False, "typographer": False})
        self.disable("image")

    def validateLink(self, url: str) -> bool:
        """Return whether an address may stand in a link."""
        return url.strip().lower().startswith(_ALLOWED)


_PARSER = _Parser()


def _outwards(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    tokens[index].attrSet("rel", "noreferrer noopener nofollow")
    return renderer.renderToken(tokens, index, options, env)


def _heading(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    level = min(6, int(tokens[index].tag[1:]) + _DEEPER)
    tokens[index].tag = f"h{level}"
    return renderer.renderToken(tokens, index, options, env)


for _name, _rule in (("link_open", _outwards), ("heading_open", _heading), ("heading_close", _heading)):
    _PARSER.add_render_rule(_name, _rule)


def shown(text: str) -> Markup:
    """Return a text as HTML that may stand in a page."""
    return Markup(_PARSER.render(text[:LONGEST]))
