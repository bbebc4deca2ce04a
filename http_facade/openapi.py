"""What the OpenAPI document says beside the routes: parameters, request bodies, problems, security.

Views check their input themselves, since flask-openapi3 rebuilds JSON schemas on every request; here they are only
described, with the same pydantic models.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from pydantic import BaseModel

from gateway import __version__
from gateway.protocol.ids import COMMAND_ID_PATTERN, ID_PATTERN, NAME_PATTERN
from http_facade import problems, schemas
from http_facade.idempotency import KEY_PATTERN

Json = dict[str, Any]
F = TypeVar("F", bound=Callable[..., Any])

SETTINGS_TYPES: Final = ("application/merge-patch+json", "application/json")
ARGUMENTS_TYPES: Final = ("application/json",)
_ABOUT: Final = (
    "Change settings of devices at far sites, and learn what really happened. Every fault is a problem (RFC 9457); "
    "branch on its `code`. A 4xx or 503 to a write means that nothing was or will be sent."
)
_SECURITY: Final[Json] = {"token": {"type": "http", "scheme": "bearer"}}
SECURED: Final[list[dict[str, list[Any]]]] = [{"token": []}]


def application(name: str) -> OpenAPI:
    """A Flask application that documents itself; its pages are our own (``documentation``)."""
    return OpenAPI(
        name,
        info=Info(title="Tidegate", version=__version__, description=_ABOUT),
        security_schemes=_SECURITY,
        validation_error_model=schemas.Problem,
        doc_ui=False,
        static_folder=None,
    )


def blueprint(name: str, about: str, *, secured: bool = True) -> APIBlueprint:
    """One resource; its routes document the problems that any of them can answer."""
    statuses = (401, 403, 404, 405, 422, 429, 500, 503) if secured else (405, 422, 500)
    return APIBlueprint(
        name,
        __name__,
        abp_tags=[Tag(name=name, description=about)],
        abp_security=SECURED if secured else [],
        abp_responses={status: a_problem() for status in statuses},
    )


def reads_itself(view: F) -> F:
    """Let flask-openapi3 hand the path's parameters over as Flask found them, unchecked."""
    setattr(view, "__delay_validate_request__", True)  # noqa: B010 # its own mark, which no type knows
    return view


def a_problem(description: str = "problem") -> Json:
    """A response in the shape of RFC 9457."""
    return {
        "description": description,
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def path_parameter(name: str, pattern: str | None = None) -> Json:
    """``site``, ``device``, ``action``, ``alarm`` or a command's ``id`` in the path; ``pattern`` for what is none."""
    known = {"id": COMMAND_ID_PATTERN, "action": NAME_PATTERN, "alarm": NAME_PATTERN}
    pattern = pattern or known.get(name, ID_PATTERN)
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


def query_parameters(model: type[BaseModel]) -> list[Json]:
    """The fields of ``model`` as query parameters, all optional."""
    return [
        {"name": name, "in": "query", "required": False, "schema": _inline(schema, model)}
        for name, schema in model.model_json_schema()["properties"].items()
    ]


def _inline(schema: Json, model: type[BaseModel]) -> Json:
    """Replace references, since a parameter's schema has no ``$defs`` of its own; drop the null of optional fields."""
    choices = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    chosen = dict(choices[0])
    reference = chosen.pop("$ref", None)
    if reference is not None:
        chosen = dict(model.model_json_schema()["$defs"][reference.rsplit("/", 1)[1]])
    for key in ("description", "default"):
        if schema.get(key) is not None:
            chosen[key] = schema[key]
    return chosen


def header_parameter(name: str, description: str) -> Json:
    """An optional request header."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }


def key_parameter(*, required: bool) -> Json:
    """The Idempotency-Key header."""
    described = header_parameter("Idempotency-Key", "your own name for this command; sent again, it is not done again")
    return described | {"required": required, "schema": {"type": "string", "pattern": KEY_PATTERN}}


def settings_body() -> Json:
    """The body of a change of settings (RFC 7396)."""
    schema = _values({"portion_g": 120}) | {"minProperties": 1}
    return {"required": True, "content": {media_type: {"schema": schema} for media_type in SETTINGS_TYPES}}


def request_body(model: type[BaseModel]) -> Json:
    """A required body in the shape of ``model``."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return {"required": True, "content": {"application/json": {"schema": _without_references(schema)}}}


def _without_references(schema: Json) -> Json:
    """The same schema in one piece: what a request's body refers to would have to stand among the components."""
    definitions = schema.pop("$defs", {})

    def resolved(part: Any) -> Any:  # noqa: ANN401 # any piece of JSON
        if isinstance(part, list):
            return [resolved(each) for each in part]
        if not isinstance(part, dict):
            return part
        name = str(part.get("$ref", "")).rsplit("/", 1)[-1]
        return resolved(definitions[name]) if name else {key: resolved(each) for key, each in part.items()}

    whole = resolved(schema)
    assert isinstance(whole, dict)  # noqa: S101 # as was the schema
    return whole


def arguments_body() -> Json:
    """The body of an action."""
    return {"required": False, "content": {each: {"schema": _values({"grams": 50})} for each in ARGUMENTS_TYPES}}


def _values(example: Json) -> Json:
    return {"type": "object", "additionalProperties": schemas.SCALAR, "examples": [example]}
