"""Holding what runs against what the ledger says must run."""

from temporalio import workflow

from duties import names, tasks
from duties.checks import ReconcileReport
from workflows.asking import ask
from workflows.showing import show


@workflow.defn(name=names.RECONCILE_WORKFLOW)
class ReconcileWorkflow:
    """Runs by schedule; starts duties that are missing, whoever ended them."""

    @workflow.run
    async def run(self) -> ReconcileReport:
        """Compare once."""
        report = await ask(tasks.RECONCILE, None)
        show(
            "reconcile",
            "started what was missing" if report.started else "nothing was missing",
            f"- duties that must run: `{report.expected}`",
            f"- started: `{report.started}`",
            *(f"- `{name}`" for name in report.names),
        )
        return report
