"""Every activity that a workflow may ask for, with its queue and limits.

Errors named as final are never retried: they say that trying again cannot help. Everything else
is retried for ever; deadlines are blocks, which workflows watch themselves.
"""

from datetime import timedelta
from typing import Final

from temporalio.common import RetryPolicy

from duties import queues
from duties.alarms import AlarmKey, AlarmNote
from duties.calendar import View
from duties.challenges import ChallengeView, Trial, TryAnswers
from duties.checks import FuelReport, ReconcileReport, RetentionReport, SanityReport
from duties.eons import Built, Opening, OpenSubmission, Unsettled, Verdict
from duties.interventions import InterventionNote
from duties.slashes import OpenSlash, SlashBook, SlashOrder
from duties.synchronisation import FollowChain, Followed, Resync
from duties.task import Task, persistent
from duties.tokens import Adoption, OpenRegistration, PairTerms, Registered, TokenTerms
from duties.transactions import Broadcast, Progress, Watch
from duties.withdrawals import Desk, DeskBook, OpenConfirmation

_SHORT = timedelta(seconds=20)
_MINUTE = timedelta(minutes=1)
_MINUTES = timedelta(minutes=10)
_LONG = timedelta(minutes=30)
_PULSE = timedelta(seconds=20)
_LEDGER_FAULTS = (
    "LedgerInvariant",
    "ForeignDatabase",
    "PublicKey",
    "CheckpointInconsistent",
    "TrailGap",
)
_START_FAULTS = (*_LEDGER_FAULTS, "WrongChain", "ContractMissing", "UnsuitedContract")

READ_VIEW: Final = Task("read_view", type(None), View, queues.LEDGER, _SHORT)

FOLLOW_CHAIN: Final = Task(
    "follow_chain",
    FollowChain,
    Followed,
    queues.LEDGER,
    _MINUTES + _MINUTES,
    heartbeat=_PULSE,
    retry=persistent("WrongChain", "ProofOfAuthorityFlagMissing", ceiling_s=10),
)
RESYNCHRONISE: Final = Task(
    "resynchronise", Resync, int, queues.LEDGER, _MINUTES, retry=RetryPolicy(maximum_attempts=1)
)

READ_UNSETTLED: Final = Task("read_unsettled", int, Unsettled, queues.LEDGER, _SHORT)
CLOSE_EON: Final = Task(
    "close_eon", int, type(None), queues.LEDGER, _MINUTES, _PULSE, persistent(*_LEDGER_FAULTS)
)
BUILD_CHECKPOINT: Final = Task(
    "build_checkpoint", int, Built, queues.LEDGER, _LONG, _PULSE, persistent(*_LEDGER_FAULTS)
)
DISCARD_CHECKPOINT: Final = Task(
    "discard_checkpoint",
    int,
    type(None),
    queues.LEDGER,
    _MINUTES,
    _PULSE,
    persistent(*_LEDGER_FAULTS),
)
VERIFY_CHECKPOINT: Final = Task(
    "verify_checkpoint", int, Verdict, queues.LEDGER, _LONG, _PULSE, persistent(*_LEDGER_FAULTS)
)
READ_BOUNDS: Final = Task("read_bounds", int, Verdict, queues.LEDGER, _SHORT)
ANNOUNCE_CHECKPOINT: Final = Task(
    "announce_checkpoint", int, type(None), queues.LEDGER, _MINUTES, _PULSE
)
OPEN_SUBMISSION: Final = Task("open_submission", OpenSubmission, Opening, queues.LEDGER, _SHORT)
RECORD_COMMITMENT: Final = Task("record_commitment", int, Opening, queues.LEDGER, _SHORT)

TRY_ANSWERS: Final = Task(
    # After some failures the duty says so to people, and asks again.
    "try_answers",
    TryAnswers,
    Trial,
    queues.LEDGER,
    _MINUTE,
    retry=RetryPolicy(maximum_interval=timedelta(seconds=5), maximum_attempts=6),
)
READ_CHALLENGE: Final = Task("read_challenge", int, ChallengeView, queues.LEDGER, _SHORT)

BROADCAST: Final = Task(
    "broadcast",
    Broadcast,
    Progress,
    queues.WRITE,
    _SHORT,
    retry=persistent(ceiling_s=5),
    urgent_queue=queues.URGENT,
)
WATCH: Final = Task("watch", Watch, Progress, queues.READ, _MINUTES + _MINUTES, _PULSE)
READ_INTENT: Final = Task("read_intent", int, Progress, queues.LEDGER, _SHORT)
EXPIRE_INTENT: Final = Task("expire_intent", int, Progress, queues.LEDGER, _SHORT)

READ_DESK: Final = Task("read_desk", Desk, DeskBook, queues.LEDGER, _SHORT)
OPEN_CONFIRMATION: Final = Task(
    "open_confirmation", OpenConfirmation, Opening, queues.LEDGER, _SHORT
)

READ_SLASH: Final = Task("read_slash", SlashOrder, SlashBook, queues.LEDGER, _SHORT)
OPEN_SLASH: Final = Task("open_slash", OpenSlash, Opening, queues.LEDGER, _SHORT)

ADOPT_CONTRACT: Final = Task(
    "adopt_contract", type(None), Adoption, queues.LEDGER, _SHORT, retry=persistent(*_START_FAULTS)
)
FETCH_TERMS: Final = Task("fetch_terms", type(None), bool, queues.NOTIFY, _SHORT)
ENSURE_SCHEDULES: Final = Task("ensure_schedules", type(None), int, queues.LEDGER, _SHORT)
RECONCILE: Final = Task("reconcile", type(None), ReconcileReport, queues.LEDGER, _MINUTES, _PULSE)
CHECK_SANITY: Final = Task("check_sanity", type(None), SanityReport, queues.LEDGER, _LONG, _PULSE)
PRUNE: Final = Task("prune", type(None), RetentionReport, queues.LEDGER, _LONG, _PULSE)
CHECK_FUEL: Final = Task("check_fuel", type(None), FuelReport, queues.LEDGER, _SHORT)
ADD_NATIVE_TOKEN: Final = Task(
    "add_native_token",
    type(None),
    Registered,
    queues.WRITE,
    _SHORT,
    None,
    persistent(*_LEDGER_FAULTS),
)
OPEN_REGISTRATION: Final = Task(
    "open_registration", OpenRegistration, Opening, queues.LEDGER, _SHORT
)
ACTIVATE_TOKEN: Final = Task(
    "activate_token",
    TokenTerms,
    Registered,
    queues.WRITE,
    _SHORT,
    None,
    persistent(*_LEDGER_FAULTS),
)
ADD_PAIR: Final = Task("add_pair", PairTerms, int, queues.LEDGER, _SHORT)

RAISE_ALARM: Final = Task("raise_alarm", AlarmNote, type(None), queues.NOTIFY, _SHORT)
CLEAR_ALARM: Final = Task("clear_alarm", AlarmKey, type(None), queues.NOTIFY, _SHORT)
RECORD_INTERVENTION: Final = Task(
    "record_intervention", InterventionNote, type(None), queues.NOTIFY, _SHORT
)
