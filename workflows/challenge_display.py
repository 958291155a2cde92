"""What a person reads about a challenge in the Temporal UI."""

from temporalio import workflow

from duties import search_attributes
from duties.challenges import ChallengeStart, ChallengeStatus, Standing


def title(start: ChallengeStart) -> str:
    """The challenge in a phrase: `challenge 17 (state update of LQD by 0x...)`."""
    kind = start.kind.replace("_", " ")
    who = f"by 0x{start.sender}"
    if start.sender != start.recipient:
        who = f"from 0x{start.sender} to 0x{start.recipient}"
    return f"challenge {start.number} ({kind} of {start.about} {who})"


def show(start: ChallengeStart, status: ChallengeStatus, last_ending: str) -> None:
    """Set search attributes and current details to where the answer stands."""
    phase = "sending" if status.sending else status.standing or "reading"
    blocked = status.standing in (Standing.UNANSWERABLE, Standing.LATE, Standing.FAILING)
    workflow.upsert_search_attributes(
        [
            search_attributes.DUTY.value_set("challenge"),
            search_attributes.EON.value_set(start.eon),
            search_attributes.TOKEN.value_set(start.about),
            search_attributes.WALLET.value_set(f"0x{start.recipient}"),
            search_attributes.PHASE.value_set(phase),
            search_attributes.DEADLINE_BLOCK.value_set(start.deadline_block),
            search_attributes.BLOCKED.value_set(blocked),
        ]
    )
    kind = title(start)
    lines = [
        f"**{kind[0].upper()}{kind[1:]}**: {phase}",
        "",
        f"- opened in block `{start.issue_block}` of eon `{start.eon}`",
        f"- must be answered in block `{start.deadline_block}` at the latest",
    ]
    if status.blocks_left is not None:
        lines.append(f"- blocks left when last tried: `{status.blocks_left}`")
    if status.sending:
        lines.append(f"- on its way: `tx-{status.sending}`")
    if last_ending:
        lines.append(f"- last transaction: {last_ending}")
    if status.ceiling_gwei is not None:
        lines.append(f"- fee ceiling by a person: `{status.ceiling_gwei}` gwei")
    if status.acknowledged_by:
        lines.append(f"- acknowledged by {status.acknowledged_by}")
    if status.reason:
        lines.append(f"- **{phase}**: {status.reason}")
    for tried in status.tried:
        verdict = f"refused {tried.letter!r}: {tried.reason}" if tried.reason else "accepted"
        objection = f" (the ledger objects: {tried.objection})" if tried.objection else ""
        lines.append(f"- tried {tried.variant}: {verdict}{objection}")
    workflow.set_current_details("\n".join(lines))
