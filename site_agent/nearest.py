"""What somebody probably meant by a name that is not there. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel


def hint(name: object, known: Collection[str]) -> str:
    """`` Did you mean …?`` if one of the known names is near, else all of them; begins with a blank."""
    near = get_close_matches(str(name), known, n=1)
    if near:
        return f" Did you mean {near[0]!r}?"
    return f" There are: {', '.join(sorted(known))}." if known else ""


def keys_at(model: type[BaseModel], place: Sequence[str | int]) -> frozenset[str]:
    """The keys that a table at this place of a document may have; empty if there is no table."""
    found: Iterable[Any] = [model]
    for level in place:
        found = [inner for each in found for inner in _inner(each, level)]
    return frozenset(key for each in found if _is_model(each) for key in _keys(each))


def _inner(kind: Any, level: str | int) -> Iterable[Any]:  # noqa: ANN401 # any annotation
    """What lies one level below."""
    for each in _plain(kind):
        if _is_model(each):
            fields = [field.annotation for name, field in each.model_fields.items() if (field.alias or name) == level]
            yield from (inner for annotation in fields for inner in _plain(annotation))
        elif get_origin(each) in (dict, tuple):
            yield from _plain(get_args(each)[1 if get_origin(each) is dict else 0])


def _plain(kind: Any) -> Iterable[Any]:  # noqa: ANN401 # any annotation
    """Without what is around it: constraints, and the other members of a union."""
    if get_origin(kind) is Annotated:
        yield from _plain(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for each in get_args(kind):
            yield from _plain(each)
    else:
        yield kind


def _is_model(kind: Any) -> bool:  # noqa: ANN401 # any annotation
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _keys(model: type[BaseModel]) -> Iterable[str]:
    return (field.alias or name for name, field in model.model_fields.items())
