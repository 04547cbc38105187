"""The chain of the ledger: what is changed, left out or put in is found, in the table and in a file."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from nightbell.core.errors import BadPayload
from nightbell.core.ledger import (
    GENESIS,
    Broken,
    Fact,
    Head,
    Step,
    chained,
    disagreement,
    followed,
    in_order,
)
from nightbell.store.read.ledger_export import checked, csv_header, csv_line, json_line

NOW = datetime(2027, 3, 1, 2, 0, tzinfo=UTC)


def fact(n: int, step: Step = Step.ACCEPTED, provider_id: str = "SM1") -> Fact:
    return Fact(
        step=step, subject=UUID(int=n), alert_id=UUID(int=99), page_id=None, notification_id=UUID(int=7),
        user_id=1001, provider_id=provider_id, at=NOW + timedelta(seconds=n), told={"channel": "sms", "n": n},
    )  # fmt: skip


CHAIN = chained(Head(), [fact(n) for n in range(1, 6)], NOW + timedelta(minutes=1))


def rows(chain):
    return [(s.position, s.entry, s.digest) for s in chain]


def test_entries_follow_the_order_in_which_things_happened():
    steps = [
        s.step for s in chained(Head(), in_order([fact(2), fact(1, Step.QUEUED), fact(1, Step.DECIDED)]), NOW)
    ]
    assert steps == ["decided", "queued", "accepted"]


def test_a_chain_goes_on_where_another_ended():
    end = followed(Head(), rows(CHAIN))
    assert isinstance(end, Head)
    more = chained(end, [fact(9)], NOW)
    assert followed(Head(), rows([*CHAIN, *more])) == Head(6, more[0].digest)


@given(st.permutations(range(5)))
def test_the_order_in_which_facts_are_found_makes_no_difference(order):
    assert chained(Head(), in_order([fact(n + 1) for n in order]), NOW + timedelta(minutes=1)) == CHAIN


@given(st.integers(0, 4), st.sampled_from(["changed", "gone", "doubled", "digest"]))
def test_no_entry_can_be_changed_left_out_or_put_in(at, how):
    chain = list(CHAIN)
    if how == "changed":
        chain[at] = replace(chain[at], entry=chain[at].entry.replace("SM1", "SM2"))
    elif how == "digest":
        chain[at] = replace(chain[at], digest=bytes(32))
    elif how == "doubled":
        chain.insert(at, chain[at])
    else:
        del chain[at]
    found = followed(Head(), rows(chain))
    # The end itself can only be missed by whoever knows where it was.
    assert isinstance(found, Broken) or (how == "gone" and at == 4 and found.position == 4)


def test_columns_that_say_otherwise_than_the_text_are_found():
    one = CHAIN[0]
    assert disagreement(one.step, one.subject, one.alert_id, one.at, one.entry) == ""
    assert "at" in disagreement(one.step, one.subject, one.alert_id, NOW, one.entry)
    assert "step" in disagreement("refused", one.subject, one.alert_id, one.at, one.entry)


def exported(style):
    line, head = (csv_line, [csv_header()]) if style == "csv" else (json_line, [])
    before = [GENESIS, *(s.digest for s in CHAIN)]
    return head + [line(s, b) for s, b in zip(CHAIN, before, strict=False)]


@pytest.mark.parametrize("style", ["csv", "jsonl"])
def test_an_export_can_be_checked_without_us(style):
    lines = exported(style)
    assert checked(lines) == Head(5, CHAIN[-1].digest)
    assert isinstance(
        checked([line.replace(b"SM1", b"SM2") if n == 3 else line for n, line in enumerate(lines)]), Broken
    )
    assert isinstance(checked([line for n, line in enumerate(lines) if n != 3]), Broken)


def test_a_part_of_an_export_can_be_checked_alone():
    assert checked(exported("jsonl")[2:]) == Head(5, CHAIN[-1].digest)


@pytest.mark.parametrize("lines", [[b"{}\n"], [b"nonsense\n"], [csv_header(), b"a,b\r\n"]])
def test_a_file_that_is_no_export_is_refused_by_line(lines):
    with pytest.raises(BadPayload):
        checked(lines)


def test_a_spreadsheet_runs_nothing_that_a_provider_said():
    [evil] = chained(Head(), [fact(1, provider_id="=cmd()")], NOW)
    assert b"'=cmd()" in csv_line(evil, GENESIS)
    assert checked([csv_header(), csv_line(evil, GENESIS)]) == Head(1, evil.digest)
