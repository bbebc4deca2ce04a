"""JSON Schemas of the files that people write, for editors that complete and check TOML while one types."""

from __future__ import annotations

from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from site_agent.configuration import SiteConfiguration
from site_agent.profile import PARTS

_DIALECT: Final = GenerateJsonSchema.schema_dialect
#: What a profile's values need not say, since it may take them over from the one that it extends.
_TAKEN_OVER: Final = (
    "PropertyTable",
    "ActionTable",
    "ArgumentTable",
    "MailboxTable",
    "InterlockTable",
    "TriggerTable",
    "AlarmTable",
    "MealsTable",
)


def site_schema() -> dict[str, Any]:
    """Of a site's file. A table that a profile fills up may be incomplete here, so only the agent's check is whole."""
    schema = SiteConfiguration.model_json_schema(by_alias=True)
    _relax(schema)
    return {"$schema": _DIALECT, **schema, "title": "A site of Tidegate"}


def profile_schema() -> dict[str, Any]:
    """Of a profile."""
    schema = SiteConfiguration.model_json_schema(by_alias=True)
    _relax(schema)
    device = schema["$defs"]["DeviceTable"]["properties"]
    members = {name: device[name] for name in PARTS}
    members["description"] = {"type": "string", "description": "A sentence for people."}
    members["extends"] = {
        "type": "string",
        "description": "The profile that this one takes over; it extends none itself.",
    }
    return {
        "$schema": _DIALECT,
        "title": "A profile of Tidegate",
        "type": "object",
        "properties": members,
        "additionalProperties": False,
        "$defs": schema["$defs"],
    }


def _relax(schema: dict[str, Any]) -> None:
    for name in _TAKEN_OVER:
        schema["$defs"][name].pop("required", None)
    # What is told apart by name must have one.
    schema["$defs"]["InterlockTable"]["required"] = ["name"]
