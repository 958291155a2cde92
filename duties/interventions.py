"""What people tell a running duty: an update with actor and reason, checked, answered, recorded."""

from dataclasses import dataclass
from typing import Final

HOLD_SUBMISSION: Final = "hold_submission"
RELEASE_SUBMISSION: Final = "release_submission"
APPROVE_OVERCLAIM: Final = "approve_overclaim"
PAUSE: Final = "pause"
RESUME: Final = "resume"
RETRY_NOW: Final = "retry_now"
RAISE_CEILING: Final = "raise_ceiling"
CANCEL: Final = "cancel"
RESYNC_FROM: Final = "resync_from"

ALL: Final = (
    HOLD_SUBMISSION,
    RELEASE_SUBMISSION,
    APPROVE_OVERCLAIM,
    PAUSE,
    RESUME,
    RETRY_NOW,
    RAISE_CEILING,
    CANCEL,
    RESYNC_FROM,
)


@dataclass(frozen=True)
class Intervention:
    """Who does something to a duty, and why. `value` is a block or gwei, where one is taken."""

    actor: str
    reason: str
    value: int | None = None


@dataclass(frozen=True)
class InterventionNote:
    """An intervention as it is recorded: `subject` is the workflow's id.

    `update_id` names the act for whoever repeats it; `value` is the intervention's, as text.
    """

    actor: str
    action: str
    subject: str
    reason: str
    update_id: str = ""
    value: str = ""
