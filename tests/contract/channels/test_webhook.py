"""The webhook's body, signature and template."""

import hashlib
import hmac

import msgspec
import pytest

from nightbell.channels.webhook import FIELDS, Webhook, render
from nightbell.core.delivery import Message, Refused, Sent
from nightbell.core.errors import Invalid
from nightbell.testing.doubles import Double, Reply

SECRETS = {"address", "settings"}
#: What other channels need to send, answer and thread.
INNER = {"provider", "reply_code", "callback_url", "earlier", "bundle"}


@pytest.fixture
async def double():
    async with Double() as double:
        yield double


async def test_the_default_body_holds_every_field_but_the_secrets(http, double, make_message):
    double.will(Reply())
    settings = {"secret": "hush"}
    await Webhook(http).send(make_message(address=f"{double.url}/hook?x=1", settings=settings))
    [request] = double.requests
    body = request.json()
    assert request.path == "/hook?x=1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["idempotency-key"] == "page-7/email/1"
    assert body["event"] == {
        "id": "01890000-0000-7000-8000-000000000001",
        "type": "notification.page",
        "issued_at": "2026-11-23T02:00:05Z",
    }
    assert body["data"].keys() == set(Message.__struct_fields__) - SECRETS - INNER
    assert body["data"]["title"] == "HighErrorRate (3 firing)"
    assert body["data"]["labels"] == {"alertname": "HighErrorRate", "severity": "critical"}
    assert b"hush" not in request.body


async def test_a_receiver_can_verify_the_signature(http, double, make_message):
    double.will(Reply())
    await Webhook(http).send(make_message(address=double.url, settings={"secret": "hush"}))
    [request] = double.requests
    stamp, mark = (part.partition("=")[2] for part in request.headers["x-nightbell-signature"].split(","))
    assert stamp == "1795399205"
    assert mark == hmac.new(b"hush", stamp.encode() + request.body, hashlib.sha256).hexdigest()


async def test_without_a_secret_there_is_no_signature(http, double, make_message):
    double.will(Reply())
    await Webhook(http).send(make_message(address=double.url))
    assert "x-nightbell-signature" not in double.requests[0].headers


def filled(make_message, template, **changes):
    return msgspec.json.decode(render(make_message(settings={"template": template}, **changes)))


def test_a_template_gives_the_body_its_shape(make_message):
    template = '{"text": "{{title}}: {{ labels.severity }}", "n": [1, "{{ level }}"], "l": "{{ labels }}"}'
    assert filled(make_message, template) == {
        "text": "HighErrorRate (3 firing): critical",
        "n": [1, 1],
        "l": {"alertname": "HighErrorRate", "severity": "critical"},
    }


def test_alert_text_never_becomes_structure_nor_a_placeholder(make_message):
    title = '", "admin": true, "x": "{{ body }} \n \\'
    assert filled(make_message, '{"text": "say {{ title }}!"}', title=title) == {"text": f"say {title}!"}


def test_what_is_missing_is_empty(make_message):
    template = '{"a": "{{ labels.nope }}", "b": "level {{ level }}", "c": "{{ level }}"}'
    assert filled(make_message, template, level=None) == {"a": "", "b": "level ", "c": None}


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{", "not JSON"),
        ('{"a": {{ title }} }', "not JSON"),
        ('{"a": "{{ titel }}"}', "no field 'titel'"),
        ('{"a": "{{ address }}"}', "no field 'address'"),
        ('{"a": "{{ settings.secret }}"}', "no field 'settings.secret'"),
        ('{"a": "{{ title.upper }}"}', "no field 'title.upper'"),
        ('{"a": "{{ title | upper }}"}', "without a field"),
        ('{"a": "{{ __class__ }}"}', "no field"),
        ("[" * 30 + "]" * 30, "deeper"),
        ("[" * 30_000, "not JSON"),
        ('"' + "x" * 70_000 + '"', "longer"),
    ],
)
def test_a_bad_template_is_refused_when_saving(http, template, says):
    with pytest.raises(Invalid, match=says) as refusal:
        Webhook(http).check("https://hooks.example.org/x", {"template": template})
    assert refusal.value.place == "settings.template"


def test_every_field_can_be_used_in_a_template(http, make_message):
    template = "[" + ",".join(f'"{{{{ {name} }}}}", "x {{{{ {name} }}}}"' for name in FIELDS) + "]"
    Webhook(http).check("https://hooks.example.org/x", {"template": template})
    assert len(filled(make_message, template)) == 2 * len(FIELDS)


async def test_a_stored_template_that_went_bad_is_refused_not_raised(http, make_message):
    outcome = await Webhook(http).send(
        make_message(address="http://127.0.0.1:9/", settings={"template": "{"})
    )
    assert isinstance(outcome, Refused)


async def test_long_values_are_cut_one_by_one(http, double, make_message):
    double.will(Reply())
    labels = {f"l{n:03}": "v" * 10_000 for n in range(150)}
    outcome = await Webhook(http).send(make_message(address=double.url, labels=labels, body="b" * 100_000))
    assert isinstance(outcome, Sent)
    data = double.requests[0].json()["data"]
    assert data["body"].endswith("…") and len(data["body"].encode()) == 16 * 1024
    assert data["labels"]["l000"].endswith("…") and len(data["labels"]["l000"].encode()) == 4 * 1024
    assert data["labels"]["…"] == "50 more"
    assert data["title"] == "HighErrorRate (3 firing)"
