"""What a person reads about an eon in the Temporal UI."""

from temporalio import workflow

from duties import search_attributes
from duties.eons import EonStart, EonStatus, Phase


def show(start: EonStart, status: EonStatus, approved_by: str) -> None:
    """Set search attributes and current details to where the checkpoint stands."""
    blocked = status.phase in (Phase.BLOCKED, Phase.HALTED) or bool(status.blockers)
    workflow.upsert_search_attributes(
        [
            search_attributes.DUTY.value_set("eon"),
            search_attributes.EON.value_set(start.eon),
            search_attributes.PHASE.value_set(status.phase),
            search_attributes.DEADLINE_BLOCK.value_set(status.deadline_block),
            search_attributes.BLOCKED.value_set(blocked),
            search_attributes.PAUSED.value_set(status.held),
        ]
    )
    lines = [
        f"**Checkpoint of eon {start.eon}**: {status.phase}",
        "",
        f"- must be mined in block `{status.deadline_block}` at the latest",
    ]
    if status.root:
        lines.append(f"- root: `0x{status.root}`")
    if status.revision:
        lines.append(f"- transactions so far: `{status.revision}`")
    if approved_by:
        lines.append(f"- over-claim approved by {approved_by}")
    lines += [f"- **waits for**: {blocker}" for blocker in status.blockers]
    workflow.set_current_details("\n".join(lines))
