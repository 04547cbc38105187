"""What a resource of the API is: a declaration, from which its routes, its documents and its OpenAPI text follow.

A new resource is one file in `resources/` with one `Resource` and the few functions it names. Nothing else is touched
but the list in `resources/__init__.py`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field

from nightbell.api import jsonapi
from nightbell.api.attribute import Attribute, Kind
from nightbell.api.auth import require
from nightbell.api.jsonapi import Document, Page
from nightbell.api.query import LARGEST_PAGE, PAGE_SIZE, Query
from nightbell.core.access import Permission
from nightbell.core.directory import Directory
from nightbell.core.errors import Invalid, Unknown
from nightbell.core.journal import Actor
from nightbell.engine.act import Act
from nightbell.engine.configure import Configure
from nightbell.engine.edits import Edit
from nightbell.engine.identity import Visitor
from nightbell.engine.incident_publishing import Publishing
from nightbell.engine.incidents import Incidents
from nightbell.engine.workflow_runs import Runs
from nightbell.store.db import Db
from nightbell.store.read.listing import Found, Listing, Record


class Edge(Struct, frozen=True, kw_only=True):
    """What the API works with."""

    db: Db
    act: Act
    configure: Configure
    publishing: Publishing
    incidents: Incidents
    runs: Runs
    clock: Callable[[], datetime]
    #: How people and clients reach us, without a slash at the end.
    base_url: str
    #: Returns the configuration as it is now.
    directory: Callable[[], Awaitable[Directory]]


class Call(Struct, frozen=True, kw_only=True):
    """One request: who asks, when, for which path, and what they sent."""

    edge: Edge
    visitor: Visitor
    now: datetime
    url: str
    path: Mapping[str, str]
    query: Query
    attributes: dict[str, Any]

    @property
    def db(self) -> Db:
        """Return the database, to read from."""
        return self.edge.db

    @property
    def actor(self) -> Actor:
        """Return who is behind a change."""
        return self.visitor.actor

    @property
    def listing(self) -> Listing:
        """Return which part of a list is asked for."""
        return self.query.listing

    @property
    def parent(self) -> str:
        """Return the id in the path of a nested collection."""
        return self.path["id"]


EditType = type[Edit]
Create = Callable[[Call, Any], Awaitable[Any]]
Change = Callable[[Call, Record, Any], Awaitable[None]]
Delete = Callable[[Call, Record], Awaitable[None]]
Include = Callable[[Call, Sequence[Record]], Awaitable[list[Document]]]


class Action(Struct, frozen=True, kw_only=True):
    """One more thing that can be done: `POST /alerts/{id}/acknowledge`. Returns the body and its status."""

    method: str
    path: str
    summary: str
    permission: Permission
    run: Callable[[Call], Awaitable[tuple[Any, int]]]
    #: Names of what may be sent, for OpenAPI.
    accepts: Mapping[str, Kind] = {}
    media_type: str = jsonapi.MEDIA_TYPE


class Resource(Struct, frozen=True, kw_only=True):
    """One kind of thing: where it is, how it reads, who may see and change it, and what does the work."""

    type: str
    attributes: tuple[Attribute, ...]
    #: What the description calls it, where another resource has the same type.
    name: str = ""
    #: What may be asked of its lists beside filters, pages and includes.
    parameters: tuple[str, ...] = ()
    #: Paths of its lists; a nested one has {id}, the id of its parent.
    collections: tuple[str, ...] = ()
    #: Lists to which one can only add, or from which one can only read, say so by what is None here.
    find: Callable[[Call], Awaitable[Found]] | None = None
    #: Path of one of it, with {id}, or without where there is only one; "" when it is only listed.
    item: str = ""
    get: Callable[[Call, str], Awaitable[Record | None]] | None = None
    edit: EditType = Edit
    #: How the wire calls fields of the Edit that no single attribute stands for.
    aliases: Mapping[str, str] = {}
    #: Turns what was sent into fields of the Edit; the default takes each attribute's `edit`.
    accept: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    create: Create | None = None
    change: Change | None = None
    delete: Delete | None = None
    read: Permission = Permission.VIEW
    write: Permission = Permission.CONFIGURE
    relationships: Callable[[Record], dict[str, Any]] | None = None
    more: Callable[[Record], dict[str, Any]] | None = None
    include: Mapping[str, Include] = {}
    largest_page: int = LARGEST_PAGE
    #: How many a list shows when nobody says.
    usual_page: int = PAGE_SIZE
    actions: tuple[Action, ...] = ()
    ident: Callable[[Record], str] = field(default=lambda row: str(row["id"]))

    @property
    def called(self) -> str:
        """Return what the description calls it."""
        return self.name or self.type

    def document(self, row: Record) -> Document:
        """Return a row as a resource object."""
        shown = ((a, a.show(row)) for a in self.attributes)
        return Document(
            type=self.type,
            id=self.ident(row),
            attributes={a.name: value for a, value in shown if not (value is None and a.omit_null)},
            relationships=self.relationships(row) if self.relationships else None,
            more=self.more(row) if self.more else {},
        )

    async def shown(self, call: Call, row: Record) -> dict[str, Any]:
        """Return the body that shows one row, with what was asked to be included."""
        return jsonapi.one(self.document(row), call.query, await self._included(call, [row]))

    async def page(self, call: Call, found: Found) -> dict[str, Any]:
        """Return the body that shows a part of a list."""
        page = Page(url=call.url, total=found.total, next_cursor=found.next_cursor)
        documents = [self.document(row) for row in found.rows]
        return jsonapi.listed(documents, page, call.query, await self._included(call, found.rows))

    async def _included(self, call: Call, rows: Sequence[Record]) -> list[Document]:
        wanted = [load for name, load in self.include.items() if name in call.query.include]
        return [document for load in wanted for document in await load(call, rows)]

    async def row(self, call: Call, key: str) -> Record:
        """Return one row.

        Raises: Unknown when there is none.
        """
        found = await self.get(call, key) if self.get else None
        if found is None:
            raise Unknown(f"There is no {self.type.rstrip('s').replace('_', ' ')} {key[:60]}.")
        return found

    def edited(self, attributes: dict[str, Any]) -> Edit:
        """Return what was sent as an Edit.

        Raises: Invalid naming the attribute.
        """
        fields = self.accept(attributes) if self.accept else self.taken(attributes)
        try:
            converted: Edit = msgspec.convert(fields, self.edit, strict=False)
        except msgspec.ValidationError as error:
            text, _, place = str(error).partition(" - at `$.")
            raise Invalid(text, place=place.rstrip("`")) from error
        return converted

    def taken(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """Return what was sent by fields of the Edit; an empty text for an id is none."""
        return {
            a.edit: None if a.kind is Kind.ID and attributes[a.name] == "" else attributes[a.name]
            for a in self.attributes
            if a.edit and a.name in attributes
        }

    @property
    def names(self) -> dict[str, str]:
        """Return how the wire calls each field of the Edit."""
        return {a.edit: a.name for a in self.attributes if a.edit} | dict(self.aliases)


# ---------------------------------------------------------------- the five things every resource can do


async def listing(resource: Resource, call: Call) -> tuple[Any, int]:
    """Show a part of a list."""
    require(call.visitor, resource.read)
    if resource.find is None:
        raise Unknown("This is not listed.")
    return await resource.page(call, await resource.find(call)), 200


async def showing(resource: Resource, call: Call) -> tuple[Any, int]:
    """Show one."""
    require(call.visitor, resource.read)
    return await resource.shown(call, await resource.row(call, call.path.get("id", ""))), 200


async def creating(resource: Resource, call: Call) -> tuple[Any, int]:
    """Make one and show it."""
    require(call.visitor, resource.write)
    if resource.create is None:
        raise Unknown("This cannot be made here.")
    try:
        key: UUID | int = await resource.create(call, resource.edited(call.attributes))
    except Invalid as error:
        raise jsonapi.renamed(error, resource.names) from error
    return await resource.shown(call, await resource.row(call, str(key))), 201


async def changing(resource: Resource, call: Call) -> tuple[Any, int]:
    """Change what was sent of one, and show it."""
    require(call.visitor, resource.write)
    if resource.change is None:
        raise Unknown("This cannot be changed.")
    row = await resource.row(call, call.path.get("id", ""))
    try:
        await resource.change(call, row, resource.edited(call.attributes))
    except Invalid as error:
        raise jsonapi.renamed(error, resource.names) from error
    return await resource.shown(call, await resource.row(call, resource.ident(row))), 200


async def deleting(resource: Resource, call: Call) -> tuple[Any, int]:
    """Delete one and show what it was: 200 with a body, as Rootly's SDK expects."""
    require(call.visitor, resource.write)
    if resource.delete is None:
        raise Unknown("This cannot be deleted.")
    row = await resource.row(call, call.path["id"])
    await resource.delete(call, row)
    return jsonapi.one(resource.document(row), call.query), 200
