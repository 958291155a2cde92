"""Holding the ledger against the contract, and against itself."""

from temporalio import workflow

from duties import names, tasks
from duties.checks import SanityReport
from workflows.asking import ask
from workflows.showing import show


@workflow.defn(name=names.SANITY_WORKFLOW)
class SanityWorkflow:
    """Runs by schedule; whatever does not hold is an alarm of its own."""

    @workflow.run
    async def run(self) -> SanityReport:
        """Check everything once; a silent node is waited for."""
        report = await ask(tasks.CHECK_SANITY, None)
        show(
            "sanity",
            "something does not hold" if report.findings else "all holds",
            *(f"- **{finding}**" for finding in report.findings),
            *(f"- not compared: {what}" for what in report.unchecked),
        )
        return report
