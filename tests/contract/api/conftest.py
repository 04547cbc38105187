"""The program itself behind a real port, people with API tokens, and a sender that posts captured requests."""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest
import uvicorn
from rootly_sdk import AuthenticatedClient

from nightbell.app import Running, node
from nightbell.channels import registry
from nightbell.channels.email import SmtpSettings
from nightbell.core.access import Role
from nightbell.core.journal import SYSTEM
from nightbell.engine import edits
from nightbell.engine.configure import Configure, seed
from nightbell.engine.identity import create_token
from nightbell.net.guard import Guard
from nightbell.net.http import Http
from nightbell.settings import Settings
from nightbell.testing.clock import FrozenClock

SMTP = SmtpSettings(host="")
START = datetime(2026, 11, 23, 2, 0, 5, tzinfo=UTC)


class Server(uvicorn.Server):
    """A server that leaves signals to pytest."""

    @contextmanager
    def capture_signals(self):
        yield


@dataclass
class Program:
    url: str
    running: Running
    clock: FrozenClock
    configure: Configure


@pytest.fixture
def clock():
    return FrozenClock(START)


@pytest.fixture
def networks():
    """Private networks that outgoing requests may reach: none."""
    return ()


@pytest.fixture
async def program(db, clock, tmp_path, networks):
    """The running program: `.url`, `.running` and `.configure`."""

    await seed(db, clock())
    settings = Settings(data=tmp_path / "data", base_url="https://HOST", allow_networks=networks)
    async with node(settings, db, now=clock) as running:
        config = uvicorn.Config(running.asgi, port=0, log_config=None, lifespan="off", ws="none")
        server = Server(config)
        serving = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        configure = Configure(db, running.engine.vault, registry.build(SMTP, Http(Guard(()))))
        yield Program(f"http://127.0.0.1:{port}", running, clock, configure)
        running.engine.hub.close()
        server.should_exit = True
        await serving


@pytest.fixture
async def people(program, db):
    """Ana owns, Bo answers, Olga looks on; each with a token."""
    found = {}
    for name, role in (("Ana Silva", "owner"), ("Bo", "user"), ("Olga", "observer")):
        first = name.split()[0].lower()
        edit = edits.UserEdit(name=name, email=f"{first}@example.org", role=role)
        key = await program.configure.create_user(edit, by=SYSTEM, now=START)
        found[first] = (key, await create_token(db, key, "test", Role(role), START))
    return found


@pytest.fixture
async def call(program, people):
    """Ask the API: `await call("GET", "/v1/alerts", status=200)`; the answer's JSON."""

    async with httpx.AsyncClient(base_url=program.url) as client:

        async def ask(method, path, attributes=None, *, by="ana", status=200, **more):
            if attributes is not None:
                more["json"] = {"data": {"type": "anything", "attributes": attributes}}
            headers = {"Authorization": f"Bearer {people[by][1]}"} if by else {}
            answer = await client.request(method, path, headers=headers, **more)
            assert answer.status_code == status, answer.text
            expected = "application/json" if "receipts" in path else "application/vnd.api+json"
            assert answer.headers["content-type"] == expected
            return answer.json()

        yield ask


@pytest.fixture
def sdk(program, people):
    """Rootly's own client, as it comes from the package index."""
    return AuthenticatedClient(base_url=program.url, token=people["ana"][1], raise_on_unexpected_status=True)


@pytest.fixture
async def send(program, people):
    """Post a request as the source `prod`; `send.source_id` is its id."""
    key, secret = await program.configure.create_source(edits.SourceEdit(name="prod"), by=SYSTEM, now=START)

    class Send:
        source_id = key

        async def __call__(self, body, path=""):
            async with httpx.AsyncClient(base_url=program.url) as client:
                url = f"/webhooks/incoming/alertmanager_webhooks{path}"
                answer = await client.post(url, content=body, headers={"Authorization": f"Bearer {secret}"})
            assert answer.status_code == 200, answer.text
            return answer.json()

    return Send()
