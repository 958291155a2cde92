"""An eon's workflow with two steps exchanged, as a careless change would leave it."""

from temporalio import workflow

from duties import names, tasks
from duties.eons import EonOutcome, EonStart, Phase
from workflows.eon import EonWorkflow as Original


@workflow.defn(name=names.EON_WORKFLOW)
class EonWorkflow(Original):
    """Announces the checkpoint before it is verified."""

    @workflow.init
    def __init__(self, start: EonStart) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: EonStart) -> EonOutcome:
        """As the original."""
        return await super().run(start)

    async def _commit(self) -> None:
        eon = self._start.eon
        await self._run_in()
        self._enter(Phase.CLOSING)
        await self._step(tasks.CLOSE_EON, eon - 1)
        self._enter(Phase.BUILDING)
        self._root = (await self._step(tasks.BUILD_CHECKPOINT, eon)).root
        await self._step(tasks.ANNOUNCE_CHECKPOINT, eon)
        self._enter(Phase.VERIFYING)
        await self._step(tasks.VERIFY_CHECKPOINT, eon)
        await self._submit()
