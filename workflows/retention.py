"""Deleting what nobody needs any more."""

from temporalio import workflow

from duties import names, tasks
from duties.checks import RetentionReport
from workflows.asking import ask
from workflows.showing import show


@workflow.defn(name=names.RETENTION_WORKFLOW)
class RetentionWorkflow:
    """Runs by schedule; nothing that a proof or an answer needs is ever deleted."""

    @workflow.run
    async def run(self) -> RetentionReport:
        """Delete once, in small steps."""
        report = await ask(tasks.PRUNE, None)
        show(
            "retention",
            "done",
            *(f"- {table}: `{count}` rows" for table, count in report.deleted.items()),
        )
        return report
