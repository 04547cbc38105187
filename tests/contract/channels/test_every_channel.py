"""What every channel must do, whatever it talks to: the contract between the engine and the world."""

import pytest

from nightbell.core.delivery import Refused, Retry, Sent, Unsure

HOSTILE = {
    "line breaks": "Disk\r\nBcc: eve@example.org\r\n\r\nowned",
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "templates": "{{7*7}} ${jndi:ldap://x} %s %(x)s {alertname.__class__} {{ title }}",
    "mentions": "@channel <!here> =cmd()",
    "escape sequences": "\x1b[31mred\x1b[0m \x07 \x9b31m",
    "direction overrides": "abc\u202etxt.exe\u2066 \u05e9\u05dc\u05d5\u05dd",
    "quotes": '"\'`\\" }, {"title": "forged"',
    "separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "encoded words": "=?utf-8?q?=0D=0ABcc=3A_eve=40example=2Eorg?=",
    "SMTP end": "line\r\n.\r\nMAIL FROM:<eve@example.org>\r\n.starts with a dot",
    "long": "A" * 100_000,
    "unicode": "\U0001f525 caf\u00e9 \u6f22\u5b57 \u0e20\u0e32\u0e29\u0e32 e\u0301" * 200,
}


async def test_an_accepted_message_is_sent(rig, make_message):
    rig.accepts()
    assert isinstance(await rig.channel.send(make_message(**rig.reaches)), Sent)
    assert len(rig.arrived()) == 1


async def test_a_permanent_refusal_is_refused_with_the_reason(rig, make_message):
    rig.refuses()
    outcome = await rig.channel.send(make_message(**rig.reaches))
    assert isinstance(outcome, Refused)
    assert rig.refusal in outcome.why


async def test_a_temporary_failure_is_to_be_retried(rig, make_message):
    rig.defers()
    outcome = await rig.channel.send(make_message(**rig.reaches))
    assert isinstance(outcome, Retry)
    assert "come back" in outcome.why


async def test_a_reset_after_the_message_was_handed_over_leaves_doubt(rig, make_message):
    rig.resets()
    assert isinstance(await rig.channel.send(make_message(**rig.reaches)), Unsure)


async def test_silence_after_the_message_was_handed_over_leaves_doubt(rig, make_message):
    rig.hangs()
    assert isinstance(await rig.channel.send(make_message(**rig.reaches)), Unsure)


async def test_nobody_listening_is_certainly_not_sent(rig, make_message):
    message = make_message(**rig.nobody_listens)
    outcome = await rig.channel.send(message)
    assert isinstance(outcome, Retry)
    assert outcome.why


async def test_a_name_without_an_address_is_certainly_not_sent(rig, make_message):
    message = make_message(**rig.nobody_has_the_name)
    assert isinstance(await rig.channel.send(message), Retry)


async def test_a_failure_is_forgotten_by_the_next_message(rig, make_message):
    for trouble in (rig.resets, rig.hangs, rig.defers, rig.accepts):
        trouble()
        outcome = await rig.channel.send(make_message(**rig.reaches))
    assert isinstance(outcome, Sent)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_is_delivered_once(rig, make_message, text):
    rig.accepts()
    message = make_message(
        **rig.reaches,
        title=text,
        body=text,
        status=text[:200],
        urgency=text[:200],
        recipient=text,
        labels={"alertname": text, text[:200]: "x"},
        annotations={"summary": text},
    )
    assert isinstance(await rig.channel.send(message), Sent)
    assert len(rig.arrived()) == 1


async def test_an_annotation_of_a_megabyte_is_cut_and_marked(rig, make_message):
    rig.accepts()
    huge = '\u00e9\n"' * 350_000
    message = make_message(
        **rig.reaches,
        body=huge,
        labels={f"label{n}": huge for n in range(300)},
        annotations={"summary": huge},
    )
    assert isinstance(await rig.channel.send(message), Sent)
    [body] = rig.arrived()
    assert len(body) < 1024 * 1024


async def test_every_attempt_carries_the_same_key(rig, make_message):
    rig.accepts()
    rig.accepts()
    for _ in range(2):
        await rig.channel.send(make_message(**rig.reaches))
    first, second = rig.arrived()
    assert first == second


async def test_a_message_without_links_or_alert_is_sent(rig, make_message):
    rig.accepts()
    message = make_message(
        **rig.reaches,
        purpose="test",
        body="",
        status="",
        urgency="",
        short_id="",
        labels={},
        annotations={},
        started_at=None,
        level=None,
        alert_url="",
        acknowledge_url="",
        escalate_url="",
        snooze_url="",
    )
    assert isinstance(await rig.channel.send(message), Sent)
