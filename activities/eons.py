"""The steps of an eon's checkpoint, each safe to repeat."""

from __future__ import annotations

from typing import cast

from sqlalchemy import select
from temporalio import activity

from activities.context import Context
from activities.proof_sample import require_accepted
from activities.running import beating
from chain.calls import submit_checkpoint
from chain.funds import read_bound
from chain.state import SubmissionFacts
from duties import alarms, names, tasks
from duties.eons import Built, Opening, OpenSubmission, Readiness, Unsettled, Verdict
from ledger.alarms import clear_alarm, raise_alarm
from ledger.audit import require_provable
from ledger.chain_accumulator import accumulator_of
from ledger.checkpoint import announce_checkpoint, build_checkpoint, discard_checkpoint
from ledger.closing import close_eon
from ledger.slashing import queued_slashes
from ledger.split import require_whole
from ledger.transactions.intents import NewIntent, open_intent
from models import (
    ChainEvent,
    Challenge,
    RootCommitment,
    Token,
    TokenCommitment,
)


class CheckpointWork:
    """Carries out the activities of an eon's checkpoint.

    While the chain has parted from what was confirmed, nothing is closed, built or announced.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    @activity.defn(name=tasks.READ_UNSETTLED.name)
    def read_unsettled(self, eon: int) -> Unsettled:
        """What of `eon` is in flight and would change the basis of the next checkpoint."""
        with self._context.sessions() as session:
            slashes = queued_slashes(session, eon)
            challenges = session.scalars(
                select(Challenge.id).where(
                    Challenge.eon == eon, Challenge.status.in_(("open", "answering"))
                )
            ).all()
        waiting = [one.label for one in slashes]
        waiting += [f"the answer to challenge {number}" for number in challenges]
        return Unsettled(tuple(waiting), tuple(one.label for one in slashes if not one.is_mined))

    @activity.defn(name=tasks.CLOSE_EON.name)
    async def close_eon(self, eon: int) -> None:
        """Close an eon: from then on nothing of it changes."""
        await beating(lambda: self._close(eon))

    def _close(self, eon: int) -> None:
        with self._context.sessions.begin() as session:
            require_whole(session)
            close_eon(session, self._context.rules(session), eon)

    @activity.defn(name=tasks.BUILD_CHECKPOINT.name)
    async def build_checkpoint(self, eon: int) -> Built:
        """Build and store the checkpoint of `eon`, or find it stored."""
        return await beating(lambda: self._build(eon))

    def _build(self, eon: int) -> Built:
        with self._context.sessions() as session:
            require_whole(session)
            rules = self._context.rules(session)
        summary = build_checkpoint(self._context.engine, rules, eon)
        wallets = sum(token.leaf_count for token in summary.tokens)
        return Built(summary.merkle_root.hex(), len(summary.tokens), wallets)

    @activity.defn(name=tasks.DISCARD_CHECKPOINT.name)
    async def discard_checkpoint(self, eon: int) -> None:
        """Forget a checkpoint that no wallet was told of, because a person wants it built anew."""
        await beating(lambda: self._discard(eon))

    def _discard(self, eon: int) -> None:
        with self._context.sessions.begin() as session:
            require_whole(session)
            discard_checkpoint(session, eon)

    @activity.defn(name=tasks.VERIFY_CHECKPOINT.name)
    async def verify_checkpoint(self, eon: int) -> Verdict:
        """Prove every stored allotment against the root, have the contract check some of the
        proofs, then ask it for its funds."""
        await beating(lambda: self._verify(eon))
        return await beating(lambda: self.read_bounds(eon))

    def _verify(self, eon: int) -> None:
        with self._context.sessions() as session:
            require_provable(session, self._context.rules(session), eon)
        require_accepted(self._context, eon)

    @activity.defn(name=tasks.READ_BOUNDS.name)
    def read_bounds(self, eon: int) -> Verdict:
        """Hold each token's upper bound against what the contract reconstructs at the head."""
        with self._context.sessions() as session:
            tokens = session.execute(
                select(Token.address, Token.short_name, Token.trail, TokenCommitment.upper_bound)
                .join(Token, Token.id == TokenCommitment.token_id)
                .where(TokenCommitment.eon == eon)
                .order_by(Token.trail)
            ).all()
        overclaims, trails = [], []
        for address, short_name, trail, upper_bound in tokens:
            limit = read_bound(self._context.gateway, bytes(address), eon).limit
            if upper_bound > max(limit, 0):
                overclaims.append(f"{short_name}: {upper_bound} allotted, {limit} held")
                # A token of a checkpoint is active: it has a trail.
                trails.append(cast(int, trail))
        with self._context.sessions() as session:
            unmined = [one.label for one in queued_slashes(session, eon - 1) if not one.is_mined]
        return Verdict(tuple(overclaims), tuple(unmined), tuple(trails))

    @activity.defn(name=tasks.ANNOUNCE_CHECKPOINT.name)
    async def announce_checkpoint(self, eon: int) -> None:
        """Tell the wallets; from here on the root is never built again."""
        await beating(lambda: self._announce(eon))

    def _announce(self, eon: int) -> None:
        with self._context.sessions.begin() as session:
            require_whole(session)
            announce_checkpoint(session, eon)

    @activity.defn(name=tasks.OPEN_SUBMISSION.name)
    def open_submission(self, order: OpenSubmission) -> Opening:
        """Read the basis at the head and open the intent that submits the root with it.

        Says `wait` while the contract would refuse it for challenges or for a basis that our own
        reckoning does not explain yet, `done` or `foreign` when a root stands there already.
        """
        facts = self._context.gateway.submission_facts()
        with self._context.sessions.begin() as session:
            root = session.scalars(
                select(RootCommitment).where(RootCommitment.eon == order.eon)
            ).one()
            opening = self._judge(order.eon, bytes(root.merkle_root), facts)
            if opening.readiness != Readiness.READY:
                return opening
            rules = self._context.rules(session)
            about = names.eon_id(order.eon)
            if accumulator_of(session, rules.clock, order.eon - 1) == facts.basis:
                clear_alarm(session, alarms.ACCUMULATOR, about)
            else:
                message = f"basis {facts.basis.hex()} of eon {order.eon - 1} is not explained"
                raise_alarm(session, alarms.CRITICAL, alarms.ACCUMULATOR, about, message)
                if rules.clock.sub_block(facts.head.number) < rules.clock.epoch_blocks // 2:
                    return Opening(Readiness.WAIT, reason=message)
            root.basis = facts.basis
            call = submit_checkpoint(
                rules.contract, accumulator=facts.basis, root=bytes(root.merkle_root)
            )
            intent = open_intent(
                session,
                NewIntent(
                    key=names.checkpoint_key(order.eon, order.revision),
                    duty="checkpoint",
                    account=rules.operator.address,
                    callee=call.to,
                    calldata=call.data,
                    earliest_block=rules.clock.first_block(order.eon),
                    deadline_block=rules.clock.last_block(order.eon),
                ),
            )
        return Opening(Readiness.READY, intent.key, intent.id, deadline_block=intent.deadline_block)

    def _judge(self, eon: int, root: bytes, facts: SubmissionFacts) -> Opening:
        if facts.last_submission_eon >= eon:
            same = facts.last_submission_eon > eon or facts.last_root == root
            return Opening(
                Readiness.DONE if same else Readiness.FOREIGN,
                reason=f"the contract holds {facts.last_root.hex()}",
            )
        if facts.eon > eon or facts.has_missed_submission:
            return Opening(Readiness.HALTED, reason=f"the head is in eon {facts.eon}")
        if facts.eon < eon:
            return Opening(Readiness.WAIT, reason="the head went back into the eon before")
        if facts.has_outstanding_challenges:
            return Opening(Readiness.HALTED, reason="challenges were not answered in time")
        if facts.live_challenges:
            reason = f"{facts.live_challenges} challenges of eon {eon - 1} are unanswered"
            return Opening(Readiness.WAIT, reason=reason)
        return Opening(Readiness.READY)

    @activity.defn(name=tasks.RECORD_COMMITMENT.name)
    def record_commitment(self, eon: int) -> Opening:
        """Hold the confirmed event's root against ours and mark the checkpoint committed.

        `done` when they agree, `foreign` when they differ, `wait` while no event is confirmed.
        """
        with self._context.sessions.begin() as session:
            own = session.scalars(select(RootCommitment).where(RootCommitment.eon == eon)).first()
            event = session.scalars(
                select(ChainEvent).where(
                    ChainEvent.name == "CheckpointSubmission",
                    ChainEvent.arguments["eon"].astext == str(eon),
                    ChainEvent.applied,
                    ~ChainEvent.orphaned,
                )
            ).first()
            if event is None:
                return Opening(Readiness.WAIT, reason="the event is not confirmed yet")
            found = bytes.fromhex(event.arguments["root"])
            if own is None or bytes(own.merkle_root) != found:
                return Opening(Readiness.FOREIGN, reason=f"the contract holds {found.hex()}")
            own.status = "committed"
            # With whatever basis: it is final, and what it did not explain shows in the next one.
            clear_alarm(session, alarms.ACCUMULATOR, names.eon_id(eon))
        return Opening(Readiness.DONE)
