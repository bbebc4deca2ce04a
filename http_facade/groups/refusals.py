"""Why a group is not run; nothing of it was or will be sent by the refused call."""

from __future__ import annotations

from http_facade.refusals import Refusal


class NotYourGroup(Refusal):
    """Only the actor that asked for the preview may run it."""

    code = "not-your-group"

    def __init__(self) -> None:
        super().__init__("only who asked for the preview may run it; ask for a preview of your own")


class SecondPersonNeeded(Refusal):
    """What moves so many devices is previewed by one person and run by another (S11)."""

    code = "second-person-needed"

    def __init__(self, targets: int, from_targets: int) -> None:
        super().__init__(
            f"it has {targets} targets; from {from_targets} on somebody else must run it: hand the token over"
        )


class TooManyPreviews(Refusal):
    """One actor may have so many open previews, and no more (I15)."""

    code = "too-many-previews"

    def __init__(self, most: int) -> None:
        super().__init__(f"{most} previews of yours are open; run or stop one of them, or wait until one is too old")


class TokenWrong(Refusal):
    """The token is not the one that the preview gave."""

    code = "token-wrong"

    def __init__(self) -> None:
        super().__init__("this is not the token of this group's preview")


class TokenUsed(Refusal):
    """The token was used, or the group was stopped before that."""

    code = "token-used"

    def __init__(self, state: str) -> None:
        super().__init__(
            f"the token has been used or withdrawn, the group is {state}; each preview is good for one run"
        )


class TokenExpired(Refusal):
    """What the preview showed is too old to act on."""

    code = "token-expired"

    def __init__(self) -> None:
        super().__init__("the preview is too old to act on; ask for a new one")
