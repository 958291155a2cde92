"""The moments at which a kill could hurt, by name: tests kill the operator at each of them.

A moment lies between two lasting effects: after a commit, after something was sent and before that
is noted, after an activity's end and before Temporal hears of it. A process that is armed dies at
such a moment as `kill -9` would have it, once for each name; otherwise nothing happens here. A
commit bears the name of the function that opened its unit of work: one each.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Final

ROOMS: Final = ("activities", "chain", "ledger")
"""Where commits have names; the API's own are single, and a wallet that hears nothing asks."""
ALL: Final = "all"
_LOCALS: Final = ".<locals>"

COMMITS: Final[Mapping[str, tuple[str, ...]]] = {
    "activities.adoption": (
        "Adoptions.adopt_contract",
        "Adoptions.fetch_terms",
        "Adoptions._terms_are_late",
        "Adoptions.add_native_token",
        "Adoptions._add_token",
        "Adoptions.open_registration",
        "Adoptions.activate_token",
        "Adoptions.add_pair",
    ),
    "activities.alarming_signer": ("AlarmingSigner._is_silent", "AlarmingSigner._has_signed"),
    "activities.answering": (
        "Answering._lapse",
        "Answering._simulate_all",
        "Answering._open",
    ),
    "activities.branches": ("Branches.give_up", "Branches._part"),
    "activities.broadcasting": (
        "Broadcaster._announce_empty_account",
        "Broadcaster._end",
    ),
    "activities.clearing": ("Clearing.send",),
    "activities.covering": ("open_cover",),
    "activities.delegating": ("open_delegation", "delegation_objection"),
    "activities.dispatching": ("Dispatcher._alarm", "Dispatcher._mark"),
    "activities.eons": (
        "CheckpointWork._close",
        "CheckpointWork._announce",
        "CheckpointWork.open_submission",
        "CheckpointWork.record_commitment",
        "CheckpointWork._discard",
    ),
    "activities.failures": ("FailureReports._write.work",),
    "activities.following": ("Follower._decide_slashes", "Follower._take"),
    "activities.fuelling": ("Fuelling.check_fuel",),
    "activities.lookout": ("Lookout.look",),
    "activities.pruning": ("Pruning._step",),
    "activities.proof_sample": ("require_accepted",),
    "activities.reconciling": ("Reconciling._report",),
    "activities.refreshing": ("refresh_pending",),
    "activities.sanity.work": ("Sanity._report",),
    "activities.signing": ("Signing.begin", "Signing.replace", "Signing.fill"),
    "activities.slashing": ("SlashWork._open", "SlashWork._give_up"),
    "activities.synchronisation": (
        "Synchronisation.resynchronise",
        "Synchronisation._alarm",
        "Synchronisation._clear",
    ),
    "activities.telling.courier": (
        "Courier._assign",
        "Courier._claim",
        "Courier._delivered",
        "Courier._failed",
    ),
    "activities.transaction_hook": ("TransactionHook._read",),
    "activities.watching": (
        "Watcher.expire_intent",
        "Watcher._usurped",
        "Watcher._look",
        "Watcher._mined",
        "Watcher._finish",
    ),
    "activities.watchkeeping": (
        "Watchkeeping.raise_alarm",
        "Watchkeeping.clear_alarm",
        "Watchkeeping.record_intervention",
    ),
    "activities.withdrawals": ("DeskWork.read_desk", "DeskWork.open_confirmation"),
    "ledger.checkpoint.building": ("build_checkpoint",),
    "ledger.matching.leader": ("MatchingLeader._find_rules",),
    "ledger.matching.matcher": ("Matcher.step", "Matcher._write"),
    "ledger.transfers.batch": ("Batch._create",),
    "ledger.transfers.writing": ("write_and_commit",),
}
"""The functions that commit, by module: one unit of work each."""

ENDS: Final = (
    "activate_token",
    "add_native_token",
    "add_pair",
    "adopt_contract",
    "announce_checkpoint",
    "broadcast",
    "build_checkpoint",
    "check_fuel",
    "check_sanity",
    "clear_alarm",
    "close_eon",
    "discard_checkpoint",
    "ensure_schedules",
    "expire_intent",
    "fetch_terms",
    "follow_chain",
    "open_confirmation",
    "open_registration",
    "open_slash",
    "open_submission",
    "prune",
    "raise_alarm",
    "read_bounds",
    "read_challenge",
    "read_desk",
    "read_intent",
    "read_slash",
    "read_unsettled",
    "read_view",
    "reconcile",
    "record_commitment",
    "record_intervention",
    "resynchronise",
    "try_answers",
    "verify_checkpoint",
    "watch",
)
"""The activities: each has ended, and Temporal has not heard of it."""

TRANSACTION_SIGNED: Final = "transaction signed and not stored"
TRANSACTION_SENT: Final = "transaction sent and not noted"
DUTY_STARTED: Final = "duty started and its notice not marked"
MESSAGE_TOLD: Final = "message delivered and not noted"
TRANSFER_TOLD: Final = "transfer told and not noted"
EFFECTS: Final = (
    TRANSACTION_SIGNED,
    TRANSACTION_SENT,
    DUTY_STARTED,
    MESSAGE_TOLD,
    TRANSFER_TOLD,
)
"""What was done outside of the database and is not written down in it yet."""


def commit_name(module: str, function: str) -> str:
    """The point after the commit of a function, which is named as Python qualifies it."""
    return f"committed {module}.{function.replace(_LOCALS, '')}"


def end_name(activity: str) -> str:
    """The point after an activity's end."""
    return f"ended {activity}"


NAMES: Final = frozenset(
    [
        *(commit_name(module, one) for module, functions in COMMITS.items() for one in functions),
        *(end_name(activity) for activity in ENDS),
        *EFFECTS,
    ]
)
"""Every point."""


@dataclass(frozen=True, slots=True)
class _Armed:
    names: frozenset[str]
    folder: Path


_armed: _Armed | None = None


def arm(names: Iterable[str], folder: Path) -> None:
    """Let this process die at the points of these names, or at `ALL`.

    A file of the point's name in `folder` says that somebody has died there; nobody does again.
    """
    global _armed
    chosen = frozenset(names)
    folder.mkdir(parents=True, exist_ok=True)
    _armed = _Armed(NAMES if ALL in chosen else chosen, folder)


def crash_point(name: str) -> None:
    """Die here if the process is armed with the name and nobody has died here before."""
    if _armed is None or name not in _armed.names:
        return
    try:
        (_armed.folder / name).open("x").close()
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def committed() -> None:
    """The point after a unit of work: whoever opened it is among those who called us."""
    if _armed is None:
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] in ROOMS:
            crash_point(commit_name(module, frame.f_code.co_qualname))
            return
        frame = frame.f_back
