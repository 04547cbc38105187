"""Markdown on a page: what it may become, and what it never becomes."""

import re

import pytest

from nightbell.web.markdown import shown


def test_headings_tables_and_lists_are_shown() -> None:
    html = shown("# A\n\n- one\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n~~x~~ `y`")
    assert "<h2>A</h2>" in html and "<li>one</li>" in html and "<td>1</td>" in html
    assert "<s>x</s>" in html and "<code>y</code>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt&colon;alert(1))",
        "[x](data:text/html,<script>)",
        "[x](vbscript:x)",
        "![x](https://elsewhere.example/x.png)",
        '[x](https://a.example "on\\"mouseover=alert(1)")',
        "<a href='javascript:alert(1)'>x</a>",
        "<javascript:alert(1)>",
        "```html onload=x\n<b>\n```",
        "[a]: javascript:alert(1)\n\n[a]",
        "<style>*{display:none}</style>",
    ],
)
def test_nothing_that_is_written_becomes_markup_of_its_own(text: str) -> None:
    html = shown(text)
    assert not re.search(r"<(script|img|style|iframe|svg)", html, re.IGNORECASE)
    assert not re.search(r"<[^>]*\son[a-z]+=[^>]*>", re.sub(r'"[^"]*"', '""', html))
    assert not re.search(r'href="(?!https?:|mailto:|/|#)', html)


def test_links_lead_out_without_telling_where_from() -> None:
    html = shown("[graph](https://grafana.example.org/d/1)")
    assert '<a href="https://grafana.example.org/d/1" rel="noreferrer noopener nofollow">graph</a>' in html


def test_thousands_of_brackets_are_shown_and_not_puzzled_over() -> None:
    assert shown("[" * 100_000).startswith("<pre>[[[")
    assert "<script" not in shown("<script>" + "[" * 3_000)


def test_a_very_long_text_is_cut_and_not_refused() -> None:
    assert len(shown("a" * 300_000)) < 201_000
