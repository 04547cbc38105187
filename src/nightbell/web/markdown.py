"""Turns Markdown that people wrote into HTML for a page.

Rule 1: nothing of it reaches the page as markup of its own. HTML is switched off in the parser, pictures are links
(the pages load nothing from elsewhere), and an address that is not http, https or mailto is no link.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

#: Usual text takes 2 ms for each kilobyte (so callers of long ones use a thread); longer ones are cut.
LONGEST = 200_000
#: Each bracket may begin a link, and is looked at again for each other one: more than these are shown as they are.
_MOST_BRACKETS = 500
#: Notes of a timeline are shown again and again, to everybody who looks. At most some 16 MB.
_SHORT, _REMEMBERED = 4_000, 2_000
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
    return _remembered(text) if len(text) <= _SHORT else _rendered(text[:LONGEST])


def _rendered(text: str) -> Markup:
    if text.count("[") > _MOST_BRACKETS:
        return Markup("<pre>{}</pre>").format(text)
    html = _PARSER.render(text)
    # What may scroll sideways can be reached by keyboard. Text never holds these tags: it is escaped.
    for tag in ("pre", "table"):
        html = html.replace(f"<{tag}>", f'<{tag} tabindex="0">')
    return Markup(html)


_remembered = lru_cache(_REMEMBERED)(_rendered)
