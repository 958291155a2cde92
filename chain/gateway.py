"""The contract's getters under the names of the protocol, always at the head."""

from collections.abc import Sequence
from typing import Any

from chain.blocks import BlockHeader
from chain.errors import CallReverted, HeadMoved, NodeMisbehaved
from chain.node import Node
from chain.parameters import ContractParameters, read_parameters
from chain.reader import SNAPSHOT_ATTEMPTS, ContractReader
from chain.state import (
    ChallengeKind,
    ChallengeRecord,
    Checkpoint,
    HolderState,
    PendingRequest,
    SlotAmount,
    SubmissionFacts,
)
from protocol.address import Address
from protocol.clock import EonClock


class ContractGateway(ContractReader):
    """One commit-chain contract.

    Deployment's parameters are read once and kept; everything else is asked each time. Methods
    raise the errors of `Node`, and ContractMissing where no commit-chain answers.
    """

    def __init__(self, node: Node, contract: Address) -> None:
        super().__init__(node, contract)
        self._parameters: ContractParameters | None = None

    def parameters(self) -> ContractParameters:
        """What deployment fixed."""
        if self._parameters is None:
            self._parameters = read_parameters(self)
        return self._parameters

    def clock(self) -> EonClock:
        """The eon clock that this contract goes by."""
        parameters = self.parameters()
        return EonClock(parameters.genesis_block, parameters.blocks_per_eon)

    def submission_facts(self) -> SubmissionFacts:
        """The coming checkpoint's basis and obstacles, all of one head."""
        clock = self.clock()
        for _ in range(SNAPSHOT_ATTEMPTS):
            eon = clock.eon_of(self.node.head().number)
            head, (state, basis, live, outstanding) = self.ask_together(
                ("getServerContractStateVariables",),
                ("getParentChainAccumulatorAtSlot", self._slot(eon - 1)),
                ("getLiveChallenges", eon - 1),
                ("hasOutstandingChallenges",),
            )
            if clock.eon_of(head.number) == eon:
                return SubmissionFacts(
                    head=head,
                    eon=eon,
                    era=clock.sub_block(head.number),
                    basis=basis[0],
                    accumulator=state[0],
                    last_submission_eon=state[1],
                    last_root=state[2],
                    live_challenges=live[0],
                    own_live_challenges=state[5],
                    has_missed_submission=state[4],
                    has_outstanding_challenges=outstanding[0],
                )
        raise HeadMoved("the eon turned while the contract was read")

    def accumulator(self, eon: int) -> bytes:
        """The accumulator slot of `eon`; it continues from the value five eons before."""
        return bytes(self.ask("getParentChainAccumulatorAtSlot", self._slot(eon))[0])

    def checkpoint(self, eon: int) -> Checkpoint | None:
        """The checkpoint entry of `eon`, or None when its slot holds another eon's."""
        found = Checkpoint(*self.ask("getCheckpointAtSlot", self._slot(eon)))
        return found if found.eon == eon else None

    def last_submission_eon(self) -> int:
        """The eon of the newest checkpoint, 0 before the first."""
        return int(self.ask("lastSubmissionEon")[0])

    def live_challenges(self, eon: int) -> int:
        """How many challenges opened in `eon` are unanswered."""
        return int(self.ask("getLiveChallenges", eon)[0])

    def has_missed_submission(self) -> bool:
        """Whether an eon passed without its checkpoint: for ever."""
        return bool(self.ask("hasMissedCheckpointSubmission")[0])

    def is_halted(self) -> bool:
        """Whether the contract refuses deposits, requests, payments and checkpoints."""
        _, answers = self.ask_together(
            ("hasMissedCheckpointSubmission",), ("hasOutstandingChallenges",)
        )
        return any(answer for (answer,) in answers)

    def token_trail(self, token: Address) -> int:
        """A token's trail: 0 for ether and for unknown tokens alike."""
        return int(self.ask("getTokenTrail", token)[0])

    def token_at_trail(self, trail: int) -> Address | None:
        """The token of a trail, or None if none has it yet."""
        try:
            return Address(self.ask("getTokenAtTrail", trail)[0])
        except CallReverted:
            return None

    def pending_withdrawals(self, token: Address, eon: int) -> int:
        """The running total of unpaid requests of `token` at the end of `eon`."""
        return int(self.ask("getPendingWithdrawalsAtEon", token, eon)[0])

    def pending_slot(self, token: Address, eon: int) -> SlotAmount:
        """The running total's slot for `eon`, which an eon without writes leaves stale."""
        return SlotAmount(*self.ask("getPendingWithdrawalsAtSlot", token, self._slot(eon)))

    def holder(self, token: Address, holder: Address) -> HolderState:
        """A holder's open requests and recent deposits."""
        head, (values,) = self.ask_together(("getClientContractStateVariables", token, holder))
        return HolderState(
            head=head,
            pending=tuple(PendingRequest(eon, amount) for eon, amount in values[6]),
            deposits=(values[3], values[4], values[5]),
            parent_balance=values[7],
        )

    def requested_amount(self, token: Address, holder: Address, eon: int) -> int:
        """The sum of a holder's unpaid requests of one eon."""
        return int(self.ask("getWalletPendingWithdrawalAmountAtEon", token, holder, eon)[0])

    def is_recovered(self, token: Address, holder: Address) -> bool:
        """Whether a halted contract has paid this holder already."""
        return bool(self.ask("getIsWalletRecovered", token, holder)[0])

    def challenge(self, token: Address, *, sender: Address, recipient: Address) -> ChallengeRecord:
        """An entry of the challenge book; `token` is the conduit for swaps.

        The getter names the sender first, the contract's events the recipient.
        """
        return _record(self.ask("getChallenge", token, sender, recipient))

    def challenge_book(
        self, parties: Sequence[tuple[Address, Address, Address]], eons: Sequence[int]
    ) -> tuple[BlockHeader, list[ChallengeRecord], list[int]]:
        """Entries of the challenge book and counts of open challenges by eon, all of one head.

        Each of `parties` is token or conduit, recipient, sender, as the contract's events say.
        """
        head, answers = self.ask_together(
            *(("getLiveChallenges", eon) for eon in eons),
            *(("getChallenge", token, sender, recipient) for token, recipient, sender in parties),
        )
        counts, entries = answers[: len(eons)], answers[len(eons) :]
        return head, [_record(values) for values in entries], [int(count[0]) for count in counts]

    def _slot(self, eon: int) -> int:
        return eon % self.parameters().eons_kept


def _record(values: tuple[Any, ...]) -> ChallengeRecord:
    try:
        return ChallengeRecord(ChallengeKind(values[0]), *values[1:])
    except ValueError:
        raise NodeMisbehaved(f"a challenge of the unknown kind {values[0]}") from None
