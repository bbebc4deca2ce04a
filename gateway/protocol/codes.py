"""The stable ``code`` of an ack: why a command is in its state; and ``evidence``: by what that is known."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class AckCode(StrEnum):
    """One word per cause; programs branch on it, people read ``detail``."""

    ACCEPTED = "accepted"
    APPLIED = "applied"
    # rejected: nothing was or will be written
    BAD_MESSAGE = "bad-message"
    MISSING_ID = "missing-id"
    ID_CONFLICT = "id-conflict"
    UNKNOWN_DEVICE = "unknown-device"
    UNKNOWN_ACTION = "unknown-action"
    INVALID_INPUT = "invalid-input"
    STALE_EPOCH = "stale-epoch"
    EXPECT_FAILED = "expect-failed"
    PLC_LOST = "plc-lost"
    LIMIT_EXCEEDED = "limit-exceeded"
    INTERLOCKED = "interlocked"
    CANCELLED = "cancelled"
    OUT_OF_ORDER = "out-of-order"
    FENCED = "fenced"
    OVERLOADED = "overloaded"
    JOURNAL_UNAVAILABLE = "journal-unavailable"
    # partial
    DOSE_SHORT = "dose-short"
    # expired: nothing was or will be written
    DEADLINE_PASSED = "deadline-passed"
    # failed: proved to have had no effect, or the read-back is in the result
    PLC_REFUSED = "plc-refused"
    NOT_WRITTEN = "not-written"
    READ_BACK_DIFFERS = "read-back-differs"
    # unknown: no evidence yet
    PLC_SILENT = "plc-silent"
    NO_ANSWER = "no-answer"
    NO_EVIDENCE = "no-evidence"
    NO_CONFIRMATION = "no-confirmation"
    JOURNAL_LOST = "journal-lost"


class Evidence(StrEnum):
    """By what a command's end is known; it travels in the ack and stands in the time line."""

    READ_BACK = "read-back"
    FORMER_VALUE = "former-value"
    MAILBOX = "mailbox"
    COUNTER = "counter"
    REFUSAL = "refusal"
    NOT_BEGUN = "not-begun"
    NEVER_SEEN = "never-seen"


EVIDENCE: Final[dict[Evidence, str]] = {
    Evidence.READ_BACK: "the PLC was read after the write",
    Evidence.FORMER_VALUE: "after a lost reply the PLC was read twice and still held the former value",
    Evidence.MAILBOX: "the PLC's mailbox says which command it did, and how it ended",
    Evidence.COUNTER: "the PLC's own counter was read before and after",
    Evidence.REFUSAL: "the agent or the PLC refused it before anything was done",
    Evidence.NOT_BEGUN: "the agent's journal shows that nothing was sent to the PLC",
    Evidence.NEVER_SEEN: "the agent's journal was whole and did not know the command; it can never be carried out now",
}


MEANING: Final[dict[AckCode, str]] = {
    AckCode.ACCEPTED: "every check has passed; the agent is about to write",
    AckCode.APPLIED: "the PLC was read equal after the write, or its mailbox said so",
    AckCode.BAD_MESSAGE: "the body is not a command; `detail` lists the faults",
    AckCode.MISSING_ID: "an action needs an `id`, or a repeat could not be told from a second one",
    AckCode.ID_CONFLICT: "another requester already used this id",
    AckCode.UNKNOWN_DEVICE: "the site has no such device",
    AckCode.UNKNOWN_ACTION: "the device has no such action",
    AckCode.INVALID_INPUT: "a value breaks its type, range or step; `detail` lists the faults",
    AckCode.STALE_EPOCH: "the command refers to a heartbeat of another connection; ask again",
    AckCode.EXPECT_FAILED: "the settings' revision is not the expected one",
    AckCode.PLC_LOST: "the PLC could not be reached, nothing was sent to it",
    AckCode.LIMIT_EXCEEDED: "the dose breaks a limit of the site; `result` has the limit's name and live value",
    AckCode.INTERLOCKED: "an interlock of the site holds; `result` has its name and live value",
    AckCode.CANCELLED: "it was cancelled before anything was sent to the PLC",
    AckCode.OUT_OF_ORDER: "a later command of the same requester came first",
    AckCode.FENCED: "another agent of this site has taken over; this one writes nothing any more",
    AckCode.DOSE_SHORT: "the PLC counted less than was asked; `result` has both",
    AckCode.OVERLOADED: "too many commands wait for this PLC; ask again later",
    AckCode.JOURNAL_UNAVAILABLE: "the agent cannot write its journal, so it may not act",
    AckCode.DEADLINE_PASSED: "the command was too old before anything was written",
    AckCode.PLC_REFUSED: "the PLC answered with an exception and did not act",
    AckCode.NOT_WRITTEN: "after a lost reply the PLC was read twice and still held the old value",
    AckCode.READ_BACK_DIFFERS: "the PLC acknowledged the write but reads otherwise; see `result`",
    AckCode.PLC_SILENT: "the PLC did not answer in time; the agent keeps asking it for evidence",
    AckCode.NO_EVIDENCE: "the PLC holds neither the asked nor the former value; a person must look",
    AckCode.NO_CONFIRMATION: "the PLC took an action that it cannot confirm; whether it acted is not known",
    AckCode.JOURNAL_LOST: "the agent's journal does not reach back to this command; a person must look",
    AckCode.NO_ANSWER: "no ack arrived by the deadline; the ledger waits for evidence",
}
