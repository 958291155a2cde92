"""Random steps on a real commit-chain, each followed by a check of everything that must hold."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from web3 import Web3

from contracts.artefacts import ARTEFACTS
from contracts.deployment import deploy_token
from protocol.markers import minimum_available_balance_digest
from protocol.withdrawals import delegated_withdrawal_digest

from ..disputes import (
    STAKE,
    answer_passively,
    answer_state_update,
    challenge_agreement,
    challenge_allotment,
    challenge_delivery,
    challenge_last_delivery,
    parts,
)
from ..harness import BOND, OPERATOR, Chain, checksum
from ..trading import APPROVE
from .model import WALLETS, Ledger

BLOCKS_PER_EON = 40
FUNDS = 10**21
LARGEST = 10**18
FAR = 10**9


@dataclass
class Dispute:
    """An open challenge: how to answer it, since when, and the eon whose root answers."""

    answer: Callable[[], Any]
    opened_at: int
    eon: int


@dataclass
class Report:
    """What a campaign did: steps by kind, eons lived through, halts recovered from."""

    steps: Counter[str]
    eons: int = 0
    halts: int = 0


class Machine:
    """One commit-chain after the other; every choice comes from the seeded generator."""

    def __init__(
        self, w3: Web3, libraries: dict[str, bytes], seed: int, *, artefacts: Path = ARTEFACTS
    ) -> None:
        self.w3, self.libraries, self.artefacts = w3, libraries, artefacts
        self.random = random.Random(seed)
        self.report = Report(Counter())
        self.begin()

    def begin(self) -> None:
        """A fresh chain with two tokens, two honest eons old."""
        self.chain = Chain(
            self.w3, self.libraries, blocks_per_eon=BLOCKS_PER_EON, artefacts=self.artefacts
        )
        token = deploy_token(self.w3, OPERATOR.private_key, "Tee", "T", 10 * FUNDS)
        contract: Any = self.w3.eth.contract(
            checksum(token), abi=[APPROVE, APPROVE | {"name": "transfer"}]
        )
        self.chain.send(self.chain.functions.registerERC20(contract.address), OPERATOR)
        for wallet in WALLETS:
            self.chain.send(contract.functions.transfer(checksum(wallet.address), FUNDS), OPERATOR)
            self.chain.send(contract.functions.approve(self.chain.contract.address, FUNDS), wallet)
        self.chain.tokens.append(token)
        self.ledger = Ledger(self.chain)
        self.disputes: list[Dispute] = []
        self.checkpoint()
        self.to_next_eon()
        self.checkpoint()

    # The clock

    @property
    def era(self) -> int:
        mined = self.w3.eth.block_number + 1 - self.chain.genesis
        return int(mined % BLOCKS_PER_EON)

    @property
    def slack(self) -> int:
        return BLOCKS_PER_EON // 4

    def to_next_eon(self) -> None:
        """Mines to the next eon's first block and closes this one."""
        self.chain.at(self.ledger.eon + 1, 0)
        self.ledger.turn_to(self.ledger.eon + 1)
        self.report.eons += 1

    def step(self) -> None:
        """One random step and its check."""
        if BLOCKS_PER_EON - self.era <= 6:
            self.end_eon()
        self.answer_due()
        kinds = {
            self.pay_in: 4,
            self.move: 6,
            self.ask: 4,
            self.ask_too_much: 3,
            self.ask_by_signature: 2,
            self.confirm: 4,
            self.dispute: 8,
            self.wait: 6,
            self.commit_early: 2,
        }
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        kind()
        self.report.steps[kind.__name__] += 1
        self.check()

    def end_eon(self) -> None:
        """The honest operator finishes the eon; rarely it does not, and everybody leaves."""
        if self.random.random() < 0.03:
            self.halt()
            return
        if self.ledger.submitted < self.ledger.eon:
            self.checkpoint()
        # Some answers wait until after the border, none until after their deadline.
        kept = [d for d in self.disputes if self.blocks_left(d) > 8]
        for dispute in [d for d in self.disputes if d not in kept]:
            self.close(dispute)
        self.to_next_eon()
        for dispute in list(self.disputes):
            self.close(dispute)

    def halt(self) -> None:
        """Silence: the chain halts, and everybody recovers exactly what is theirs."""
        self.chain.at(self.ledger.submitted + 2, 0)
        assert self.chain.next(self.chain.functions.hasMissedCheckpointSubmission())
        usable = self.ledger.submitted - 1
        claims = [(token, trail) for token in self.chain.tokens for trail in range(len(WALLETS))]
        self.random.shuffle(claims)
        for token, trail in claims:
            wallet, expected = WALLETS[trail], self.ledger.recoverable(token, trail)
            call = self.chain.recover(
                wallet, self.chain.allotment(usable, token, wallet.address), token=token
            )
            outcome = self.chain.send(call, OPERATOR)
            assert outcome.named("FundsRecovered")[0]["amount"] == expected
        for token in self.chain.tokens:
            assert self.held(token) == 0
        self.report.halts += 1
        self.begin()

    # Steps

    def pick(self) -> tuple[bytes, int]:
        return self.random.choice(self.chain.tokens), self.random.randrange(len(WALLETS))

    def pay_in(self) -> None:
        token, trail = self.pick()
        amount = self.random.choice([0, 1, self.random.randrange(LARGEST)])
        beneficiary = checksum(WALLETS[trail].address)
        call = self.chain.functions.deposit(checksum(token), beneficiary, amount)
        value = amount if token == self.chain.ether else 0
        self.chain.send(call, WALLETS[trail], value=value)
        self.ledger.deposit(token, trail, amount)

    def move(self) -> None:
        """A few transfers off chain."""
        for _ in range(self.random.randrange(1, 4)):
            token, sender = self.pick()
            recipient = self.random.randrange(len(WALLETS))
            available = self.ledger.holdings[token][sender].balance
            if recipient != sender and available >= 0:
                self.ledger.transfer(token, sender, recipient, self.random.randint(0, available))

    def ask(self) -> None:
        token, trail = self.pick()
        balance = self.ledger.holdings[token][trail].balance
        proven = self.proven(token, trail)
        self.request(token, trail, self.random.randint(0, max(0, min(proven, balance))))

    def ask_too_much(self) -> None:
        """One unit above the proof is refused; all of the proof is not, whatever was spent since:
        that is slashed before the next root."""
        token, trail = self.pick()
        rest = max(0, self.proven(token, trail))
        call = self.proven_request(token, trail, rest + 1)
        assert self.chain.outcome(call, WALLETS[trail], value=BOND) == "b"
        self.request(token, trail, rest)

    def proven(self, token: bytes, trail: int) -> int:
        """What the proof leaves to ask for; requests by signature may have gone below it."""
        eon, holding = self.ledger.eon, self.ledger.holdings[token][trail]
        allotted = self.ledger.allotted(token, trail, eon - 1)
        return allotted - holding.requested(eon - 1, eon)

    def proven_request(self, token: bytes, trail: int, amount: int) -> Any:
        wallet = WALLETS[trail]
        leaf = self.chain.allotment(self.ledger.eon - 1, token, wallet.address)
        return self.chain.request_with(leaf, amount, token)

    def request(self, token: bytes, trail: int, amount: int) -> None:
        call = self.proven_request(token, trail, amount)
        proven = self.proven(token, trail)
        outcome = self.chain.outcome(call, WALLETS[trail], value=BOND)
        if amount > proven or self.exceeds_the_pool(token, amount):
            assert outcome == "b"
            return
        assert outcome == "done", outcome
        self.ledger.request(token, trail, amount)

    def exceeds_the_pool(self, token: bytes, amount: int) -> bool:
        """Whether requests, dishonest ones among them, would be for more than there is."""
        pending = sum(holding.requested(0, FAR) for holding in self.ledger.holdings[token])
        return pending + amount > self.ledger.pool[token]

    def ask_by_signature(self) -> None:
        """Delegated by the holder or authorised by the operator, half and half."""
        token, trail = self.pick()
        wallet, holding = WALLETS[trail], self.ledger.holdings[token][trail]
        amount = self.random.randint(0, max(0, holding.balance))
        expiry = FAR + self.random.randrange(FAR)
        digest = delegated_withdrawal_digest(
            contract=self.chain.address,
            token=token,
            holder=wallet.address,
            expiry_block=expiry,
            amount=amount,
            pending=holding.requested(self.ledger.eon, self.ledger.eon),
        )
        functions = self.chain.functions
        if self.random.random() < 0.5:
            sender, signature = OPERATOR, parts(digest, wallet)
            call = functions.requestDelegatedWithdrawal(
                checksum(token), checksum(wallet.address), amount, expiry, *signature
            )
        else:
            sender, signature = wallet, parts(digest, OPERATOR)
            call = functions.requestAuthorizedWithdrawal(
                checksum(token), amount, expiry, *signature
            )
        outcome = self.chain.outcome(call, sender)
        if self.exceeds_the_pool(token, amount):
            assert outcome == "b", outcome
            return
        assert outcome == "done", outcome
        self.ledger.request(token, trail, amount)
        assert self.chain.reason(call, sender) == "a"

    def confirm(self) -> None:
        token, trail = self.pick()
        call = self.chain.confirm(WALLETS[trail], token=token)
        expected = self.ledger.pay(token, trail, era=self.era)
        paid = self.chain.send(call, OPERATOR).named("WithdrawalConfirmation")
        assert sum(event["amount"] for event in paid) == expected

    def wait(self) -> None:
        room = min([BLOCKS_PER_EON - self.era - 5, *map(self.blocks_left, self.disputes)])
        if room > 3:
            blocks = self.random.randint(1, min(room - 2, 9))
            self.w3.provider.make_request("anvil_mine", [hex(blocks)])  # type: ignore[arg-type]

    def commit_early(self) -> None:
        if self.ledger.submitted < self.ledger.eon:
            self.checkpoint()

    # The operator

    def checkpoint(self) -> None:
        """Slashes who asked for more than is left, answers what is open, commits."""
        for token, holdings in self.ledger.holdings.items():
            for trail, holding in enumerate(holdings):
                if holding.closed.get(self.ledger.eon - 1, 0) < 0:
                    self.slash(token, trail, self.ledger.eon - 1)
                elif holding.balance < 0:
                    self.slash(token, trail, self.ledger.eon)
        self.chain.commit({token: self.ledger.members(token) for token in self.chain.tokens})
        self.ledger.submitted = self.ledger.eon

    def slash(self, token: bytes, trail: int, marker_eon: int) -> None:
        """With the marker of the eon in which more was asked for than was there."""
        wallet, holding, eon = WALLETS[trail], self.ledger.holdings[token][trail], self.ledger.eon
        undeducted = eon - 1 if self.ledger.submitted < eon else eon
        left = holding.closed[marker_eon] if marker_eon < eon else holding.balance
        available = left + holding.requested(undeducted, marker_eon)
        assert available >= 0
        digest = minimum_available_balance_digest(
            contract=self.chain.address,
            token=token,
            wallet=wallet.address,
            eon=marker_eon,
            amount=available,
        )
        r, s, v = parts(digest, wallet)
        call = self.chain.functions.slashWithdrawalWithProofOfMinimumAvailableBalance(
            checksum(token), checksum(wallet.address), [marker_eon, available], [r, s], v
        )
        outcome = self.chain.send(call, OPERATOR)
        event = outcome.named("WithdrawalSlashed")[0]
        dropped = [event["previousEonAmount"], event["currentEonAmount"]]
        assert dropped == self.ledger.slash(token, trail)
        self.report.steps["slash"] += 1

    def blocks_left(self, dispute: Dispute) -> int:
        """Blocks in which the next one still is in time for an answer."""
        return int(dispute.opened_at + self.slack - 1 - self.w3.eth.block_number)

    def answer_due(self) -> None:
        if self.disputes:
            self.commit_early()
        for dispute in list(self.disputes):
            if self.blocks_left(dispute) <= 4 or self.random.random() < 0.3:
                self.close(dispute)

    def close(self, dispute: Dispute) -> None:
        if self.ledger.submitted < dispute.eon:
            self.checkpoint()
        outcome = self.chain.outcome(dispute.answer(), OPERATOR)
        assert outcome == "done", f"{outcome}, {self.blocks_left(dispute)} blocks left"
        self.disputes.remove(dispute)
        self.report.steps["answer"] += 1

    # Challenges

    def dispute(self) -> None:
        if self.era <= self.slack or len(self.disputes) > 1 or self.ledger.eon < 3:
            return
        token, trail = self.pick()
        openers = [self.dispute_balance, self.dispute_balance, self.dispute_delivery]
        self.random.choice(openers)(token, trail)

    def dispute_balance(self, token: bytes, trail: int) -> None:
        """With any signed state of the last eon, older ones included."""
        wallet, eon = WALLETS[trail], self.ledger.eon
        sent = self.ledger.holdings[token][trail].activity(eon - 1).sent
        older = self.ledger.state(token, trail, eon - 1, self.random.randint(0, len(sent)))
        if self.random.random() < 0.7:
            leaf = self.chain.allotment(eon - 1, token, wallet.address)
            opening = challenge_allotment(
                self.chain, leaf, older if older.leaves else None, token=token
            )
        else:
            opening = challenge_agreement(older)
        committed = self.ledger.state(token, trail, eon - 1)

        def answer() -> Any:
            leaf = self.chain.allotment(eon, token, wallet.address)
            state = committed if committed.leaves else None
            return answer_state_update(self.chain, wallet, leaf, state, token=token)

        self.open(opening, trail, answer, eon)

    def dispute_delivery(self, token: bytes, trail: int) -> None:
        """A transfer of the last eon, by either party, out of any state that holds it."""
        eon = self.ledger.eon
        activity = self.ledger.holdings[token][trail].activity(eon - 1)
        if not activity.sent:
            return
        index = self.random.randrange(len(activity.sent))
        sent = activity.sent[index]
        count = self.random.randint(index + 1, len(activity.sent))
        state = self.ledger.state(token, trail, eon - 1, count)
        transfer = self.ledger.named(token, trail, sent, is_last=index == count - 1)
        opening = challenge_delivery(state, transfer, index)
        if count == len(activity.sent) == index + 1 and self.random.random() < 0.5:
            self.commit_early()
            leaf = self.chain.allotment(eon, token, WALLETS[trail].address)
            opening = challenge_last_delivery(state, transfer, leaf, index, nonce=sent.nonce)
        receipts = self.ledger.receipts(token, sent.recipient, eon - 1)
        place = next(i for i, r in enumerate(receipts.transfers) if r[2] == sent.nonce)

        def answer() -> Any:
            leaf = self.chain.allotment(eon, token, WALLETS[sent.recipient].address)
            return answer_passively(
                self.chain,
                transfer,
                leaf,
                receipts,
                place,
                position=sent.position,
                nonce=sent.nonce,
                token=token,
            )

        self.open(opening, self.random.choice([trail, sent.recipient]), answer, eon)

    def open(self, opening: Any, trail: int, answer: Callable[[], Any], eon: int) -> None:
        outcome = self.chain.outcome(opening, WALLETS[trail], value=STAKE)
        assert outcome in {"done", "used", "open"}, outcome
        if outcome == "done":
            self.disputes.append(Dispute(answer, self.w3.eth.block_number, eon))
            self.report.steps["challenge"] += 1

    # What must hold

    def held(self, token: bytes) -> int:
        if token == self.chain.ether:
            return self.chain.balance()
        facts = self.chain.functions.getServerContractLedgerStateVariables(1, checksum(token))
        return int(facts.call()[3])

    def check(self) -> None:
        """The pool, every list, the pending total, the challenges, and one proof of each root."""
        for token in self.chain.tokens:
            assert self.held(token) == self.ledger.pool[token]
            listed = 0
            for trail, holding in enumerate(self.ledger.holdings[token]):
                listed += sum(amount for _, amount in holding.requests)
                assert self.requests(token, trail) == holding.requests
            pending = self.chain.functions.getPendingWithdrawalsAtEon(
                checksum(token), self.ledger.eon
            )
            assert pending.call() == listed <= self.ledger.pool[token]
        live = sum(
            self.chain.functions.getLiveChallenges(eon).call()
            for eon in (self.ledger.eon - 1, self.ledger.eon)
        )
        assert live == len(self.disputes)
        for eon in (self.ledger.submitted, self.ledger.submitted - 1):
            self.check_proof(eon, *self.pick())

    def requests(self, token: bytes, trail: int) -> list[tuple[int, int]]:
        state = self.chain.functions.getClientContractStateVariables(
            checksum(token), checksum(WALLETS[trail].address)
        ).call()
        return [(eon, amount) for eon, amount in state[6]]

    def check_proof(self, eon: int, token: bytes, trail: int) -> None:
        wallet = WALLETS[trail]
        leaf = self.chain.allotment(eon, token, wallet.address)
        assert leaf.member.balance == self.ledger.allotted(token, trail, eon)
        assert self.chain.functions.verifyProofOfExclusiveAccountBalanceAllotment(
            checksum(token),
            checksum(wallet.address),
            leaf.checksums,
            leaf.trail,
            [eon, *leaf.passive],
            *leaf.proof,
            list(leaf.interval),
        ).call()
