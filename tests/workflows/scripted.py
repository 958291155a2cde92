"""The operator's activities as a script, on a chain whose head follows the workflows' clock."""

import inspect
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import RawValue
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from duties import queues, search_attributes, tasks
from duties.alarms import AlarmKey, AlarmNote
from duties.calendar import Calendar, View
from duties.challenges import ChallengeView, Standing, Trial, TryAnswers
from duties.checks import (
    FuelReport,
    FuelState,
    ReconcileReport,
    RetentionReport,
    SanityReport,
)
from duties.eons import Built, Opening, OpenSubmission, Readiness, Unsettled, Verdict
from duties.slashes import OpenSlash, SlashBook
from duties.synchronisation import Followed
from duties.task import Task
from duties.tokens import Adoption, OpenRegistration, Registered, TokenTerms
from duties.transactions import Ending, Progress, Stage
from duties.withdrawals import DeskBook, OpenConfirmation
from workflows import registry

TASKS: dict[str, Task[Any, Any]] = {
    task.name: task for task in vars(tasks).values() if isinstance(task, Task)
}
ROOT = "ab" * 32
KINDS = {
    "KEYWORD": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "INT": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "BOOL": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
}
Answer = Callable[[Any], Any | Awaitable[Any]]


def calendar(**overrides: Any) -> Calendar:
    """Eons of 4,320 blocks of 15 seconds, as on a main net."""
    values: dict[str, Any] = {
        "genesis_block": 1_000,
        "blocks_per_eon": 4_320,
        "confirmations": 20,
        "checkpoint_threshold_blocks": 40,
        "poll_s": 10.0,
        "block_time_s": 15.0,
    }
    return Calendar(**(values | overrides))


class Script:
    """What each activity answers, and what was asked in which order.

    `answers[name]` may be replaced by a test; `head` follows the environment's clock.
    """

    def __init__(self, environment: WorkflowEnvironment, times: Calendar) -> None:
        self.environment, self.calendar = environment, times
        self.asked: list[tuple[str, Any]] = []
        self.alarms: list[AlarmNote] = []
        self.cleared: list[AlarmKey] = []
        self.submitted_eon = 0
        self.slashed = False
        self.lag = times.confirmations
        self.started_at: float | None = None
        self.answers: dict[str, Answer] = self._usual()

    def names(self, *without: str) -> list[str]:
        """The activities asked for, in order, apart from the frequent `without`."""
        return [name for name, _ in self.asked if name not in without]

    def count(self, name: str) -> int:
        return self.names().count(name)

    async def head(self) -> int:
        now = (await self.environment.get_current_time()).timestamp()
        if self.started_at is None:
            self.started_at = now
        return self.calendar.genesis_block + int(
            (now - self.started_at) / self.calendar.block_time_s
        )

    async def view(self, _argument: None = None) -> View:
        head = await self.head()
        return View(head, max(0, head - self.lag), self.submitted_eon)

    def _usual(self) -> dict[str, Answer]:
        times = self.calendar
        return {
            "read_view": self.view,
            "follow_chain": lambda order: Followed(1_010, 990, 1, 10),
            "resynchronise": lambda order: 3,
            "read_unsettled": lambda eon: Unsettled(),
            "close_eon": lambda eon: None,
            "build_checkpoint": lambda eon: Built(ROOT, 2, 10),
            "discard_checkpoint": lambda eon: None,
            "verify_checkpoint": lambda eon: Verdict(),
            "read_bounds": lambda eon: Verdict(),
            "announce_checkpoint": lambda eon: None,
            "open_submission": self._open_submission,
            "record_commitment": lambda eon: Opening(Readiness.DONE),
            "broadcast": lambda order: Progress(Stage.SENT, nonce=7, attempts=1, fee="30"),
            "watch": self._confirm,
            "read_intent": lambda intent: Progress(Stage.WAITING),
            "expire_intent": lambda intent: Progress(Stage.ENDED, Ending.EXPIRED),
            "try_answers": self._try_answers,
            "read_challenge": lambda number: ChallengeView("answering"),
            "read_desk": lambda desk: DeskBook(),
            "open_confirmation": self._open_confirmation,
            "read_slash": lambda order: SlashBook(status="done"),
            "open_slash": self._open_slash,
            "adopt_contract": lambda _: Adoption(
                times, "hardened", "aa" * 20, TokenTerms("bb" * 20, "LQD", "LQD")
            ),
            "fetch_terms": lambda _: True,
            "ensure_schedules": lambda _: 2,
            "reconcile": lambda _: ReconcileReport(7, 0),
            "check_sanity": lambda _: SanityReport(),
            "prune": lambda _: RetentionReport({"notification": 5}),
            "check_fuel": lambda _: FuelReport(FuelState.ENOUGH, "9", "5", "3"),
            "add_native_token": lambda _: Registered("aa" * 20, 0),
            "open_registration": self._open_registration,
            "activate_token": lambda token: Registered(token.address, 1),
            "add_pair": lambda pair: 2,
            "raise_alarm": self.alarms.append,
            "clear_alarm": self.cleared.append,
            "record_intervention": lambda note: None,
        }

    def _open_submission(self, order: OpenSubmission) -> Opening:
        if self.submitted_eon >= order.eon:
            return Opening(Readiness.DONE)
        last = self.calendar.genesis_block + order.eon * self.calendar.blocks_per_eon - 1
        key = f"checkpoint-{order.eon}-r{order.revision}"
        return Opening(Readiness.READY, key, order.revision, deadline_block=last)

    def _open_confirmation(self, order: OpenConfirmation) -> Opening:
        return Opening(Readiness.READY, f"withdrawal-{order.revision}", order.revision)

    async def _try_answers(self, order: TryAnswers) -> Trial:
        """An answer passes at once; after it was mined the contract's book is clear."""
        head = await self.head()
        if order.revision == 1:
            return self.ready(order)
        settled = self.count("try_answers") > 3
        standing = Standing.ENDED if settled else Standing.CLEARED
        return Trial(standing, "answered" if settled else "answering", head)

    def ready(self, order: TryAnswers) -> Trial:
        """An answer that passes, with its intent."""
        key = f"answer-{order.number}-r{order.revision}"
        return Trial(Standing.READY, "answering", 0, key=key, intent_id=order.revision)

    def _open_slash(self, order: OpenSlash) -> Opening:
        return Opening(Readiness.READY, f"slash-r{order.revision}", order.revision)

    def _open_registration(self, order: OpenRegistration) -> Opening:
        return Opening(Readiness.READY, f"register-r{order.revision}", order.revision)

    def _confirm(self, _order: Any) -> Progress:
        if "open_submission" in self.names():
            self.submitted_eon += 1
        return Progress(Stage.ENDED, Ending.CONFIRMED, nonce=7, attempts=1, tx_hash="0x12", block=9)

    @activity.defn(dynamic=True)
    async def answer(self, arguments: Sequence[RawValue]) -> Any:
        """Whatever activity is asked for."""
        name = activity.info().activity_type
        argument = None
        if arguments:
            argument = activity.payload_converter().from_payload(
                arguments[0].payload, TASKS[name].argument
            )
        self.asked.append((name, argument))
        result = self.answers[name](argument)
        return await result if inspect.isawaitable(result) else result


def in_turn(*results: Any) -> Answer:
    """Answer with each result once, then with the last for ever; exceptions are raised."""
    left = list(results)

    def answer(argument: Any) -> Any:
        result = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(result, Exception):
            raise result
        return result(argument) if inspect.isroutine(result) else result

    return answer


async def register_attributes(client: Client) -> None:
    """Without them every workflow task fails again and again."""
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(
            namespace=client.namespace,
            search_attributes={
                key.name: KINDS[key.indexed_value_type.name] for key in search_attributes.ALL
            },
        )
    )


@asynccontextmanager
async def at_work(
    client: Client, script: Script, workflows: Sequence[type[Any]] = tuple(registry.ALL)
) -> AsyncIterator[None]:
    """Workers for every queue: the real workflows, the scripted activities."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(Worker(client, task_queue=queues.DUTY, workflows=workflows))
        for queue in queues.ALL[1:]:
            await stack.enter_async_context(
                Worker(client, task_queue=queue, activities=[script.answer])
            )
        yield


def positions(names: Sequence[str]) -> dict[str, int]:
    """Where each name stands first."""
    found: dict[str, int] = defaultdict(int)
    for place, name in reversed(list(enumerate(names))):
        found[name] = place
    return found
