"""What people tell a running duty: an update with actor and reason, checked, answered, recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from duties import names

HOLD_SUBMISSION: Final = "hold_submission"
RELEASE_SUBMISSION: Final = "release_submission"
APPROVE_OVERCLAIM: Final = "approve_overclaim"
REBUILD: Final = "rebuild"
PAUSE: Final = "pause"
RESUME: Final = "resume"
RETRY_NOW: Final = "retry_now"
RAISE_CEILING: Final = "raise_ceiling"
CANCEL: Final = "cancel"
FORCE_RESUBMIT: Final = "force_resubmit"
RESYNC_FROM: Final = "resync_from"
SUPPLY_ANSWER: Final = "supply_answer"
ACKNOWLEDGE: Final = "acknowledge"
KEEP_COMMITTED: Final = "keep_committed"
SET_POLL_SECONDS: Final = "set_poll_seconds"

WAKE: Final = "wake"

TAKEN: Final[Mapping[str, tuple[str, ...]]] = {
    names.BOOTSTRAP_WORKFLOW: (),
    names.CHAIN_SYNC_WORKFLOW: (
        PAUSE,
        RESUME,
        RESYNC_FROM,
        KEEP_COMMITTED,
        SET_POLL_SECONDS,
    ),
    names.CHALLENGE_WORKFLOW: (RETRY_NOW, SUPPLY_ANSWER, RAISE_CEILING, ACKNOWLEDGE),
    names.EON_WORKFLOW: (
        HOLD_SUBMISSION,
        RELEASE_SUBMISSION,
        APPROVE_OVERCLAIM,
        REBUILD,
        RETRY_NOW,
    ),
    names.FUEL_WORKFLOW: (),
    names.RECONCILE_WORKFLOW: (),
    names.RETENTION_WORKFLOW: (),
    names.SANITY_WORKFLOW: (),
    names.TERMS_WORKFLOW: (),
    names.SLASH_WORKFLOW: (RETRY_NOW,),
    names.TOKEN_REGISTRATION_WORKFLOW: (),
    names.TRANSACTION_WORKFLOW: (
        RETRY_NOW,
        PAUSE,
        RESUME,
        RAISE_CEILING,
        FORCE_RESUBMIT,
        CANCEL,
    ),
    names.WITHDRAWAL_DESK_WORKFLOW: (PAUSE, RESUME, RETRY_NOW),
}
"""The updates that each type of duty takes from people."""

SIGNALLED: Final[Mapping[str, tuple[str, ...]]] = {
    names.EON_WORKFLOW: (WAKE,),
    names.WITHDRAWAL_DESK_WORKFLOW: (WAKE,),
}
"""The signals that a duty takes, from people too; repeating one is harmless."""

TAKE_CEILING: Final = "take_ceiling"
BETWEEN_DUTIES: Final = frozenset((TAKE_CEILING,))
"""Signals that duties send each other; people have an update for the same."""

SIGNALS: Final = frozenset(action for actions in SIGNALLED.values() for action in actions)
ALL: Final = tuple(sorted(SIGNALS.union(*TAKEN.values())))


@dataclass(frozen=True)
class Intervention:
    """Who does something to a duty, and why.

    `value`, where one is taken, is a block, gwei, seconds, a token's trail or the row of something
    that was stored.
    """

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
