"""Translates what became of an HTTP request into an Outcome. Shared by the channels that post.

Doubt stays doubt: only a status, or the certainty that nothing left, makes a Retry or a Refused.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec import Struct

from nightbell.channels import hiding
from nightbell.channels.text import one_line
from nightbell.core.delivery import Outcome, Refused, Retry, Sent, Unsure
from nightbell.net.http import Answer, Blocked, Http, MaybeSent, NotSent

#: Statuses below 500 that ask for another try: time-out, too early, too many.
_LATER = (408, 425, 429)
_LONGEST_WAIT = timedelta(days=1)


class Ask(Struct, frozen=True, kw_only=True):
    """One request. `secret` is what else must not be repeated in a reason, beside its URL and its credentials."""

    method: str = "POST"
    url: str
    body: bytes
    headers: Mapping[str, str]
    secret: str = ""


async def exchange(http: Http, ask: Ask, judge: Callable[[Answer], Outcome]) -> Outcome:
    """Make a request and report what is known; `judge` says what an answer means.

    A reason quotes the answer, and answers quote what was asked: what is secret of that is hidden first.
    """
    try:
        answer = await http.ask(ask.method, ask.url, body=ask.body, headers=ask.headers)
    except Blocked as error:
        return Refused(why=str(error))
    except NotSent as error:
        return Retry(why=str(error))
    except MaybeSent as error:
        return Unsure(why=str(error))
    outcome = judge(answer)
    if isinstance(outcome, Sent):
        return outcome
    return judge(hiding.hidden(answer, ask.url, ask.headers, ask.secret))


async def post(
    http: Http,
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    now: datetime,
    identify: Callable[[bytes], str | None] = lambda body: "",
) -> Outcome:
    """Post and report what is known.

    Shape: `identify` finds the provider's id in the body of a success; None when that is no answer of the provider's.
    """

    def judge(answer: Answer) -> Outcome:
        if not accepted(answer):
            return rejected(answer, now)
        ident = identify(answer.body)
        return unlike(answer) if ident is None else Sent(provider_id=ident, detail=f"HTTP {answer.status}")

    return await exchange(http, Ask(url=url, body=body, headers=headers), judge)


def accepted(answer: Answer) -> bool:
    """Return whether an answer says that the message was taken."""
    return 200 <= answer.status < 300


def unlike(answer: Answer) -> Unsure:
    """Return what a success means that is not what its service answers.

    A proxy's page, an error with a 200, an answer that broke off: the message may be there, and nobody knows.
    """
    why = f"HTTP {answer.status}, but the answer is not that of the service"
    said = one_line(answer.body[:1000].decode("utf-8", "replace"), most=100)
    return Unsure(why=f"{why}: {said}" if said else why)


def rejected(answer: Answer, now: datetime) -> Retry | Refused:
    """Return what an answer other than 2xx means."""
    if 300 <= answer.status < 400:
        target = one_line(answer.headers.get("location", "elsewhere"), most=300)
        return Refused(why=f"HTTP {answer.status}: redirected to {target}; redirects are not followed")
    why = f"HTTP {answer.status}"
    if said := one_line(answer.body[:1000].decode("utf-8", "replace"), most=300):
        why = f"{why}: {said}"
    if answer.status in _LATER or answer.status >= 500:
        return Retry(why=why, after=retry_after(answer, now))
    return Refused(why=why)


def retry_after(answer: Answer, now: datetime) -> timedelta | None:
    """Return how long the server asks us to wait, None when it does not say; never negative, at most a day.

    A date is measured against the server's own `Date`, so that its clock need not agree with ours.
    Source: RFC 9110 10.2.3.
    """
    value = answer.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        # Nine digits are 31 years; longer numbers only cost time to convert.
        return min(timedelta(seconds=int(value[:9])), _LONGEST_WAIT)
    until = _http_date(value)
    if until is None:
        return None
    wait = until - (_http_date(answer.headers.get("date", "")) or now)
    return min(max(wait, timedelta(0)), _LONGEST_WAIT)


def _http_date(value: str) -> datetime | None:
    try:
        parsed = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
