"""How a scheduled check shows what it found."""

from temporalio import workflow

from duties import search_attributes


def show(duty: str, phase: str, *lines: str) -> None:
    """Put a check's result where the Temporal UI and its search find it."""
    workflow.upsert_search_attributes(
        [
            search_attributes.DUTY.value_set(duty),
            search_attributes.PHASE.value_set(phase),
        ]
    )
    workflow.set_current_details("\n".join([f"**{duty}**: {phase}", "", *lines]))
