"""`nocust-operator api`: one process of the API; several share the port."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

import click
from sanic import Sanic
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

import logs
from api.administration.people import People
from api.application import create_app
from api.metrics import ApiMetrics, take_place
from api.policy import ApiPolicy
from commands.keys import owner_signers
from commands.policy import ledger_policy
from commands.temporal import connect_lazily
from crash_points import arm
from ledger.parameters import load_rules
from ledger.rules import LedgerRules
from models.engine import open_engine, open_sessions
from protocol.keccak import require_fast_crypto
from settings import Settings, publish_environment

BACKLOG: Final = 1024

log = logs.get_logger(__name__)


@click.command()
def api() -> None:
    """Serve wallets over HTTP and WebSocket, in the foreground, until SIGTERM."""
    settings = Settings.from_env()
    logs.configure(settings.log_format, settings.log_level, secrets=settings.secrets())
    require_fast_crypto()
    if settings.crash_at:
        arm(settings.crash_at, settings.crash_folder)
    app = compose(settings)
    with shared_socket(settings.api_host, settings.api_port) as listening:
        app.run(sock=listening, single_process=True, access_log=False, motd=False)


def compose(settings: Settings) -> Sanic[Any, Any]:
    """Wire the API from the settings.

    Raises `ForeignDatabase` at once for a database that belongs to another operator or contract;
    one that cannot be reached yet is waited for while serving.
    """
    operator, policy = owner_signers(settings).messages, ledger_policy(settings)

    def rules(session: Session) -> LedgerRules | None:
        return load_rules(session, operator=operator, policy=policy)

    engine = open_engine(
        settings.require_database_url(),
        application_name="nocust-api",
        pool_size=settings.database_pool_size,
    )
    try:
        with open_sessions(engine).begin() as session:
            rules(session)
    except SQLAlchemyError as error:
        log.warning("the database cannot be read yet", reason=type(error).__name__)
    return create_app(
        engine,
        rules,
        ApiPolicy(
            allowed_hosts=frozenset(settings.allowed_hosts),
            trusted_proxies=settings.trusted_proxies,
            caller_header=settings.caller_header,
            peer_rate=settings.peer_rate,
            wallet_rate=settings.wallet_rate,
            registration_rate=settings.registration_rate,
            metrics_networks=settings.metrics_networks,
            allowed_origins=frozenset(settings.allowed_origins),
            all_origins_allowed=settings.all_origins_allowed,
            matching_addresses=frozenset(settings.matching_addresses),
            terms_folder=_terms_folder(settings.tos_url),
            database_threads=max(2, settings.database_pool_size // 2),
            admin_token=settings.admin_token,
            profiled_requests=settings.profiled_requests if settings.profiling else 0,
            profiled_percent=settings.profiled_percent,
        ),
        People(settings.owner_address, lambda: connect_lazily(settings)),
        metrics=_metrics(settings),
    )


def _metrics(settings: Settings) -> ApiMetrics:
    """Metrics that the processes of one port share in a folder; our own if there can be none."""
    folder = settings.data_dir / "metrics" / f"api-{settings.api_port}"
    publish_environment(PROMETHEUS_MULTIPROC_DIR=str(folder))
    try:
        take_place(folder)
    except OSError as error:
        log.warning("metrics are of this process only", reason=type(error).__name__)
        return ApiMetrics()
    return ApiMetrics(folder)


def shared_socket(host: str, port: int) -> socket.socket:
    """Listen on a port that every process of the API shares; the kernel spreads connections."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((host, port))
    listening.listen(BACKLOG)
    return listening


def _terms_folder(url: str) -> Path | None:
    """The folder of the terms if they are files of this machine, to be served with the API."""
    parts = urlsplit(url)
    return Path(url2pathname(parts.path)).parent if parts.scheme == "file" else None
