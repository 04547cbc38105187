"""This file describes the API from the resources as they are declared: OpenAPI 3.0, served and shipped with the docs."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nightbell.__about__ import __version__
from nightbell.api.attribute import Attribute, Kind
from nightbell.api.jsonapi import MEDIA_TYPE
from nightbell.api.resource import Action, Resource

_SCHEMAS: Mapping[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": "string", "nullable": True},
    Kind.NUMBER: {"type": "integer", "nullable": True},
    Kind.FLAG: {"type": "boolean", "nullable": True},
    Kind.TIME: {"type": "string", "format": "date-time", "nullable": True},
    Kind.ID: {"type": "string", "format": "uuid", "nullable": True},
    Kind.LIST: {"type": "array", "items": {}},
    Kind.OBJECT: {"type": "object", "additionalProperties": True, "nullable": True},
}
_ERRORS = {
    "400": "Bad request",
    "401": "Unauthorized",
    "403": "Forbidden",
    "404": "Not found",
    "422": "Invalid",
}
_PAGING = ("page[number]", "page[size]", "page[after]", "sort", "include", "filter[search]")


def describe(resources: Iterable[Resource], base_url: str) -> dict[str, Any]:
    """Return the whole description."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"errors_list": _errors_schema()}
    for resource in resources:
        schemas.setdefault(resource.called, _attributes(resource.attributes))
        if any(a.edit for a in resource.attributes):
            schemas.setdefault(
                f"new_{resource.called}", _attributes(a for a in resource.attributes if a.edit)
            )
        for path, operations in _operations(resource):
            paths.setdefault(f"/v1{path}", {}).update(operations)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Nightbell", "version": __version__, "description": "On-call alerting, JSON:API."},
        "servers": [{"url": base_url}],
        "security": [{"bearer_auth": []}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "securitySchemes": {"bearer_auth": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas,
        },
    }


def _operations(resource: Resource) -> Iterable[tuple[str, dict[str, Any]]]:
    for path in resource.collections:
        yield path, _collection(resource, path)
    if resource.item:
        yield resource.item, _item(resource, resource.item)
    for action in resource.actions:
        yield action.path, {action.method.lower(): _action(resource, action)}


def _collection(resource: Resource, path: str) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if resource.find:
        parameters = [*_path_parameters(path), *map(_query_parameter, (*_PAGING, *resource.parameters))]
        out["get"] = _operation(resource, "list", path, parameters, many=True)
    if resource.create:
        out["post"] = _operation(resource, "create", path, _path_parameters(path), body=True, status="201")
    return out


def _item(resource: Resource, path: str) -> dict[str, Any]:
    parameters = _path_parameters(path)
    out = {"get": _operation(resource, "get", path, [*parameters, _query_parameter("include")])}
    if resource.change:
        out["put"] = _operation(resource, "update", path, parameters, body=True)
        out["patch"] = _operation(resource, "patch", path, parameters, body=True)
    if resource.delete:
        out["delete"] = _operation(resource, "delete", path, parameters)
    return out


def _operation(
    resource: Resource, verb: str, path: str, parameters: list[dict[str, Any]], **shape: Any
) -> dict[str, Any]:
    document = _document(resource, many=bool(shape.get("many")))
    operation = {
        "operationId": _operation_id(verb, path, resource),
        "summary": f"{verb.capitalize()} {resource.called.replace('_', ' ')}",
        "tags": [resource.type],
        "parameters": parameters,
        "responses": {shape.get("status", "200"): _response("Done", document), **_error_responses()},
    }
    if shape.get("body"):
        attributes = {"$ref": f"#/components/schemas/new_{resource.called}"}
        operation["requestBody"] = {"content": {MEDIA_TYPE: {"schema": _wrapped(resource.type, attributes)}}}
    return operation


def _action(resource: Resource, action: Action) -> dict[str, Any]:
    name = re.sub(r"\W+", "_", action.path.replace("{id}", "")).strip("_")
    operation: dict[str, Any] = {
        "operationId": f"{action.method.lower()}_{name}",
        "summary": action.summary,
        "tags": [resource.type],
        "parameters": _path_parameters(action.path),
        "responses": {"200": _response("Done", {"type": "object"}, action.media_type), **_error_responses()},
    }
    if action.accepts:
        attributes = {"type": "object", "properties": {n: _SCHEMAS[k] for n, k in action.accepts.items()}}
        schema = _wrapped(resource.type, attributes)
        operation["requestBody"] = {"required": False, "content": {MEDIA_TYPE: {"schema": schema}}}
    return operation


def _operation_id(verb: str, path: str, resource: Resource) -> str:
    parent = path.split("/")[1] if path.count("/") > 2 else ""
    return "_".join(filter(None, (verb, parent, resource.called)))


def _attributes(attributes: Iterable[Attribute]) -> dict[str, Any]:
    return {"type": "object", "properties": {a.name: _SCHEMAS[a.kind] for a in attributes}}


def _document(resource: Resource, *, many: bool) -> dict[str, Any]:
    attributes = {"$ref": f"#/components/schemas/{resource.called}"}
    data = {
        "type": "object",
        "properties": {"id": {"type": "string"}, "type": {"type": "string"}, "attributes": attributes},
    }
    shown: dict[str, Any] = {"data": {"type": "array", "items": data} if many else data}
    if many:
        shown |= {
            "links": {"type": "object"},
            "meta": {"type": "object"},
            "included": {"type": "array", "items": {}},
        }
    return {"type": "object", "properties": shown}


def _wrapped(kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    named = {"type": {"type": "string", "enum": [kind]}, "attributes": attributes}
    data = {"type": "object", "properties": named}
    return {"type": "object", "properties": {"data": data}}


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]


def _query_parameter(name: str) -> dict[str, Any]:
    number = name in ("page[number]", "page[size]")
    return {
        "name": name,
        "in": "query",
        "required": False,
        "schema": {"type": "integer" if number else "string"},
    }


def _response(text: str, schema: dict[str, Any], media_type: str = MEDIA_TYPE) -> dict[str, Any]:
    return {"description": text, "content": {media_type: {"schema": schema}}}


def _error_responses() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/errors_list"}
    return {status: _response(text, schema) for status, text in _ERRORS.items()}


def _errors_schema() -> dict[str, Any]:
    named = {
        name: {"type": "string", "nullable": name in ("code", "detail")}
        for name in ("title", "status", "code", "detail")
    }
    item = {"type": "object", "required": ["title", "status"], "properties": named}
    return {"type": "object", "properties": {"errors": {"type": "array", "items": item}}}
