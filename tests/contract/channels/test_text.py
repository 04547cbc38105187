"""What the shared text functions hold for any text at all."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from nightbell.channels import mail, ntfy, webhook
from nightbell.channels.email import Email, SmtpSettings
from nightbell.channels.text import clipped, lines, one_line
from nightbell.core.delivery import Message, Purpose
from nightbell.core.errors import Invalid

TEXT = st.text() | st.text(
    alphabet="=?utf8qQbB_\r\n\t :.<>@0DA\x00\x0b\x1b\x85\u2028\u202e\U0001f525\u00e9", max_size=300
)
LIMIT = st.integers(min_value=3, max_value=400)


def page(text: str, address: str = "ana@example.org") -> Message:
    return Message(
        notification_id=UUID(int=1),
        idempotency_key="key-1",
        purpose=Purpose.PAGE,
        address=address,
        settings={},
        recipient=text,
        sent_at=datetime(2026, 11, 23, tzinfo=UTC),
        title=text,
        body=text,
        status=text,
        urgency=text,
        short_id=text,
        labels={text: text},
        annotations={text: text},
        started_at=None,
        level=1,
        alert_url="https://bell.example.org/a",
        acknowledge_url="https://bell.example.org/k",
        escalate_url="",
        snooze_url="",
    )


@given(TEXT, LIMIT)
def test_text_keeps_its_limit_and_is_only_marked_when_cut(text, most):
    assert len(clipped(text, most=most).encode()) <= most
    if len(text.encode("utf-8", "replace")) <= most:
        assert clipped(text, most=most) == text.encode("utf-8", "replace").decode()


@given(TEXT, LIMIT)
def test_one_line_is_one_line(text, most):
    line = one_line(text, most=most)
    assert len(line.encode()) <= most
    assert len(line.splitlines()) <= 1
    assert line.isprintable() or all(not c.isspace() or c == " " for c in line)
    assert "=?" not in line


@given(TEXT)
def test_lines_keep_breaks_and_drop_controls(text):
    kept = lines(text, most=2000)
    assert not any(ord(c) < 32 and c not in "\n\t" for c in kept)
    assert not any(c in kept for c in "\x1b\x85\u2028\u202e\x9b")


@settings(max_examples=150)
@given(TEXT)
def test_no_text_changes_the_headers_of_a_mail(text):
    ordinary = mail.compose(page("x"), "bell@example.org")
    raw = mail.compose(page(text), "bell@example.org").as_bytes()
    got = message_from_bytes(raw, policy=policy.default)
    optional = {"In-Reply-To", "References", "X-Nightbell-Alert"}
    assert set(got.keys()) - optional == set(ordinary.keys()) - optional
    assert len(got.keys()) == len(set(got.keys()))
    assert got.get_content_type() == "multipart/alternative"
    assert len(list(got.iter_parts())) == 2


@given(st.text(alphabet="ab1@.-+=?_ <>\r\n\u00e9", max_size=30) | st.emails())
def test_an_accepted_address_can_be_written_to(address):
    channel = Email(SmtpSettings())
    try:
        channel.check(address, {})
    except Invalid:
        return
    assert mail.compose(page("x", address), "bell@example.org")["To"] == address


@given(TEXT)
def test_any_text_is_published_within_ntfys_limits(text):
    body = ntfy.render(page(text, "https://push.example.org/topic"))
    assert len(body) <= 8192
    assert msgspec.json.decode(body)["topic"] == "topic"


@given(TEXT)
def test_any_text_stays_a_value_in_a_template(text):
    message = msgspec.structs.replace(
        page(text), settings={"template": '{"a": ["{{ title }}", "<{{ body }}>"]}'}
    )
    said = text.encode("utf-8", "replace").decode()
    assert msgspec.json.decode(webhook.render(message)) == {"a": [said, f"<{said}>"]}
