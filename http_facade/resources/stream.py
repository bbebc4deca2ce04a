"""``/v1/stream``: what changes, as it changes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Final

from flask import Response, request

from gateway.protocol.errors import Fault, InvalidInput, Unavailable
from http_facade.auth import caller, still_good
from http_facade.feed import Feed, Listener
from http_facade.openapi import a_problem, blueprint, header_parameter
from http_facade.refusals import NotFound
from http_facade.services import services
from http_facade.stream_texts import sent

api = blueprint("stream", "What changes, as it changes.")

#: Proxies and people notice a dead line by that.
BEAT_S: Final = 15.0
#: Between two looks whether the token is still good, while there is nothing to tell.
LOOK_S: Final = 2.0
_MEDIA_TYPE: Final = "text/event-stream"
#: A browser that lost the line comes back after so many milliseconds.
_BEGIN: Final = "retry: 2000\n\n"
_MOST_SITES: Final = 200
_NUMBER: Final = re.compile(r"\d{1,18}")
_SITE: Final = {
    "name": "site",
    "in": "query",
    "required": False,
    "description": "only of this site; may be given several times",
    "schema": {"type": "array", "items": {"type": "string"}, "maxItems": _MOST_SITES},
}


@api.get(
    "/v1/stream",
    responses={
        200: {"description": "OK", "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}}},
        503: a_problem("as many streams as there may be are open"),
    },
    openapi_extensions={
        "parameters": [_SITE, header_parameter("Last-Event-ID", "the last `id` that was received: go on behind it")]
    },
)
def stream() -> Response:
    """Follow what changes: `status`, `state`, `command`, `event`, `alarm`, each with what the thing is now.

    The first event is `hello`; with `Last-Event-ID` it is what changed meanwhile. `reset` says that this cannot be told
    any more: read everything anew.
    """
    sites = _sites()
    after = _after(request.headers.get("Last-Event-ID"))
    feed, stack = services().feed, ExitStack()
    # Entered here, so that who gets no place is told so by a status.
    listener = stack.enter_context(feed.listening(sites))
    try:
        span = feed.span()
    except Unavailable:
        stack.close()
        raise
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    told = _told(feed, listener, stack, after, still_good(), forgotten=span.forgotten, last=span.last)
    response = Response(told, content_type=f"{_MEDIA_TYPE}; charset=utf-8", headers=headers)
    response.call_on_close(stack.close)
    return response


def _sites() -> frozenset[str] | None:
    unknown = [Fault(f"/{name}", "unexpected", "there is no such parameter") for name in request.args if name != "site"]
    if unknown:
        raise InvalidInput(unknown)
    named = request.args.getlist("site")
    if len(named) > _MOST_SITES:
        raise InvalidInput([Fault("/site", "too-many", f"{_MOST_SITES} at most; without any, all sites are meant")])
    for each in named:
        if not caller().sees(each):
            raise NotFound("site", each)
        services().catalogue.site(each)
    return frozenset(named) or caller().sites


def _after(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if _NUMBER.fullmatch(text) is None:
        raise InvalidInput([Fault("/Last-Event-ID", "no-number", "say the last `id` that was received")])
    return int(text)


def _told(  # one way to begin
    feed: Feed,
    listener: Listener,
    stack: ExitStack,
    after: int | None,
    good: Callable[[], bool],
    *,
    forgotten: int,
    last: int,
) -> Iterator[str]:
    with stack:
        yield _BEGIN
        if after is None:
            yield sent("hello", listener.begins, {})
        elif not forgotten <= after <= last:
            after = None
            yield sent("reset", listener.begins, {})
        else:
            for page in feed.before(after, listener):
                yield "".join(each.text for each in page)
        said_s, upto = time.monotonic(), None
        while not listener.over and good():
            found, seen = listener.take(LOOK_S)
            if seen == upto and not found and time.monotonic() - said_s < BEAT_S:
                continue
            said_s, upto = time.monotonic(), seen
            # Another facade may have told more than ours has read yet: that is not told again, and no number goes back.
            news = [each for each in found if after is None or each.number > after]
            # Without anything to tell, the number alone: who comes back then need not look through what is not his.
            yield "".join(each.text for each in news) or f": still here\nid: {max(seen, after or 0)}\n\n"
