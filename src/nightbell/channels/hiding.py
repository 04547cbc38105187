"""Hides what is secret of a request in the answer to it, before anybody quotes that answer. Pure.

Web servers say "Cannot POST /hooks/<secret>" and redirect to the same path elsewhere; the address of a webhook is a
password, and reasons stand on pages, in logs and in the ledger.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec.structs import replace
from yarl import URL

from nightbell.net.http import Answer

HIDDEN = "…"
#: A part of a path as long as this is a key rather than a word; whatever stands in a query may be one.
_LONG_PART = 12
_SHORTEST = 4
_SHORTEST_PATH = 8
_CREDENTIAL = re.compile(r"[^\s,=]{12,}=*")


def hidden(answer: Answer, url: str, headers: Mapping[str, str], secret: str = "") -> Answer:
    """Return the answer without the path of the request, its credentials and `secret`, where it repeats them."""
    words = {secret, *_of_url(URL(url)), *_CREDENTIAL.findall(headers.get("Authorization", ""))} - {""}
    longest_first = sorted(words, key=len, reverse=True)
    body, location = answer.body, answer.headers.get("location", "")
    for word in longest_first:
        body = body.replace(word.encode(), HIDDEN.encode())
        location = location.replace(word, HIDDEN)
    named = answer.headers | ({"location": location} if location else {})
    return replace(answer, body=body, headers=named)


def _of_url(url: URL) -> Iterator[str]:
    for whole in (url.raw_path_qs, url.path_qs, url.raw_path, url.path):
        if len(whole) >= _SHORTEST_PATH:
            yield whole
    for part in (*url.parts, *url.raw_parts):
        if len(part) >= _LONG_PART:
            yield part
    for value in (*url.query.values(), url.raw_query_string, url.query_string, url.password or ""):
        if len(value) >= _SHORTEST:
            yield value
