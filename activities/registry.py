"""Which activities each task queue offers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from activities.adoption import Adoptions
from activities.answering import Answering
from activities.broadcasting import Broadcaster
from activities.context import Context
from activities.eons import CheckpointWork
from activities.fuelling import Fuelling
from activities.pruning import Pruning
from activities.reconciling import Reconciling
from activities.sanity.work import Sanity
from activities.scheduling import Scheduling
from activities.slashing import SlashWork
from activities.synchronisation import Synchronisation
from activities.watching import Watcher
from activities.watchkeeping import Watchkeeping
from activities.withdrawals import DeskWork
from duties import queues

Activity = Callable[..., Any]


def activities_of(context: Context, client: Client) -> dict[str, list[Activity]]:
    """Every activity by its queue; those that sign are on the queue of the role that may."""
    adoptions, watcher, answering = Adoptions(context), Watcher(context), Answering(context)
    broadcast = Broadcaster(context).broadcast
    checkpoints, desks = CheckpointWork(context), DeskWork(context)
    slashes = SlashWork(context)
    synchronisation, watchkeeping = Synchronisation(context, client), Watchkeeping(context)
    return {
        queues.WRITE: [
            broadcast,
            adoptions.add_native_token,
            adoptions.activate_token,
        ],
        queues.URGENT: [broadcast],
        queues.READ: [watcher.watch],
        queues.LEDGER: [
            synchronisation.follow_chain,
            synchronisation.resynchronise,
            synchronisation.read_view,
            checkpoints.read_unsettled,
            checkpoints.close_eon,
            checkpoints.build_checkpoint,
            checkpoints.discard_checkpoint,
            checkpoints.verify_checkpoint,
            checkpoints.read_bounds,
            checkpoints.announce_checkpoint,
            checkpoints.open_submission,
            checkpoints.record_commitment,
            answering.try_answers,
            answering.read_challenge,
            desks.read_desk,
            desks.open_confirmation,
            slashes.read_slash,
            slashes.open_slash,
            watcher.read_intent,
            watcher.expire_intent,
            adoptions.adopt_contract,
            adoptions.open_registration,
            adoptions.add_pair,
            Scheduling(client).ensure_schedules,
            Fuelling(context).check_fuel,
            Reconciling(context, client).reconcile,
            Sanity(context).check_sanity,
            Pruning(context).prune,
        ],
        queues.NOTIFY: [
            adoptions.fetch_terms,
            watchkeeping.raise_alarm,
            watchkeeping.clear_alarm,
            watchkeeping.record_intervention,
        ],
    }
