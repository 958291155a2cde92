"""Having a transaction carried out by its own workflow, exactly once, and hearing how it ended."""

from temporalio import workflow
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ChildWorkflowError, WorkflowAlreadyStartedError

from duties import names, queues, tasks
from duties.calendar import Calendar
from duties.eons import Opening
from duties.transactions import Stage, TransactionOutcome, TransactionStart
from workflows.asking import ask
from workflows.clockwork import pause


async def carry_out(
    opening: Opening,
    title: str,
    calendar: Calendar,
    *,
    priority: int,
    ceiling_gwei: int | None = None,
) -> TransactionOutcome:
    """Carry out an opened intent and wait for its end.

    The transaction's workflow outlives this one. If it runs already, or ran, its end is read from
    the ledger; if somebody terminated it, it is started again.
    """
    start = TransactionStart(
        intent_id=opening.intent_id,
        key=opening.key,
        title=title,
        calendar=calendar,
        priority=priority,
        deadline_block=opening.deadline_block,
        ceiling_gwei=ceiling_gwei,
    )
    while True:
        try:
            outcome: TransactionOutcome = await workflow.execute_child_workflow(
                names.TRANSACTION_WORKFLOW,
                start,
                id=names.transaction_id(opening.key),
                task_queue=queues.DUTY,
                result_type=TransactionOutcome,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                cancellation_type=workflow.ChildWorkflowCancellationType.ABANDON,
                static_summary=title,
            )
        except WorkflowAlreadyStartedError:
            ended = await _stored_outcome(opening, calendar)
            if ended is not None:
                return ended
        except ChildWorkflowError:
            await pause(calendar.poll_s, lambda: False, "the transaction's workflow was ended")
        else:
            return outcome


async def _stored_outcome(opening: Opening, calendar: Calendar) -> TransactionOutcome | None:
    """The end that the ledger knows, None after a pause while it knows none."""
    progress = await ask(tasks.READ_INTENT, opening.intent_id)
    if progress.stage != Stage.ENDED:
        await pause(calendar.poll_s, lambda: False, "another workflow carries it out")
        return None
    return TransactionOutcome(
        ending=progress.ending,
        key=opening.key,
        tx_hash=progress.tx_hash,
        block=progress.block,
        letter=progress.letter,
        reason=progress.reason,
    )
