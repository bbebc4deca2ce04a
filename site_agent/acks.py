"""Acks, made from a request and its outcome, or from the journal's intent. Pure but for the wall clock."""

from __future__ import annotations

from gateway.protocol.ids import is_facade
from gateway.protocol.messages import Ack
from site_agent import clock
from site_agent.intake import Request
from site_agent.outcome import Outcome, Trail, Values


def ack_of(
    request: Request, found: Outcome, epoch: int, *, result: Values | None = None, trail: Trail | None = None
) -> Ack:
    """What is to be said about a request; ``result`` replaces the outcome's own."""
    return Ack(
        id=request.id,
        device=request.topic.device,
        name=request.topic.name,
        input=request.command.input,
        actor=request.command.actor if is_facade(request.owner) else None,
        state=found.state,
        code=found.code.value,
        detail=found.detail[:1024],
        result=dict(found.result if result is None else result),
        evidence=found.evidence,
        trail=() if trail is None else trail.marks,
        epoch=epoch,
        at=clock.wall(),
    )


def end_of(intent: Ack, found: Outcome, epoch: int, trail: Trail | None = None) -> Ack:
    """What is to be said about a command of which only the journal's intent is at hand."""
    return intent.model_copy(
        update={
            "state": found.state,
            "code": found.code.value,
            "detail": found.detail[:1024],
            "result": dict(found.result),
            "evidence": found.evidence,
            "trail": intent.trail if trail is None else trail.marks,
            "epoch": epoch,
            "at": clock.wall(),
        }
    )
