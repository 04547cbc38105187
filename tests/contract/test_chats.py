"""The whole way with Discord, Mattermost and push: a page goes out to a double, and what is called back is believed or not."""

import json
from datetime import timedelta

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from nightbell.core.access import Role
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits, identity
from nightbell.engine.configure import seed
from nightbell.engine.sealed import MASK, seal_address
from nightbell.engine.vault import Vault
from nightbell.store.read import people
from nightbell.testing.browsers import Browser
from nightbell.testing.clock import FrozenClock
from nightbell.testing.doubles import Double, Reply
from support.bells import START, ringing

DISCORD = Ed25519PrivateKey.generate()
PUBLIC = DISCORD.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
CHANNEL = "c" * 26
SENT = "SELECT kind, state, stage FROM notifications WHERE alert_id = $1 AND purpose = 'page' ORDER BY id"
POSTED = Reply(body=b'{"id":"42","channel_id":"77777"}')
PUT = Reply(body=b'{"id":"pppppppppppppppppppppppppp"}')


@pytest.fixture
async def service():
    async with Double() as double:
        yield double


@pytest.fixture
async def bell(db, tmp_path, service):
    clock = FrozenClock(START)
    await seed(db, clock())
    providers = {
        "discord": {"bot_token": "b0t", "public_key": PUBLIC, "base_url": service.url},
        "mattermost": {"bot_token": "b0t", "base_url": service.url},
    }
    async with ringing(db, tmp_path, providers, clock) as bell:
        yield bell


def buttons(message):
    """Return what the buttons of a message at Discord carry, by label."""
    return {one["label"]: one["custom_id"] for row in message["components"] for one in row["components"]}


async def discord(bell, payload, *, key=DISCORD, stamp="1763863205"):
    """Call as Discord does."""
    body = msgspec.json.encode(payload)
    signature = key.sign(stamp.encode() + body).hex()
    headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": stamp}
    return await bell.client.post(f"{bell.url}/callbacks/discord", content=body, headers=headers)


def pressed(custom_id, by, ident="900"):
    """Return what Discord says of a button."""
    return {"id": ident, "type": 3, "data": {"custom_id": custom_id}, "member": {"user": {"id": by}}}


# ---------------------------------------------------------------- Discord


async def test_a_button_at_discord_acknowledges_and_the_message_follows(bell, service):
    service.will(Reply(body=b'{"id":"77777"}'), POSTED, POSTED)
    alert = await bell.page(await bell.person(discord="user:12345"))
    opened, sent = await service.wait_for(2)
    assert (opened.path, opened.json()) == ("/users/@me/channels", {"recipient_id": "12345"})
    assert sent.path == "/channels/77777/messages" and sent.headers["authorization"] == "Bot b0t"
    ids = buttons(sent.json())
    assert list(ids) == ["Acknowledge", "Escalate", "Snooze", "Resolve"]
    await bell.becomes(SENT, alert, wanted=[("discord", "sent", "")])
    for _ in range(2):
        answer = (await discord(bell, pressed(ids["Acknowledge"], "12345"))).json()
        assert answer["type"] == 4 and answer["data"]["flags"] == 64
        assert answer["data"]["content"].startswith("Acknowledged: DiskFull")
    assert await bell.status(alert) == "acknowledged"
    changed = (await service.wait_for(3))[2]
    assert (changed.method, changed.path) == ("PATCH", "/channels/77777/messages/42")
    assert "Acknowledge" not in buttons(changed.json())


async def test_a_stranger_at_discord_changes_nothing(bell, service):
    service.will(POSTED)
    alert = await bell.page(await bell.person(discord="77777"))
    ids = buttons((await service.wait_for(1))[0].json())
    answer = (await discord(bell, pressed(ids["Resolve"], "99999"))).json()
    assert "does not know who you are" in answer["data"]["content"]
    assert await bell.status(alert) == "triggered"


async def test_what_discord_did_not_sign_is_turned_away_and_its_check_is_passed(bell):
    assert (await discord(bell, {"id": "1", "type": 1})).json() == {"type": 1}
    forged = await discord(bell, {"id": "1", "type": 1}, key=Ed25519PrivateKey.generate())
    assert forged.status_code == 401
    bare = await bell.client.post(f"{bell.url}/callbacks/discord", content=b'{"type":1}')
    assert bare.status_code == 401
    odd = await discord(bell, pressed("nonsense", "12345"))
    assert "not one of ours" in odd.json()["data"]["content"]
    assert (await discord(bell, {"id": "1", "type": 3})).json()["type"] == 4


# ---------------------------------------------------------------- Mattermost


async def test_a_button_at_mattermost_acknowledges_once_and_the_post_follows(bell, service):
    service.will(PUT, PUT)
    alert = await bell.page(await bell.person(mattermost=CHANNEL))
    [sent] = await service.wait_for(1)
    assert sent.path == "/api/v4/posts" and sent.headers["authorization"] == "Bearer b0t"
    actions = {one["id"]: one for one in sent.json()["props"]["attachments"][0]["actions"]}
    where = actions["acknowledge"]["integration"]
    click = {"user_id": "u", "post_id": "p", "trigger_id": "t1", "context": where["context"]}
    for _ in range(2):
        answer = await bell.client.post(where["url"], json=click)
        assert answer.json()["ephemeral_text"].startswith("Acknowledged: DiskFull")
    assert await bell.status(alert) == "acknowledged"
    changed = (await service.wait_for(2))[1]
    assert (changed.method, changed.path) == ("PUT", "/api/v4/posts/" + "p" * 26)
    assert "acknowledge" not in [o["id"] for o in changed.json()["props"]["attachments"][0]["actions"]]


@pytest.mark.parametrize("spoil", ["token", "context", "body"])
async def test_a_forged_button_of_mattermost_changes_nothing(bell, service, spoil):
    service.will(PUT)
    alert = await bell.page(await bell.person(mattermost=CHANNEL))
    [sent] = await service.wait_for(1)
    where = sent.json()["props"]["attachments"][0]["actions"][0]["integration"]
    url = where["url"][:-3] + "AAA" if spoil == "token" else where["url"]
    act = "drop tables" if spoil == "context" else "acknowledge"
    click = {"trigger_id": "t", "context": {"act": act}} if spoil != "body" else {"context": 7}
    answer = await bell.client.post(url, json=click)
    assert answer.status_code in (200, 204)
    assert await bell.status(alert) == "triggered"


async def test_a_button_past_its_time_says_so(bell, service):
    service.will(PUT)
    alert = await bell.page(await bell.person(mattermost=CHANNEL))
    [sent] = await service.wait_for(1)
    where = sent.json()["props"]["attachments"][0]["actions"][0]["integration"]
    bell.clock.move_to(START + timedelta(days=30))
    answer = await bell.client.post(where["url"], json={"trigger_id": "t", "context": where["context"]})
    assert "expired" in answer.json()["ephemeral_text"]
    assert await bell.status(alert) == "triggered"


# ---------------------------------------------------------------- push


async def test_a_push_is_encrypted_signed_and_urgent(bell, service):
    service.will(Reply(status=201, headers={"Location": f"{service.url}/m/abc"}))
    browser = Browser()
    ana = await bell.person(push=f"{service.url}/push/1", settings=browser.settings)
    alert = await bell.page(ana)
    [sent] = await service.wait_for(1)
    told = json.loads(browser.opened(sent.body))
    assert told["title"].startswith("[TRIGGERED] DiskFull on db-1") and told["loud"]
    assert told["acknowledge"].startswith(f"{bell.url}/a/")
    assert (sent.headers["urgency"], sent.headers["content-encoding"]) == ("high", "aes128gcm")
    assert sent.headers["authorization"].startswith("vapid t=") and int(sent.headers["ttl"]) > 0
    assert b"DiskFull" not in sent.body
    acknowledged = await bell.client.post(told["acknowledge"])
    assert acknowledged.status_code == 200
    assert await bell.status(alert) == "acknowledged"


@pytest.mark.parametrize("status", [404, 410])
async def test_a_subscription_that_expired_marks_the_contact_method_until_it_works_again(
    bell, service, status
):
    service.will(Reply(status=status), Reply(status=201))
    ana = await bell.person(push=f"{service.url}/push/1", settings=Browser().settings)
    alert = await bell.page(ana)
    await bell.becomes(SENT, alert, wanted=[("push", "refused", "")])
    failing = "SELECT failing_since IS NOT NULL, failing_why <> '' FROM contact_methods"
    await bell.becomes(f"{failing} WHERE user_id = $1", ana, wanted=[(True, True)])
    await bell.page(ana, summary="Another")
    await bell.becomes(f"{failing} WHERE user_id = $1", ana, wanted=[(False, False)])


# ---------------------------------------------------------------- what is kept


async def test_an_address_that_is_a_key_is_sealed_masked_and_still_works(bell, service):
    hook = f"{service.url}/hooks/{'k' * 26}"
    service.will(Reply(body=b"ok"))
    ana = await bell.person(mattermost=hook)
    [row] = await bell.db.fetch("SELECT id, address FROM contact_methods WHERE user_id = $1", ana)
    assert row["address"].startswith("sealed:") and "kkkk" not in row["address"]
    unchanged = edits.ContactMethodEdit(address=MASK, name="Chat")
    await bell.configure.update_contact_method(
        row["id"], unchanged, verified=True, by=SYSTEM, now=bell.clock()
    )
    alert = await bell.page(ana)
    [sent] = await service.wait_for(1)
    assert sent.path == f"/hooks/{'k' * 26}"
    await bell.becomes(SENT, alert, wanted=[("mattermost", "sent", "")])
    token = await identity.create_token(bell.db, ana, "reader", Role.USER, bell.clock())
    shown = await bell.client.get(
        f"{bell.url}/v1/contact_methods/{row['id']}", headers={"Authorization": f"Bearer {token}"}
    )
    assert shown.status_code == 200 and MASK in shown.json()["data"]["attributes"]["address"]
    assert "kkkk" not in shown.text and "sealed:" not in shown.text
    page = await seen(bell, ana, f"/people/{ana}")
    assert "127.0.0.1/…kkkk" in page and "sealed:" not in page and "kkkkk" not in page
    audit = str(await bell.db.fetch("SELECT changes::text FROM audit_log"))
    kept = await people.contact_method(bell.db, row["id"])
    assert "kkkkk" not in audit and kept and kept["name"] == "Chat"


@pytest.mark.parametrize(
    ("kind", "address", "secret"),
    [
        ("webhook", "https://ops:s3cret@hooks.example.org/x", True),
        ("webhook", "https://hooks.example.org/x?a=1&SIG=s3cret", True),
        ("ntfy", "https://ops:s3cret@ntfy.example.org/topic", True),
        ("webhook", "https://hooks.example.org/x?severity=high", False),
        ("ntfy", "https://ntfy.example.org/topic", False),
        ("webhook", "https://[broken/x?key=1", False),
        ("slack", "ops:s3cret@example.org", False),
    ],
)
def test_an_address_that_holds_a_key_is_sealed_whatever_its_kind(kind, address, secret):
    vault = Vault(b"key")
    stored = seal_address(vault, kind, address)
    assert stored.startswith("sealed:") == secret
    assert vault.open_text(stored) == address


async def seen(bell, user_id, path):
    """Return a page as a person who is logged in sees it."""
    browser = identity.Browser(user_agent="test", remote_ip="127.0.0.1")
    token = await identity.open_session(bell.db, user_id, browser, bell.clock())
    answer = await bell.client.get(f"{bell.url}{path}", headers={"Cookie": f"nightbell={token}"})
    assert answer.status_code == 200
    return answer.text


async def test_the_key_that_signs_pushes_is_made_once_and_sealed(bell):
    [row] = await bell.db.fetch("SELECT settings FROM providers WHERE name = 'push'")
    assert row["settings"]["private_key"].startswith("sealed:")
    known = await bell.engine.inbound.clerk.providers.of(bell.db, "push")
    await bell.db.execute("insert_push_key", row_id(), {"private_key": "other"}, bell.clock())
    assert await bell.engine.inbound.clerk.providers.of(bell.db, "push") == known


def row_id():
    """Return an id nobody has."""
    return "01890000-0000-7000-8000-00000000beef"
