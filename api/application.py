"""The Sanic application: its parts, its routes, its life."""

from __future__ import annotations

from typing import Any, Final

from sanic import Sanic
from sqlalchemy import Engine

from api import errors
from api.administration.people import Administration, People
from api.administration.profiling import Profiling
from api.callers import Hosts
from api.idempotency import Idempotency
from api.metrics import ApiMetrics
from api.operator import Operator, RulesLoader
from api.policy import (
    BODY_LIMIT_BYTES,
    FRAME_LIMIT_BYTES,
    IDLE_CONNECTION_S,
    PING_INTERVAL_S,
    PING_TIMEOUT_S,
    ApiPolicy,
)
from api.profiling import Recorder
from api.replies import Finish
from api.resources.admission import Admission
from api.resources.alarms import Alarms
from api.resources.analytics import Analytics
from api.resources.delegations import Delegations
from api.resources.description import Description
from api.resources.health import Health
from api.resources.market import Market
from api.resources.sla import ServiceLevels
from api.resources.streams import Streams
from api.resources.swaps import Swaps
from api.resources.terms import Terms
from api.resources.tokens import Tokens
from api.resources.transactions import Transactions
from api.resources.transfers import Transfers
from api.resources.wallets import Wallets
from api.routing import Door, Resource

NAME: Final = "nocust-operator"


def create_app(
    engine: Engine,
    load_rules: RulesLoader,
    policy: ApiPolicy,
    people: People,
    *,
    metrics: ApiMetrics | None = None,
    name: str = NAME,
) -> Sanic[Any, Any]:
    """Compose the API over a ledger.

    `load_rules` returns None until bootstrap has stored the contract's parameters; until then
    everything but `/health` and `/admin` answers 503. The application owns `engine` and disposes
    of it.
    """
    app = Sanic(name, configure_logging=False)
    _configure(app, policy)
    operator = Operator(engine, load_rules, policy, metrics or ApiMetrics())
    recorder = _recorder(engine, policy)
    door = Door(
        Hosts(policy.allowed_hosts),
        operator.limits,
        operator.metrics,
        Idempotency(operator.database),
        Finish(policy),
        recorder,
    )
    errors.install(app, door.finish)
    administration = Administration(engine, people, policy.admin_token)
    tokens, wallets, health = Tokens(operator), Wallets(operator), Health(operator)
    resources = [
        Resource(
            "audit",
            "/audit",
            (
                *tokens.operations(),
                *Transactions(operator).operations(),
                *wallets.operations(),
                *Market(operator).operations(),
            ),
        ),
        Admission(operator).resource(),
        Transfers(operator).resource(),
        Delegations(operator).resource(),
        Swaps(operator).resource(),
        ServiceLevels(operator).resource(),
        Terms(operator).resource(),
        Analytics(operator).resource(),
        *health.resources(),
        Alarms(operator).resource(),
        *administration.resources(),
    ]
    if recorder is not None:
        resources.append(Profiling(recorder, policy.admin_token).resource())
    for resource in [*resources, *Description(resources).resources()]:
        app.blueprint(resource.blueprint(door))
    streams = Streams(operator, door, tokens, wallets)
    app.add_websocket_route(streams.serve, "/ws", name="streams", strict_slashes=False)

    _live(app, operator, administration, streams, door.finish)
    return app


def _recorder(engine: Engine, policy: ApiPolicy) -> Recorder | None:
    if not policy.profiled_requests:
        return None
    return Recorder(engine, most=policy.profiled_requests, percent=policy.profiled_percent)


def _live(
    app: Sanic[Any, Any],
    operator: Operator,
    administration: Administration,
    streams: Streams,
    finish: Finish,
) -> None:
    """Begin with the server and end with it: first no new work, then what is accepted, then all."""

    async def start(_app: Sanic[Any, Any]) -> None:
        await operator.start()

    async def part(_app: Sanic[Any, Any]) -> None:
        finish.is_parting = True
        await streams.stop()

    async def stop(_app: Sanic[Any, Any]) -> None:
        await administration.stop()
        await operator.stop()

    app.register_listener(start, "before_server_start")
    app.register_listener(part, "before_server_stop")
    app.register_listener(stop, "after_server_stop")


def _configure(app: Sanic[Any, Any], policy: ApiPolicy) -> None:
    app.config.update(
        {
            "ACCESS_LOG": False,
            "FALLBACK_ERROR_FORMAT": "json",
            "GRACEFUL_SHUTDOWN_TIMEOUT": policy.drain_s,
            "KEEP_ALIVE_TIMEOUT": IDLE_CONNECTION_S,
            "MOTD": False,
            "REQUEST_MAX_SIZE": BODY_LIMIT_BYTES,
            "WEBSOCKET_MAX_SIZE": FRAME_LIMIT_BYTES,
            "WEBSOCKET_PING_INTERVAL": PING_INTERVAL_S,
            "WEBSOCKET_PING_TIMEOUT": PING_TIMEOUT_S,
        }
    )
