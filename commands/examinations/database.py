"""The database: reachable, at the newest schema, with room; and what it knows of deadlines."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

import psycopg2
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from chain.errors import ChainError
from chain.gateway import ContractGateway
from commands.database import session_of
from commands.examinations.chain import node_of
from commands.examinations.finding import Finding, fail, ok, warn
from ledger.clock import STALE_AFTER, find_view
from ledger.parameters import find_parameters
from ledger.switches import paused_switches
from models import Challenge
from models.migrate import MIGRATIONS
from protocol.clock import EonClock
from setting_types import SettingsError
from settings import Settings

CROWDED: Final = 0.8
SKEW_S: Final = 2.0
FEW_BYTES: Final = 2 * 1024**3
TOO_FEW_BYTES: Final = 512 * 1024**2
GONE: Final = (SQLAlchemyError, psycopg2.Error, SettingsError)
OPEN_CHALLENGES: Final = ("open", "answering")


def examine_database(settings: Settings) -> Sequence[Finding]:
    """Reachable, migrated, with connections left, and with the same clock as ours."""
    return _reading("database", settings, _look)


def examine_parameters(settings: Settings) -> Sequence[Finding]:
    """The database belongs to the contract that is configured."""
    return _reading("parameters", settings, lambda session: _compare(session, settings))


def examine_deadlines(settings: Settings) -> Sequence[Finding]:
    """The checkpoint that is due, open challenges, and the blocks that are left for them."""
    return _reading("deadlines", settings, _deadlines)


def examine_disk(settings: Settings) -> Sequence[Finding]:
    """Room on the disk of this machine; a database elsewhere is its own machine's care."""
    place = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    message = f"{free // 1024**2:,} MiB free at {place}"
    if free < TOO_FEW_BYTES:
        return [fail("disk", message, "make room: the database stops when the disk is full")]
    if free < FEW_BYTES:
        return [warn("disk", message, "make room")]
    return [ok("disk", message)]


def _reading(
    what: str, settings: Settings, look: Callable[[Session], list[Finding]]
) -> Sequence[Finding]:
    try:
        with session_of(settings) as session:
            return look(session)
    except GONE as error:
        message = f"it cannot be read ({type(error).__name__})"
        return [fail(what, message, "start PostgreSQL, check HUB_DATABASE_URL, run `prepare`")]


def _look(session: Session) -> list[Finding]:
    now, size = session.execute(
        text("SELECT clock_timestamp(), pg_database_size(current_database())")
    ).one()
    used, most = session.execute(
        text("SELECT (SELECT count(*) FROM pg_stat_activity), current_setting('max_connections')")
    ).one()
    idle = session.scalars(
        text("SELECT slot_name::text FROM pg_replication_slots WHERE NOT active")
    ).all()
    skew_s = abs((datetime.now(UTC) - now).total_seconds())
    found = [ok("database", f"{size // 1024**2:,} MiB, {used} of {most} connections")]
    if used > CROWDED * int(most):
        advice = "raise max_connections, or lower HUB_DATABASE_POOL_SIZE"
        found.append(warn("database", f"{used} of {most} connections are used", advice))
    if idle:
        advice = "drop replication slots that nobody reads: they keep the log for ever"
        found.append(warn("database", f"idle slots: {', '.join(idle)}", advice))
    if skew_s > SKEW_S:
        found.append(warn("clock", f"the database is {skew_s:.0f} s off", "set both clocks (NTP)"))
    return [*found, _schema(session)]


def _schema(session: Session) -> Finding:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    exists = session.scalar(text("SELECT to_regclass('alembic_version')"))
    present = session.scalar(text("SELECT version_num FROM alembic_version")) if exists else None
    if present != newest:
        message = f"its schema is {present or 'empty'}, this program's is {newest}"
        return fail("database", message, "run `nocust-operator prepare`")
    return ok("database", f"schema {newest}")


def _compare(session: Session, settings: Settings) -> list[Finding]:
    stored = find_parameters(session)
    if stored is None:
        return [warn("parameters", "the operator was never started here", "start the worker")]
    try:
        found = ContractGateway(node_of(settings), settings.contract_address).parameters()
    except ChainError as error:
        return [fail("parameters", str(error), "bring the node back first")]
    pairs = {
        "contract": (stored.contract, settings.contract_address),
        "chain id": (stored.chain_id, found.chain_id),
        "operator": (stored.operator, found.operator),
        "edition": (stored.edition, found.edition),
        "code": (stored.code_hash, found.code_hash),
        "genesis block": (stored.genesis_block, found.genesis_block),
        "blocks per eon": (stored.blocks_per_eon, found.blocks_per_eon),
        "eons kept": (stored.eons_kept, found.eons_kept),
        "deposits kept": (stored.deposits_kept, found.deposits_kept),
        "challenge cost": (stored.challenge_cost, found.challenge_cost),
    }
    different = [name for name, (here, there) in pairs.items() if here != there]
    if different:
        message = f"the database belongs to another contract: {', '.join(different)} differ"
        return [fail("parameters", message, "set the contract, or the database, that belongs here")]
    return [ok("parameters", "the contract is the one that is stored")]


def _deadlines(session: Session) -> list[Finding]:
    stored, view = find_parameters(session), find_view(session)
    if stored is None or view is None:
        return [warn("deadlines", "the chain was never seen", "start the worker")]
    clock = EonClock(stored.genesis_block, stored.blocks_per_eon)
    if view.intake == "halted":
        return [fail("deadlines", "the commit-chain has halted", "see docs/recovery.md")]
    found = [_checkpoint(clock, view.current_eon, view.latest_block, view.last_submitted_eon)]
    age = datetime.now(UTC) - view.seen_at
    if age > STALE_AFTER:
        message = f"nobody has looked at the chain for {int(age.total_seconds())} s"
        found.append(fail("deadlines", message, "start the worker; see docs/runbooks"))
    first = session.scalar(
        select(func.min(Challenge.deadline_block)).where(Challenge.status.in_(OPEN_CHALLENGES))
    )
    if first is not None:
        message = f"challenges are open, {first - view.latest_block} blocks left for the first"
        found.append(warn("deadlines", message, "see the challenges' duties"))
    paused = paused_switches(session)
    if paused:
        message = f"paused: {', '.join(paused)}"
        found.append(warn("switches", message, "`nocust-operator resume …` when it is over"))
    return found


def _checkpoint(clock: EonClock, eon: int, head: int, submitted: int) -> Finding:
    left = clock.last_block(eon) - head
    if submitted >= eon:
        return ok("deadlines", f"the checkpoint of eon {eon} is on chain, {left} blocks of it left")
    message = f"the checkpoint of eon {eon} is due, {left} blocks left"
    if left < clock.blocks_per_eon // 2:
        return fail("deadlines", message, "see docs/runbooks/checkpoint-late.md")
    return ok("deadlines", message)
