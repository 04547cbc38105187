"""The e-mail channel against real SMTP servers, encrypted and not, and the mail it writes."""

from datetime import timedelta
from email import message_from_bytes, policy

import msgspec
import pytest

from nightbell.channels.email import Email, SmtpSettings, Tls
from nightbell.channels.mail import compose
from nightbell.core.delivery import Purpose, Refused, Retry, Sent, Unsure
from nightbell.core.errors import Invalid
from nightbell.testing.doubles import Hang, Reset, SmtpSink

SHORT = timedelta(seconds=1)
SENDER = "Nightbell <bell@example.org>"


def settings_for(sink, **changes):
    plain = SmtpSettings(host=sink.host, port=sink.port, tls=Tls.NONE, sender=SENDER, timeout=SHORT)
    return msgspec.structs.replace(plain, **changes)


@pytest.fixture
async def sink():
    async with SmtpSink() as sink:
        yield sink


async def test_a_page_arrives_with_buttons_and_both_parts(sink, make_message):
    await Email(settings_for(sink)).send(make_message())
    [mail] = sink.mails
    assert (mail.sender, mail.recipients) == ("bell@example.org", ["ana@example.org"])
    assert mail.message["From"] == "Nightbell <bell@example.org>"
    assert mail.message["To"] == "ana@example.org"
    assert mail.message["Subject"] == "[TRIGGERED] HighErrorRate (3 firing) (E89PYM)"
    assert mail.message["Date"] == "Mon, 23 Nov 2026 02:00:05 +0000"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message["X-Nightbell-Alert"] == "E89PYM"
    for url in ("act/ack-token", "act/escalate-token", "act/snooze-token", "alerts/E89PYM"):
        assert f"https://bell.example.org/{url}" in mail.text
        assert f'href="https://bell.example.org/{url}"' in mail.html
    assert "5xx above 5 % on api-1." in mail.text
    assert "severity = critical" in mail.text


async def test_starttls_with_a_login(certificate, make_message):
    async with SmtpSink(user="bell", password="s3cret", starttls=certificate.context) as sink:
        conf = settings_for(
            sink, tls=Tls.STARTTLS, user="bell", password="s3cret", ca_file=str(certificate.file)
        )
        assert isinstance(await Email(conf).send(make_message()), Sent)
        assert sink.encrypted == [True]


async def test_tls_from_the_first_byte_with_a_login(certificate, make_message):
    async with SmtpSink(user="bell", password="s3cret", tls=certificate.context) as sink:
        conf = settings_for(sink, tls=Tls.TLS, user="bell", password="s3cret", ca_file=str(certificate.file))
        assert isinstance(await Email(conf).send(make_message()), Sent)
        assert sink.encrypted == [True]


@pytest.mark.parametrize("tls", [Tls.STARTTLS, Tls.TLS])
async def test_a_certificate_nobody_vouches_for_is_not_trusted(certificate, make_message, tls):
    contexts = {"starttls": certificate.context} if tls is Tls.STARTTLS else {"tls": certificate.context}
    async with SmtpSink(**contexts) as sink:
        outcome = await Email(settings_for(sink, tls=tls)).send(make_message())
        assert isinstance(outcome, Retry)
        assert "certificate" in outcome.why.lower()
        assert sink.mails == []


async def test_a_server_without_starttls_gets_no_mail_in_the_clear(sink, make_message):
    outcome = await Email(settings_for(sink, tls=Tls.STARTTLS)).send(make_message())
    assert isinstance(outcome, Retry)
    assert "STARTTLS" in outcome.why
    assert sink.mails == []


async def test_a_wrong_password_is_said_clearly_and_tried_again(certificate, make_message):
    async with SmtpSink(user="bell", password="s3cret", starttls=certificate.context) as sink:
        conf = settings_for(
            sink, tls=Tls.STARTTLS, user="bell", password="wr0ng", ca_file=str(certificate.file)
        )
        outcome = await Email(conf).send(make_message())
        assert isinstance(outcome, Retry)
        assert "refused the login of bell" in outcome.why
        assert "wr0ng" not in outcome.why


async def test_without_a_server_the_way_out_is_named(make_message):
    assert await Email(SmtpSettings()).send(make_message()) == Refused(
        why="no SMTP server configured: set NIGHTBELL_SMTP_HOST"
    )


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("450 busy", Retry),
        ("421 closing", Retry),
        ("550 no", Refused),
        ("552 full", Refused),
        ("554 no", Refused),
    ],
)
async def test_a_reply_code_judges_the_message(sink, make_message, command, reply, kind):
    sink.will(command, reply)
    outcome = await Email(settings_for(sink)).send(make_message())
    assert isinstance(outcome, kind)
    assert reply in outcome.why
    assert sink.mails == []


@pytest.mark.parametrize("trouble", [Reset(), Hang()])
@pytest.mark.parametrize(("command", "kind"), [("MAIL", Retry), ("RCPT", Retry), ("DATA", Unsure)])
async def test_a_broken_conversation_leaves_doubt_only_once_content_was_sent(
    sink, make_message, command, trouble, kind
):
    sink.will(command, trouble)
    assert isinstance(await Email(settings_for(sink)).send(make_message()), kind)


async def test_all_mail_of_an_alert_threads_and_each_has_an_id_of_its_own(make_message):
    page = compose(make_message(), SENDER)
    again = compose(make_message(sent_at=make_message().sent_at + timedelta(minutes=5)), SENDER)
    resolved = compose(
        make_message(idempotency_key="update-9", purpose=Purpose.UPDATE, status="resolved"), SENDER
    )
    other = compose(make_message(idempotency_key="page-8", short_id="ZZZZZZ"), SENDER)
    assert page["Message-ID"] == again["Message-ID"] != resolved["Message-ID"]
    assert page["References"] == page["In-Reply-To"] == resolved["References"] != other["References"]
    assert page["References"] not in (page["Message-ID"], resolved["Message-ID"])


@pytest.mark.parametrize(
    "text",
    [
        "Disk\r\nBcc: eve@example.org",
        "Disk\nBcc: eve@example.org",
        "Disk\rBcc: eve@example.org",
        "Disk\u2028Bcc: eve@example.org",
        "Disk\x85Bcc: eve@example.org",
        "Disk\x0bBcc: eve@example.org",
        "Disk\r\n\r\n<html>body</html>",
        "=?utf-8?q?=0D=0ABcc=3A_eve=40example=2Eorg?=",
        "=\x07?utf-8?q?=0D=0ABcc=3A_eve=40example=2Eorg?=",
        "=?utf-8?b?DQpCY2M6IGV2ZUBleGFtcGxlLm9yZw==?= =?utf-8?q?=0D=0ABcc=3A_eve=40example=2Eorg?=",
        "caf\u00e9 \r\nBcc: eve@example.org " + "\U0001f525" * 60,
    ],
)
async def test_no_text_of_an_alert_becomes_a_header(sink, make_message, text):
    message = make_message(title=text, short_id=text, status=text, idempotency_key=text, recipient=text)
    assert isinstance(await Email(settings_for(sink)).send(message), Sent)
    [mail] = sink.mails
    expected = set(compose(make_message(), SENDER).keys())
    got = [name for name in mail.message if not name.startswith("X-Peer")]
    assert set(got) == expected
    assert len(got) == len(set(got))
    assert mail.recipients == ["ana@example.org"]
    parsed = message_from_bytes(mail.raw, policy=policy.default)
    assert "eve@example.org" not in str(parsed["To"])
    assert parsed.get_body(("plain",)) is not None


async def test_markup_in_an_alert_is_text_in_the_mail(sink, make_message):
    evil = '<script>alert(1)</script><a href="javascript:x">&'
    await Email(settings_for(sink)).send(
        make_message(title=evil, body=evil, labels={evil: evil}, annotations={"x": evil}, status=evil)
    )
    html = sink.mails[0].html
    assert "<script" not in html and 'href="javascript' not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


async def test_direction_overrides_and_escape_sequences_do_not_reach_the_reader(sink, make_message):
    await Email(settings_for(sink)).send(make_message(title="a\u202eb\x1b[31mc", body="d\u2066e\x9bf"))
    [mail] = sink.mails
    assert "ab[31mc" in mail.message["Subject"]
    assert not any(code in mail.text + mail.html for code in "\u202e\u2066\x1b\x9b")


@pytest.mark.parametrize("domain", ["a.org", "mail." + "subdomain-of-some-length." * 4 + "example.org"])
def test_every_byte_is_ascii_and_no_id_is_folded(make_message, domain):
    message = make_message(title="caf\u00e9 " * 50, body="\u6f22\u5b57 " * 500 + "\n" + "x" * 5000)
    raw = compose(message, f'"N\u00e4chtlich, Glocke" <bell@{domain}>').as_bytes()
    assert raw.isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    parsed = message_from_bytes(raw, policy=policy.default)
    assert str(parsed["Message-ID"]).endswith(f"@{domain}>")
    assert f"Message-ID: {parsed['Message-ID']}\r\n".encode() in raw
    assert parsed["From"].addresses[0].display_name == "N\u00e4chtlich, Glocke"


@pytest.mark.parametrize(
    "address",
    [
        "", "ana", "ana@", "@example.org", "ana@example.org\r\nRCPT TO:<eve@example.org>", "a b@example.org",
        "ana@example.org, eve@example.org", "Ana <ana@example.org>", "an\u00e4@example.org", "ana@" + "x" * 260,
        "ana@example.org>", "\"a b\"@example.org", "ana..b@example.org", "ana@.", "ana@a..b", "ana@-a", "ana@a.",
    ],
)  # fmt: skip
async def test_what_is_not_one_plain_address_is_refused(sink, make_message, address):
    channel = Email(settings_for(sink))
    with pytest.raises(Invalid) as refusal:
        channel.check(address, {})
    assert refusal.value.place == "address"
    assert isinstance(await channel.send(make_message(address=address)), Refused)
    assert sink.mails == []


@pytest.mark.parametrize(
    "address", ["root@localhost", "ana.silva+pager@mail.example.org", "o'neil@example.org"]
)
async def test_plain_addresses_are_accepted(sink, make_message, address):
    channel = Email(settings_for(sink))
    channel.check(address, {})
    assert isinstance(await channel.send(make_message(address=address)), Sent)


def test_a_sender_that_is_no_address_is_refused_at_the_start():
    with pytest.raises(Invalid):
        Email(SmtpSettings(host="x", sender="not an address"))


def test_settings_do_not_show_the_password():
    assert "s3cret" not in repr(SmtpSettings(host="x", user="u", password="s3cret"))
