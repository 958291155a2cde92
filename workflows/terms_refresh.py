"""Keeping up with the terms of service, wherever they are published."""

from temporalio import workflow

from duties import names, tasks
from workflows.asking import ask
from workflows.showing import show


@workflow.defn(name=names.TERMS_WORKFLOW)
class TermsRefreshWorkflow:
    """Runs by schedule; new terms come into force, with their grace period, when they are found."""

    @workflow.run
    async def run(self) -> bool:
        """Fetch once, however long that takes; whether the terms are new."""
        is_new = await ask(tasks.FETCH_TERMS, None)
        show("terms", "new" if is_new else "unchanged")
        return is_new
