"""The wire itself, without a database: queries, documents, links and errors, as tables."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from nightbell.api import jsonapi
from nightbell.api.jsonapi import Document, Page
from nightbell.api.query import parse
from nightbell.api.sent import attributes
from nightbell.core.errors import (
    BadPayload,
    Forbidden,
    Invalid,
    Overloaded,
    Stale,
    Unauthenticated,
    Unknown,
)
from nightbell.engine.checks import Problems
from nightbell.store.read.listing import Condition, instant


@pytest.mark.parametrize(
    ("text", "number", "size", "offset"),
    [
        (b"", 1, 25, 0),
        (b"page[number]=3", 3, 25, 50),
        (b"page%5Bnumber%5D=3&page%5Bsize%5D=10", 3, 10, 20),
        (b"page[number]=0", 1, 25, 0),
        (b"page[size]=0", 1, 1, 0),
        (b"page[size]=1000", 1, 100, 0),
        (b"page[size]=", 1, 25, 0),
    ],
)
def test_a_page_is_a_number_and_a_size(text, number, size, offset):
    query = parse(text)
    assert (query.number, query.size, query.listing.offset) == (number, size, offset)


@pytest.mark.parametrize("text", [b"page[number]=two", b"page[size]=-1", b"page[number]=99999999999"])
def test_a_page_that_is_no_number_is_refused_by_name(text):
    with pytest.raises(BadPayload) as caught:
        parse(text)
    assert caught.value.place.startswith("page[")


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        (b"filter[status]=open", [("status", "eq", ("open",))]),
        (b"filter[status]=open,triggered", [("status", "eq", ("open", "triggered"))]),
        (b"filter[status][in]=open,triggered", [("status", "in", ("open", "triggered"))]),
        (b"filter[status][not_in]=open", [("status", "not_in", ("open",))]),
        (b"filter[status][not_eq]=a,b", [("status", "not_eq", ("a,b",))]),
        (b"filter[name]=API,%20prod", [("name", "eq", ("API, prod", "API", "prod"))]),
        (b"filter[created_at][gte]=2026-11-23", [("created_at", "gte", ("2026-11-23",))]),
        (b"filter[tags][]=a&filter[tags][]=b", [("tags", "eq", ("a",)), ("tags", "eq", ("b",))]),
        (b"filter[labels]=team:x,severity=critical", [("labels", "eq", ("team:x", "severity=critical"))]),
        (b"filter[status]=", []),
        (b"filter[status][near]=x", []),
        (b"filter[]=x&filter=y&filters[a]=b", []),
    ],
)
def test_a_filter_is_a_field_an_operator_and_values(text, conditions):
    assert [(c.field, c.op, c.values) for c in parse(text).listing.where] == conditions


def test_everything_else_of_a_query_is_read_once():
    query = parse(
        b"sort=-created_at,name&include=users,%20teams&include_x=1&fields[alerts]=status,url&x=true"
    )
    assert query.listing.order == ("-created_at", "name")
    assert query.include == {"users", "teams"}
    assert query.fields == {"alerts": frozenset({"status", "url"})}
    assert query.flags == {"x"}


def test_a_nul_in_a_query_reaches_no_database():
    assert parse(b"filter[name]=a%00b").listing.where == (Condition("name", "eq", ("ab",), "filter[name]"),)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T02:00:05", datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)),
        ("2026-11-23T02:00:05Z", datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)),
        ("2026-11-23T02:00:05.674-07:00", datetime(2026, 11, 23, 9, 0, 5, 674000, tzinfo=UTC)),
        ("2026-11-23T02:00:05 01:00", datetime(2026, 11, 23, 1, 0, 5, tzinfo=UTC)),
    ],
)
def test_a_time_may_be_a_date_naive_or_with_an_unescaped_plus(text, at):
    assert instant(text, "filter[created_at][gt]") == at


def test_a_time_that_is_none_names_its_filter():
    with pytest.raises(BadPayload) as caught:
        instant("yesterday", "filter[created_at][gt]")
    assert caught.value.place == "filter[created_at][gt]"


@pytest.mark.parametrize(
    ("total", "number", "links", "meta"),
    [
        (0, 1, (None, None, 1), (None, None, 1)),
        (25, 1, (None, None, 1), (None, None, 1)),
        (26, 1, (None, 2, 2), (2, None, 2)),
        (60, 2, (1, 3, 3), (3, 1, 3)),
        (60, 9, (8, None, 3), (None, 8, 3)),
    ],
)
def test_links_and_meta_have_every_key_and_null_where_there_is_none(total, number, links, meta):
    query = parse(b"filter[status]=open&page[number]=%d" % number)
    body = jsonapi.listed([], Page(url="https://HOST/v1/alerts", total=total), query)

    def link(page):
        return page and f"https://HOST/v1/alerts?filter[status]=open&page[number]={page}"

    assert body["links"] == {
        "self": link(number), "first": link(1), "prev": link(links[0]), "next": link(links[1]), "last": link(links[2])
    }  # fmt: skip
    assert body["meta"] == {
        "current_page": number, "next_page": meta[0], "prev_page": meta[1], "total_count": total,
        "total_pages": meta[2], "next_cursor": None,
    }  # fmt: skip


def test_only_the_fields_that_were_asked_for_are_shown():
    document = Document(type="alerts", id="1", attributes={"status": "open", "url": "x"})
    assert document.wire({"alerts": frozenset({"url"})})["attributes"] == {"url": "x"}
    assert document.wire({"teams": frozenset({"url"})})["attributes"] == {"status": "open", "url": "x"}


def test_a_time_goes_out_in_utc_with_milliseconds():
    east = timezone(timedelta(hours=2))
    assert jsonapi.stamp(datetime(2026, 11, 23, 4, 0, 5, 123999, tzinfo=east)) == "2026-11-23T02:00:05.123Z"
    assert jsonapi.stamp(None) is None


@pytest.mark.parametrize(
    ("kind", "status"),
    [(BadPayload, 400), (Stale, 400), (Unauthenticated, 401), (Forbidden, 403), (Unknown, 404), (Invalid, 422), (Overloaded, 503)],
)  # fmt: skip
def test_every_error_has_its_status_and_jsonapi_shape(kind, status):
    answer = jsonapi.refused(kind("It is so.", place="targets[0].id", hint="Do this."))
    assert answer.status_code == status and answer.media_type == "application/vnd.api+json"
    assert (
        answer.content
        == jsonapi.answer(
            {
                "errors": [
                    {
                        "title": "It is so.",
                        "status": str(status),
                        "code": kind.code,
                        "detail": "Do this.",
                        "source": {"pointer": "/data/attributes/targets/0/id"},
                    }
                ]
            }
        ).content
    )


def test_several_problems_are_several_errors_under_the_wires_names():
    problems = Problems([Invalid("a", place="targets[1].id"), Invalid("b", place="delay_minutes")])
    names = {"targets": "notification_target_params", "delay_minutes": "delay"}
    renamed = jsonapi.renamed(problems, names)
    assert isinstance(renamed, Problems)
    assert [p.place for p in renamed.problems] == ["notification_target_params[1].id", "delay"]


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b'{"data":{}}', b'{"data":{"attributes":null}}'])
def test_an_absent_body_is_no_attributes(body):
    assert attributes(body) == {}


def test_a_bare_object_counts_as_attributes():
    assert attributes(b'{"code":"123"}') == {"code": "123"}


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'"x"', b'{"data":[]}', b'{"data":{"attributes":[]}}', b"\xff"]
)
def test_a_body_that_is_no_document_is_refused(body):
    with pytest.raises(BadPayload):
        attributes(body)
