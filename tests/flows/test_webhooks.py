"""Events on their way to endpoints: told once, signed, tried with patience, given up with a word to the operators."""

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings
from nightbell.channels.outgoing import Outgoing, signature
from nightbell.core.journal import SYSTEM
from nightbell.core.webhook import GIVEN_UP
from nightbell.engine import edits
from nightbell.engine.configure import Configure, seed
from nightbell.engine.configure_webhooks import EndpointEdit
from nightbell.engine.directory import Directories
from nightbell.engine.ids import new_id
from nightbell.engine.node import Node
from nightbell.engine.outgoing import LEASE, Sending
from nightbell.engine.relaying import LARGEST, Relaying
from nightbell.engine.vault import Vault
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.testing.clock import FrozenClock
from nightbell.testing.doubles import Double, Hang, Reply, Reset

SECRET = "a-secret-of-sixteen-and-more"


class Rig:
    """One node's lane of webhooks, told by hand when to look."""

    def __init__(self, db, clock, vault, http, name="node"):
        self.db, self.clock = db, clock
        directories = Directories()
        self.configure = Configure(db, vault, registry.build(SmtpSettings(host=""), http))
        self.node = Node(name=name, clock=clock, woken=lambda committed: None)
        self.relaying = Relaying(db, self.shows)
        self.sending = Sending(db, directories, vault, Outgoing(http), self.node)
        self.shown = {}

    async def shows(self, resource, ids):
        return {key: self.shown[key] for key in ids if key in self.shown}

    async def endpoint(self, url, *events, **more):
        edit = EndpointEdit(name="sink", url=url, event_types=list(events), secret=SECRET, **more)
        return await self.configure.create_endpoint(edit, by=SYSTEM, now=self.clock())

    async def happened(self, kind="alert_created", *, alert=None, incident=None, at=None, **data):
        ident = new_id(at or self.clock())
        await self.db.run(
            "INSERT INTO happenings (id, kind, alert_id, incident_id, data, at, created_at, updated_at) "
            "VALUES ($1, $2, $3, $4, $5, $6, $6, $6)",
            ident,
            kind,
            alert,
            incident,
            data,
            at or self.clock(),
        )
        return ident

    async def round(self):
        await self.relaying.relay(self.clock())
        await self.sending.pump()
        await self.sending.settle()

    async def deliveries(self):
        return await self.db.fetch("SELECT * FROM webhooks_deliveries ORDER BY id")


@pytest.fixture
async def http():
    client = Http(Guard(["127.0.0.0/8"]), total=timedelta(seconds=2), connect=timedelta(seconds=1))
    yield client
    await client.aclose()


@pytest.fixture
async def rig(db, http):
    clock = FrozenClock()
    await seed(db, clock())
    # What was written down when the installation was made is nobody's news.
    rig = Rig(db, clock, Vault(b"key"), http)
    await rig.relaying.relay(clock())
    yield rig
    await rig.sending.close()


@pytest.fixture
async def sink():
    async with Double() as double:
        yield double


async def test_an_event_arrives_signed_and_in_the_documented_shape(rig, sink):
    alert = uuid4()
    rig.shown[alert] = {"id": str(alert), "summary": "DiskFull", "status": "triggered"}
    await rig.endpoint(f"{sink.url}/hook", "alert.created")
    ident = await rig.happened(alert=alert)
    sink.will(Reply(status=204))
    await rig.round()
    [request] = sink.requests
    assert request.json() == {
        "event": {"id": str(ident), "type": "alert.created", "issued_at": "2026-11-23T02:00:00.000Z"},
        "data": {"id": str(alert), "summary": "DiskFull", "status": "triggered"},
    }
    assert request.headers["x-rootly-signature"] == signature(SECRET, request.body, rig.clock())
    [row] = await rig.deliveries()
    assert (row["state"], row["response_status"], row["attempts"]) == ("delivered", 204, 1)
    assert row["payload"].encode() == request.body


async def test_what_nobody_asked_for_is_told_nobody(rig, sink):
    await rig.endpoint(sink.url, "incident.created")
    await rig.endpoint(sink.url, "alert.created", enabled=False)
    await rig.happened()
    await rig.round()
    assert await rig.deliveries() == []
    assert await rig.db.value("webhooks_news", rig.clock()) is False


async def test_a_failure_is_tried_again_with_the_same_event_and_a_new_signature(rig, sink):
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened()
    sink.will(Reply(status=500, body=b"not now"), Reset(), Reply())
    await rig.round()
    [row] = await rig.deliveries()
    assert (row["state"], row["response_status"], row["why"]) == ("waiting", 500, "HTTP 500: not now")
    await rig.round()
    assert len(sink.requests) == 1, "not before its time"
    for wait in (timedelta(seconds=10), timedelta(minutes=1)):
        rig.clock.instant += wait
        await rig.round()
    assert len({request.body for request in sink.requests}) == 1
    assert len({request.headers["x-rootly-signature"] for request in sink.requests}) == 3
    [row] = await rig.deliveries()
    assert (row["state"], row["attempts"]) == ("delivered", 3)
    assert [one["status"] for one in row["tries"]] == [500, None, 200]


async def test_a_receiver_that_asks_for_patience_gets_it(rig, sink):
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened()
    sink.will(Reply(status=429, headers={"Retry-After": "3600"}), Reply())
    await rig.round()
    rig.clock.instant += timedelta(minutes=59)
    await rig.round()
    assert len(sink.requests) == 1
    rig.clock.instant += timedelta(minutes=2)
    await rig.round()
    assert len(sink.requests) == 2


async def test_relaying_twice_is_relaying_once(rig, sink, db, http):
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened()
    other = Rig(db, rig.clock, Vault(b"key"), http, "other")
    await asyncio.gather(rig.relaying.relay(rig.clock()), other.relaying.relay(rig.clock()))
    await db.run("UPDATE happenings SET relayed_at = NULL")
    sink.will(Reply())
    await rig.round()
    assert len(sink.requests) == 1


async def test_two_nodes_send_an_event_once(rig, sink, db, http):
    await rig.endpoint(sink.url, "alert.created")
    for _ in range(30):
        await rig.happened()
        sink.will(Reply())
    other = Rig(db, rig.clock, Vault(b"key"), http, "other")
    await rig.relaying.relay(rig.clock())
    await asyncio.gather(rig.sending.pump(), other.sending.pump())
    await asyncio.gather(rig.sending.settle(), other.sending.settle())
    assert len({request.json()["event"]["id"] for request in sink.requests}) == 30
    assert len(sink.requests) == 30


async def test_an_endpoint_that_hangs_holds_up_only_itself(rig, sink):
    async with Double(always=Hang()) as slow:
        await rig.endpoint(slow.url, "alert.created")
        await rig.endpoint(sink.url, "alert.created")
        for _ in range(8):
            await rig.happened()
            sink.will(Reply())
        await rig.relaying.relay(rig.clock())
        await rig.sending.pump()
        await sink.wait_for(8, within=timedelta(seconds=1.5))
        await rig.sending.close()


async def test_a_node_that_dies_while_sending_is_taken_over_under_the_same_event(rig, sink, db, http):
    await rig.endpoint(sink.url, "alert.created")
    ident = await rig.happened()
    await rig.relaying.relay(rig.clock())
    await db.run(
        "UPDATE webhooks_deliveries SET state = 'sending', leased_by = 'dead', attempts = 1, lease_until = $1",
        rig.clock() + LEASE,
    )
    assert await rig.sending.recover() == 0
    rig.clock.instant += LEASE
    assert await rig.sending.recover() == 1
    sink.will(Reply())
    await rig.round()
    assert sink.requests[0].json()["event"]["id"] == str(ident)


async def test_a_former_self_is_taken_over_at_once(rig, sink, db):
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened()
    await rig.relaying.relay(rig.clock())
    await db.run(
        "UPDATE webhooks_deliveries SET state = 'sending', leased_by = 'node', attempts = 1, lease_until = $1",
        rig.clock() + LEASE,
    )
    assert await rig.sending.recover(gone=["node"]) == 1


async def incident(db, clock, **more):
    ident, values = uuid4(), {"kind": "normal", "private": False, **more}
    await db.run(
        "INSERT INTO incidents (id, sequential_id, slug, title, kind, status, private, source, started_at, "
        "scheduled_for, scheduled_until, created_at, updated_at) "
        "VALUES ($1::uuid, (SELECT count(*) + 1 FROM incidents), $1::uuid::text, 't', $2, 'started', $3, 'test', $4, $4, "
        "$4::timestamptz + interval '1 hour', $4, $4)",
        ident,
        values["kind"],
        values["private"],
        clock(),
    )
    return ident


async def test_a_private_incident_is_told_only_where_that_was_chosen(rig, sink, db):
    await rig.endpoint(f"{sink.url}/open", "incident.created", "incident_event.created")
    await rig.endpoint(f"{sink.url}/trusted", "incident.created", private=True)
    secret = await incident(db, rig.clock, private=True)
    await rig.happened("incident_created", incident=secret)
    await rig.happened("incident_event_created", incident=secret, event_id=str(uuid4()))
    sink.will(Reply())
    await rig.round()
    assert [request.path for request in sink.requests] == ["/trusted"]


async def test_planned_work_has_events_of_its_own(rig, sink, db):
    await rig.endpoint(sink.url, "incident.created", "incident.scheduled.created")
    planned = await incident(db, rig.clock, kind="scheduled")
    await rig.happened("incident_created", incident=planned)
    sink.will(Reply())
    await rig.round()
    assert sink.requests[0].json()["event"]["type"] == "incident.scheduled.created"


async def test_what_is_gone_is_told_with_what_is_known_of_it(rig, sink):
    await rig.endpoint(sink.url, "incident.deleted")
    gone = uuid4()
    await rig.happened("incident_deleted", incident=gone, title="It was nothing")
    sink.will(Reply())
    await rig.round()
    assert sink.requests[0].json()["data"] == {"id": str(gone), "title": "It was nothing"}


async def test_a_change_of_the_configuration_is_told_as_an_audit(rig, sink):
    await rig.endpoint(sink.url, "audit_log.created")
    sink.will(Reply(), Reply())
    edit = edits.TeamEdit(name="Ops")
    await rig.configure.create_team(edit, by=SYSTEM, now=rig.clock())
    await rig.round()
    told = {request.json()["data"]["event_display"]: request.json()["data"] for request in sink.requests}
    assert told.keys() == {"webhooks_endpoint.created", "team.created"}
    assert (told["team.created"]["event"], told["team.created"]["item_type"]) == ("created", "team")
    assert SECRET not in msgspec.json.encode(told).decode()


async def test_an_enormous_alert_goes_without_its_request(rig, sink):
    alert = uuid4()
    rig.shown[alert] = {"id": str(alert), "summary": "big", "data": {"x": "y" * LARGEST}}
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened(alert=alert)
    sink.will(Reply())
    await rig.round()
    told = sink.requests[0].json()["data"]
    assert told == {"id": str(alert), "summary": "big", "data_left_out": True}


async def test_one_thing_that_cannot_be_shown_holds_up_nothing(rig, sink):
    async def shows(resource, ids):
        raise LookupError(resource)

    rig.relaying = Relaying(rig.db, shows)
    alert = UUID(int=7)
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened(alert=alert)
    sink.will(Reply())
    await rig.round()
    assert sink.requests[0].json()["data"] == {"id": str(alert)}


# ---------------------------------------------------------------- giving up, and once more


async def given_up(rig, sink):
    """Let an endpoint fail until it is switched off."""
    ident = await rig.endpoint(sink.url, "alert.created")
    end = rig.clock() + GIVEN_UP + timedelta(hours=1)
    while rig.clock() < end:
        await rig.happened()
        sink.will(*[Reply(status=500) for _ in range(40)])
        await rig.round()
        rig.clock.instant += timedelta(hours=12)
    sink._script.clear()
    return ident


async def test_an_endpoint_that_takes_nothing_for_days_is_switched_off_and_the_operators_are_told(rig, db):
    edit = edits.UserEdit(name="Ana", email="ana@example.org", role="owner")
    ana = await rig.configure.create_user(edit, by=SYSTEM, now=rig.clock())
    edit = edits.UserEdit(name="Bo", email="bo@example.org", role="user")
    await rig.configure.create_user(edit, by=SYSTEM, now=rig.clock())
    async with Double() as sink:
        ident = await given_up(rig, sink)
        asked = len(sink.requests)
        await rig.happened()
        await rig.round()
        assert len(sink.requests) == asked
    row = await rig.db.fetch("SELECT enabled, disabled_why FROM webhooks_endpoints WHERE id = $1", ident)
    assert (row[0]["enabled"], row[0]["disabled_why"]) == (False, "HTTP 500")
    assert {row["state"] for row in await rig.deliveries()} == {"failed"}
    [notice] = await db.fetch("SELECT * FROM notices")
    assert (notice["user_id"], notice["kind"]) == (ana, "webhook")
    assert notice["said"].startswith(
        "The webhook endpoint sink was switched off. Because it took nothing for 5 days"
    )
    messages = await db.fetch("SELECT user_id, kind, purpose, state FROM notifications")
    assert [tuple(row.values()) for row in messages] == [(ana, "email", "notice", "waiting")]
    audited = await db.fetch("SELECT actor FROM audit_log WHERE action = 'webhooks_endpoint.switched_off'")
    assert [row["actor"] for row in audited] == ["Webhooks"]


async def test_whoever_switches_it_on_again_starts_its_patience_anew(rig):
    async with Double() as sink:
        ident = await given_up(rig, sink)
        edit = EndpointEdit(enabled=True)
        await rig.configure.update_endpoint(ident, edit, by=SYSTEM, now=rig.clock())
        await rig.happened()
        sink.will(Reply(status=500))
        await rig.round()
        row = await rig.db.fetch("SELECT enabled, failing_since, disabled_why FROM webhooks_endpoints")
        assert tuple(row[0].values()) == (True, rig.clock(), "")


async def test_one_success_and_an_endpoint_is_well(rig, sink):
    await rig.endpoint(sink.url, "alert.created")
    sink.will(Reply(status=500), Reply())
    await rig.happened()
    await rig.round()
    rig.clock.instant += timedelta(seconds=10)
    await rig.round()
    row = await rig.db.fetch("SELECT failing_since, failing_why FROM webhooks_endpoints")
    assert tuple(row[0].values()) == (None, "")


async def test_a_replay_is_the_same_event_once_more(rig, sink):
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened()
    sink.will(Reply(), Reply())
    await rig.round()
    [row] = await rig.deliveries()
    await rig.configure.redeliver(row["id"], by=SYSTEM, now=rig.clock())
    await rig.round()
    first, second = sink.requests
    assert first.body == second.body
    assert (await rig.deliveries())[0]["state"] == "delivered"


async def test_what_is_old_and_over_is_forgotten(rig, sink):
    await rig.endpoint(sink.url, "alert.created")
    await rig.happened()
    sink.will(Reply())
    await rig.round()
    await rig.db.execute("forget_webhook_deliveries", rig.clock())
    assert len(await rig.deliveries()) == 1
    await rig.db.execute("forget_webhook_deliveries", rig.clock() + timedelta(seconds=1))
    assert await rig.deliveries() == []
