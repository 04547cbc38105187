"""Tasks of workflows that reach outside: addresses, mail, chats, telephones, Alertmanager, each at a strict double."""

from datetime import timedelta

import pytest

from nightbell.core.journal import SYSTEM
from nightbell.engine.act import NewAlert
from nightbell.engine.incident_edits import IncidentEdit
from nightbell.engine.tasks import registry
from nightbell.testing.doubles import Double, Hang, Reply, Reset
from nightbell.testing.slack_double import SlackDouble
from nightbell.testing.telegram_double import TelegramDouble
from nightbell.testing.twilio_double import TwilioDouble
from support.tasks import Tasks


@pytest.fixture
async def tasks(scene):
    async with Tasks(scene) as tasks:
        yield tasks


@pytest.fixture
async def alert(scene):
    made = await scene.engine.act.create(
        NewAlert(summary='Disk "full"', labels={"alertname": "DiskFull", "instance": "db1"}),
        by=SYSTEM,
        now=scene.clock(),
    )
    return made.id


# ---------------------------------------------------------------- http_client


async def test_an_address_is_called_with_what_templates_give(tasks, alert):
    answer = Reply(
        status=201, body=b'{"id": 7}', headers={"Content-Type": "application/json", "Set-Cookie": "a=b"}
    )
    async with Double(answer) as double:
        said = await tasks.do(
            "http_client",
            {
                "url": double.url + "/hook?a=1",
                "method": "POST",
                "headers": '{"X-Alert": "{{ alert.labels.alertname }}", "Authorization": "Bearer s3cret"}',
                "params": '{"b": "{{ alert.labels.instance }}"}',
                "body": '{"summary": {{ alert.summary | to_json }}}',
                "succeed_on_status": "20[01]",
            },
            alert=alert,
            key="the-key",
        )
    asked = double.requests[0]
    assert (asked.method, asked.path) == ("POST", "/hook?a=1&b=db1")
    assert asked.json() == {"summary": 'Disk "full"'}
    assert (asked.headers["x-alert"], asked.headers["idempotency-key"]) == ("DiskFull", "the-key")
    assert asked.headers["content-type"] == "application/json"
    assert said.outcome == "done", said.why
    response = said.output["response"]
    assert (response["status"], response["json"]) == (201, {"id": 7})
    assert "set-cookie" not in response["headers"]


async def test_a_call_that_should_be_told_of_is_not_made_where_there_is_no_timeline(scene, tasks):
    async with Double(Reply()) as double:
        wish = {"url": double.url, "succeed_on_status": "200", "post_to_incident_timeline": True}
        assert (await tasks.do("http_client", wish)).outcome == "failed"
        assert double.requests == []
        made = await tasks.hands.incidents.create(IncidentEdit(title="Disks"), by=SYSTEM, now=scene.clock())
        assert (await tasks.do("http_client", wish, incident=made.id)).outcome == "done"
    lines = await scene.db.fetch("SELECT event FROM incident_events WHERE event LIKE 'GET %'")
    assert [line["event"] for line in lines] == ["GET 127.0.0.1 by Night shift"]


async def test_an_answer_that_is_no_success_fails_with_what_it_was(tasks):
    async with Double(
        Reply(status=500, body=b"oh no"), Reply(status=302, headers={"Location": "http://x/"})
    ) as double:
        wish = {"url": double.url, "succeed_on_status": "200"}
        said = await tasks.do("http_client", wish)
        assert (said.outcome, said.why) == ("failed", "The answer was 500, and a success is 200.")
        assert said.output["response"]["body"] == "oh no"
        assert (await tasks.do("http_client", wish)).outcome == "failed"


async def test_an_answer_that_no_database_takes_is_kept_without_it(tasks):
    answer = Reply(body=b'{"a\\u0000": "b\\u0000\\ud800"}', headers={"Content-Type": "application/json"})
    async with Double(answer) as double:
        said = await tasks.do("http_client", {"url": double.url, "succeed_on_status": "200"})
    assert said.outcome == "done", said.why
    assert "\0" not in str(said.output["response"]["json"])


async def test_a_server_that_asks_for_patience_gets_it(scene, tasks):
    async with Double(
        Reply(status=429, headers={"Retry-After": "30"}), Reply(status=429), Reply(status=429)
    ) as double:
        wish = {"url": double.url, "succeed_on_status": "200", "retry_count": 2, "retry_wait_time": 5}
        first = await tasks.do("http_client", wish)
        assert (first.outcome, first.until - scene.clock()) == ("retry", timedelta(seconds=30))
        second = await tasks.do("http_client", wish, attempt=2)
        assert (second.outcome, second.until - scene.clock()) == ("retry", timedelta(seconds=5))
        assert (await tasks.do("http_client", wish, attempt=3)).outcome == "failed"


async def test_a_call_without_an_answer_is_made_again_with_the_same_key(tasks):
    async with Double(Reset(), Hang(), Reply()) as double:
        step = await tasks.step()
        wish = {"url": double.url, "method": "POST", "succeed_on_status": "200"}
        outcomes = [(await tasks.again("http_client", wish, step)).outcome for _ in range(3)]
    assert outcomes == ["retry", "retry", "done"]
    assert len({request.headers["idempotency-key"] for request in double.requests}) == 1


@pytest.mark.parametrize("url", ["http://10.0.0.1/", "http://169.254.169.254/latest", "http://[::1]:1/", "file:///etc/passwd", "http://localhost:1/"])  # fmt: skip
async def test_private_addresses_are_not_called(scene, url):
    async with Tasks(scene, allowed=()) as tasks:
        said = await tasks.do("http_client", {"url": url, "succeed_on_status": "200"})
        assert said.outcome == "failed", said
        assert said.why


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"headers": "{{ 'not json' }}"}, "headers"),
        ({"headers": "{{ '[1]' }}"}, "headers"),
        ({"headers": '{"X": "a\\nb"}'}, "line break"),
        ({"headers": '{"{{ "X Y" }}": "a"}'}, "no header of yours"),
        ({"headers": '{"{{ "Content-Length" }}": "1"}'}, "no header of yours"),
        ({"params": "{{ 'x' }}"}, "params"),
        ({"url": "http://[", "params": '{"a": 1}'}, "no address"),
        ({"succeed_on_status": "{{ '((2{100}){100}){100}' }}"}, "repeats too much"),
        ({"succeed_on_status": "{{ '(' }}"}, "succeed_on_status"),
        ({"method": "{{ 'STEAL' }}"}, "method"),
    ],
)
async def test_what_templates_fill_in_wrongly_is_said_by_its_field(tasks, params, place):
    said = await tasks.do("http_client", {"url": "http://127.0.0.1:9/", "succeed_on_status": "200", **params})
    assert said.outcome == "failed" and place in said.why


def test_secrets_are_not_shown_with_a_run():
    given = {
        "url": "http://x",
        "headers": '{"Authorization": "Bearer s3cret", "X-Api-Key": "k", "X-A": "b"}',
        "token": "t",
    }
    shown = registry.shown("http_client", given)
    assert shown == {
        "url": "http://x",
        "headers": '{"Authorization":"•••","X-Api-Key":"•••","X-A":"b"}',
        "token": "•••",
    }
    assert registry.shown("http_client", {"headers": "Authorization: x"})["headers"] == "•••"


# ---------------------------------------------------------------- messages


async def test_everybody_gets_a_mail_of_their_own(tasks, alert):
    said = await tasks.do(
        "send_email",
        {"to": ["ana@example.org, {{ 'bo@example.org' }}"], "cc": ["cy@example.org"], "subject": "{{ alert.summary }}\n", "body": "Since\n{{ alert.started_at }}"},
        alert=alert,
    )  # fmt: skip
    assert said.outcome == "done", said.why
    assert sorted(mail.recipients for mail in tasks.mail.mails) == [
        ["ana@example.org"],
        ["bo@example.org"],
        ["cy@example.org"],
    ]
    assert 'Disk "full"' in tasks.mail.mails[0].message["Subject"]
    assert "Since" in tasks.mail.mails[0].text
    assert [one["outcome"] for one in said.output["messages"]] == ["sent"] * 3


async def test_a_mail_that_one_server_refuses_is_said_and_not_sent_again(tasks):
    tasks.mail.will("RCPT", "250 ok", "550 nobody")
    said = await tasks.do(
        "send_email", {"to": ["a@example.org", "b@example.org"], "subject": "x", "body": "y"}
    )
    assert said.outcome == "failed"
    assert sorted(one["outcome"] for one in said.output["messages"]) == ["refused", "sent"]
    tasks.mail.will("RCPT", "451 later")
    again = await tasks.do("send_email", {"to": ["a@example.org"], "subject": "x", "body": "y"})
    assert again.outcome == "retry" and again.until is not None
    assert (
        await tasks.do("send_email", {"to": ["{{ nobody }}"], "subject": "x", "body": "y"})
    ).outcome == "failed"


async def test_slack_is_written_to_as_plain_text(tasks, alert):
    async with SlackDouble(U0000ANA1="ana@example.org") as slack:
        tasks.providers["slack"] = slack.settings
        said = await tasks.do(
            "send_slack_message",
            {"text": "<!channel> {{ alert.summary }}\nmore", "channels": [{"id": "C0000OPS1"}], "slack_users": [{"id": "ana@example.org"}]},
            alert=alert,
        )  # fmt: skip
        assert said.outcome == "done", said.why
        first, second = await slack.take(), await slack.take()
        assert (first.channel, second.channel) == ("C0000OPS1", "D0000ANA1")
        assert "<!channel>" not in first.text and first.buttons == []
        slack.verify()


async def test_slack_hears_of_a_line_and_the_line_stands_where_it_does_not(scene, tasks):
    made = await tasks.hands.incidents.create(IncidentEdit(title="Disks"), by=SYSTEM, now=scene.clock())
    wish = {"event": "Looked", "post_to_slack_channels": [{"id": "C0000OPS1"}]}
    said = await tasks.do("add_to_timeline", wish, incident=made.id)
    assert (said.outcome, "bot_token" in said.why) == ("done", True)
    async with SlackDouble() as slack:
        tasks.providers["slack"] = slack.settings
        said = await tasks.do("add_to_timeline", wish, incident=made.id, key="another")
        assert (said.outcome, (await slack.take()).channel) == ("done", "C0000OPS1")
        slack.verify()


async def test_without_an_account_a_message_is_not_configured(tasks):
    said = await tasks.do("send_slack_message", {"text": "x", "channels": [{"id": "C0000OPS1"}]})
    assert said.outcome == "not_configured" and "bot_token" in said.why
    said = await tasks.do("send_sms", {"phone_numbers": ["+15550100"], "name": "x", "content": "y"})
    assert said.outcome == "not_configured"


async def test_telephones_get_texts_and_calls(scene, tasks, alert):
    async with TwilioDouble(scene.clock) as twilio:
        tasks.providers["twilio"] = twilio.settings
        wish = {
            "phone_numbers": ["+15550100300"],
            "name": "Ana",
            "content": "{{ alert.labels.instance }} is full",
        }
        said = await tasks.do("send_sms", wish, alert=alert)
        assert said.outcome == "done", said.why
        text = await twilio.take()
        assert (text.to, "db1 is full" in text.body) == ("+15550100300", True)
        assert (await tasks.do("call_people", wish, alert=alert)).outcome == "done"
        assert (await twilio.take()).to == "+15550100300"
        bad = await tasks.do("send_sms", {**wish, "phone_numbers": ["{{ 'ana' }}"]})
        assert bad.outcome == "failed"


@pytest.mark.parametrize(
    ("kind", "path", "status"),
    [
        ("send_microsoft_teams_message", "/workflows/1", 202),
        ("send_mattermost_message", "/hooks/abcdefghijklmnopqrstuvwxyz", 200),
        (
            "send_discord_message",
            "/api/webhooks/123456789012345678/abcdefghijklmnopqrstuvwxyz0123456789",
            200,
        ),
    ],
)
async def test_rooms_are_written_to(tasks, alert, kind, path, status):
    async with Double(Reply(status=status, body=b'{"id": "1"}')) as double:
        said = await tasks.do(
            kind, {"text": "{{ alert.summary }}", "channels": [{"id": double.url + path}]}, alert=alert
        )
        assert said.outcome == "done", said.why
        assert b"Disk" in double.requests[0].body


async def test_telegram_is_written_to(tasks, alert):
    async with TelegramDouble() as telegram:
        tasks.providers["telegram"] = telegram.settings
        wish = {"text": "{{ alert.summary }}", "channels": [{"id": "-1001234567890"}]}
        said = await tasks.do("send_telegram_message", wish, alert=alert)
        assert said.outcome == "done", said.why
        assert "full" in (await telegram.take()).text


# ---------------------------------------------------------------- Alertmanager


async def test_a_silence_is_made_for_the_labels_of_an_alert(scene, tasks, alert):
    async with Double(
        Reply(body=b'{"silenceID": "abc"}', headers={"Content-Type": "application/json"})
    ) as double:
        tasks.providers["alertmanager"] = {"base_url": double.url, "token": "t0ken"}
        said = await tasks.do("create_alertmanager_silence", {"duration": "2 hours"}, alert=alert, key="k1")
    assert said.output == {"silence_id": "abc"}, said.why
    asked = double.requests[0]
    assert (asked.path, asked.headers["authorization"]) == ("/api/v2/silences", "Bearer t0ken")
    body = asked.json()
    assert body["matchers"] == [
        {"name": "alertname", "value": "DiskFull", "isRegex": False, "isEqual": True},
        {"name": "instance", "value": "db1", "isRegex": False, "isEqual": True},
    ]
    assert (body["createdBy"], body["comment"].endswith("[k1]")) == ("Nightbell, Night shift", True)
    assert body["endsAt"] == (scene.clock() + timedelta(hours=2)).isoformat().replace("+00:00", "Z")


async def test_a_second_attempt_finds_the_silence_of_the_first(tasks, alert):
    found = b'[{"id": "abc", "comment": "x [k1]"}]'
    async with Double(Reset(), Reply(body=found)) as double:
        wish = {"alertmanager_url": double.url + "/", "matchers": 'a="b",c=~"d.*",e!="f"', "duration": "1h"}
        first = await tasks.do("create_alertmanager_silence", wish, alert=alert, key="k1")
        assert first.outcome == "retry"
        said = await tasks.do("create_alertmanager_silence", wish, alert=alert, key="k1", attempt=2)
        assert said.output == {"silence_id": "abc", "again": True}
    assert [m["isEqual"] for m in double.requests[0].json()["matchers"]] == [True, True, False]
    assert "authorization" not in double.requests[0].headers


async def test_a_silence_that_cannot_be_made_says_why(scene, tasks, alert):
    assert (await tasks.do("create_alertmanager_silence", {}, alert=alert)).outcome == "not_configured"
    async with Double(
        Reply(status=400, body=b'"bad matcher"'), Reply(status=503), Reply(body=b"<html>")
    ) as double:
        tasks.providers["alertmanager"] = {"base_url": double.url}
        outcomes = [
            (await tasks.do("create_alertmanager_silence", {}, alert=alert)).outcome for _ in range(3)
        ]
    assert outcomes == ["failed", "retry", "failed"]
    wrong = registry.problems("create_alertmanager_silence", {"matchers": "a=~", "duration": "long"})
    assert wrong
    async with Tasks(scene, allowed=()) as guarded:
        said = await guarded.do(
            "create_alertmanager_silence", {"alertmanager_url": "http://127.0.0.1:9093"}, alert=alert
        )
        assert said.outcome == "failed" and "private" in said.why
