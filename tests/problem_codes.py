"""Every code that the facade itself can give a problem."""

from __future__ import annotations

from gateway.identity.enrolments import NotEnrolled
from gateway.protocol.errors import TidegateError
from http_facade import problems, refusals


def codes_of_problems() -> set[str]:
    """As its classes, and the few that have none, name them."""
    classes = [each for each in vars(refusals).values() if isinstance(each, type) and issubclass(each, TidegateError)]
    abstract = {refusals.Refusal, refusals.NotFound, refusals.Ended, TidegateError}
    rendered = {"internal-error", "bad-request", *problems._HTTP_CODES.values()}  # no other list of them
    unknown = {f"unknown-{what}" for what in ("site", "device", "property", "action", "command", "token", "alarm")}
    of_others = {"invalid-input", NotEnrolled.code}
    return {each.code for each in classes if each not in abstract} | rendered | unknown | of_others
