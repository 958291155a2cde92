"""Drives a commit-chain on a real node: the clock, the operator's checkpoints, wallets' proofs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from eth_typing import ChecksumAddress
from web3 import Web3
from web3.contract import Contract
from web3.contract.contract import ContractFunction
from web3.types import TxReceipt

from contracts.artefacts import ARTEFACTS, commit_chain_abi
from contracts.deployment import create_commit_chain
from contracts.development import DevelopmentAccount, development_account
from contracts.sending import Sender
from protocol.encoding import ZERO_HASH
from protocol.signing import sign
from protocol.trees.balance import BalanceLeaves, BalanceTree
from protocol.trees.tokens import checkpoint_root, membership_path, token_leaf

ETHER = 10**18
GAS_PRICE = 5 * 10**9
BOND = 100_100 * GAS_PRICE
BLOCKS_PER_EON = 60
GAS_LIMIT = 3_000_000

OPERATOR = development_account(0)
A = development_account(1)
B = development_account(2)
D = development_account(3)
E = development_account(4)


def checksum(address: bytes) -> ChecksumAddress:
    return Web3.to_checksum_address(address)


def signature_parts(message: bytes, account: DevelopmentAccount) -> tuple[bytes, bytes, int]:
    signature = sign(message, account.private_key)
    return signature[:32], signature[32:64], signature[64]


@dataclass(frozen=True)
class Member:
    """What a checkpoint says about one wallet of one token."""

    wallet: bytes
    balance: int
    active: bytes = ZERO_HASH
    passive_root: bytes = ZERO_HASH
    passive_amount: int = 0
    passive_mark: int = 0


@dataclass(frozen=True)
class Allotment:
    """One wallet's leaf and proof in one checkpoint, in the shape of the contract's arguments."""

    trail: int
    allotment_chain: list[bytes]
    membership_chain: list[bytes]
    values: list[int]
    interval: tuple[int, int]
    member: Member

    @property
    def checksums(self) -> list[bytes]:
        return [self.member.active, self.member.passive_root]

    @property
    def passive(self) -> list[int]:
        return [self.member.passive_amount, self.member.passive_mark]

    @property
    def proof(self) -> tuple[list[bytes], list[bytes], list[int]]:
        """The three arrays that every proof against a checkpoint consists of."""
        return self.allotment_chain, self.membership_chain, self.values


@dataclass(frozen=True)
class Outcome:
    """A mined transaction that was meant to succeed, with its decoded events."""

    receipt: TxReceipt
    events: list[tuple[str, dict[str, Any]]]

    def named(self, name: str) -> list[dict[str, Any]]:
        return [arguments for event, arguments in self.events if event == name]


Balances = Mapping[bytes, Sequence[Member | tuple[bytes, int]]]
"""Members of each token's tree in trail order; pairs are wallet and balance."""


class Chain:
    """A fresh commit-chain on the session's node, the checkpoints it was given, and its clock."""

    def __init__(
        self,
        w3: Web3,
        libraries: dict[str, bytes],
        *,
        blocks_per_eon: int = BLOCKS_PER_EON,
        operator: bytes = OPERATOR.address,
        artefacts: Path = ARTEFACTS,
    ) -> None:
        deployed = create_commit_chain(
            Sender(w3, OPERATOR.private_key),
            blocks_per_eon=blocks_per_eon,
            operator=operator,
            libraries=libraries,
            artefacts=artefacts,
        )
        self.w3 = w3
        self.is_hardened = artefacts == ARTEFACTS
        self.blocks_per_eon = blocks_per_eon
        self.genesis = deployed.genesis_block
        self.address = deployed.address
        self.contract: Contract = w3.eth.contract(
            checksum(deployed.address), abi=commit_chain_abi()
        )
        self.tokens = [self.address]
        self.via: Contract | None = None
        self._trees: dict[tuple[int, bytes], tuple[BalanceTree, list[bytes]]] = {}
        self._members: dict[tuple[int, bytes], list[Member]] = {}

    @cached_property
    def ether(self) -> bytes:
        """The native asset's address in calls: the contract's own."""
        return self.address

    @property
    def functions(self) -> Any:
        return self.contract.functions

    @property
    def eon(self) -> int:
        """Eon of the block that mines the next transaction."""
        return (self.w3.eth.block_number + 1 - self.genesis) // self.blocks_per_eon + 1

    def at(self, eon: int, era: int) -> "Chain":
        """Mines so many blocks that the next transaction is in eon/era."""
        wanted = self.genesis + (eon - 1) * self.blocks_per_eon + era
        missing = wanted - self.w3.eth.block_number - 1
        assert missing >= 0, f"{eon}/{era} is {-missing} blocks too late"
        if missing:
            self.w3.provider.make_request("anvil_mine", [hex(missing)])  # type: ignore[arg-type]
        return self

    def send(
        self,
        call: ContractFunction,
        sender: DevelopmentAccount,
        *,
        value: int = 0,
        gas_price: int = GAS_PRICE,
    ) -> Outcome:
        """Mines a transaction that must succeed."""
        receipt = self._mine(call, sender, value, gas_price)
        assert receipt["status"] == 1, f"{call.fn_name} reverted"
        events = []
        for log in receipt["logs"]:
            if log["address"] != self.contract.address:
                continue
            for event in self.contract.events:
                try:
                    decoded = event().process_log(log)
                except Exception:  # noqa: BLE001
                    continue
                events.append((decoded["event"], dict(decoded["args"])))
        return Outcome(receipt, events)

    def outcome(self, call: ContractFunction, sender: DevelopmentAccount, *, value: int = 0) -> str:
        """What becomes of a transaction: `done`, or its reason to revert (`reverted` without)."""
        receipt = self._mine(call, sender, value, GAS_PRICE)
        return "done" if receipt["status"] else self._reason_of(receipt) or "reverted"

    def reason(
        self,
        call: ContractFunction,
        sender: DevelopmentAccount,
        *,
        value: int = 0,
        gas_price: int = GAS_PRICE,
    ) -> str:
        """Why a transaction that must fail fails: mined first, then replayed for its reason."""
        receipt = self._mine(call, sender, value, gas_price)
        assert receipt["status"] == 0, f"{call.fn_name} succeeded"
        return self._reason_of(receipt)

    def _reason_of(self, receipt: TxReceipt) -> str:
        transaction = self.w3.eth.get_transaction(receipt["transactionHash"])
        trace = self.w3.provider.make_request(
            "debug_traceTransaction",  # type: ignore[arg-type]
            [transaction["hash"].to_0x_hex(), {"disableStorage": True, "disableStack": True}],
        )
        return _decode_reason(bytes.fromhex(trace["result"]["returnValue"].removeprefix("0x")))

    def _mine(
        self, call: ContractFunction, sender: DevelopmentAccount, value: int, gas_price: int
    ) -> TxReceipt:
        tx_hash = call.transact(
            {
                "from": checksum(sender.address),
                "value": value,  # type: ignore[typeddict-item]
                "gasPrice": gas_price,  # type: ignore[typeddict-item]
                "gas": GAS_LIMIT,
            }
        )
        return self.w3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.005)

    def commit(self, balances: Balances | None = None) -> Outcome:
        """Submits the checkpoint of the current eon: token to its members, in trail order."""
        leaves, eon = [], self.eon
        trees = {}
        for token in self.tokens:
            allotments = BalanceLeaves(contract=self.address, token=token)
            members = [
                entry if isinstance(entry, Member) else Member(*entry)
                for entry in (balances or {}).get(token, [])
            ]
            for member in members:
                allotments.add(
                    member.wallet,
                    member.balance,
                    active_digest=member.active,
                    passive_root=member.passive_root,
                    passive_amount=member.passive_amount,
                    passive_marker=member.passive_mark,
                )
            tree = allotments.tree()
            trees[token] = tree
            self._members[eon, token] = members
            leaves.append(token_leaf(tree.root, tree.upper_bound))
        for trail, token in enumerate(self.tokens):
            self._trees[eon, token] = (trees[token], membership_path(leaves, trail))
        accumulator = self.functions.getParentChainAccumulatorAtSlot((eon - 1) % 5).call()
        call = self.functions.submitCheckpoint(accumulator, checkpoint_root(leaves))
        if self.via is not None:
            data = self.contract.encode_abi(call.fn_name, args=call.args)
            call = self.via.functions.call(self.contract.address, data)
        return self.send(call, OPERATOR)

    def commit_each(
        self,
        first: int,
        last: int,
        era: int,
        balances: Balances | None = None,
    ) -> None:
        """Submits the same balances at `era` of every eon from `first` to `last`."""
        for eon in range(first, last + 1):
            self.at(eon, era).commit(balances)

    def allotment(self, eon: int, token: bytes, wallet: bytes) -> Allotment:
        """The leaf and proof of `wallet` in the checkpoint that `commit` made for `eon`."""
        tree, membership_chain = self._trees[eon, token]
        members = self._members[eon, token]
        trail = next(i for i, member in enumerate(members) if member.wallet == wallet)
        proof = tree.proof(trail)
        return Allotment(
            trail,
            proof.hashes,
            membership_chain,
            proof.values,
            tree.interval(trail),
            members[trail],
        )

    def deposit(
        self, wallet: DevelopmentAccount, amount: int, *, payer: DevelopmentAccount | None = None
    ) -> Outcome:
        """An ether deposit."""
        call = self.functions.deposit(checksum(self.ether), checksum(wallet.address), 0)
        return self.send(call, payer or wallet, value=amount)

    def request(
        self, wallet: DevelopmentAccount, amount: int, *, token: bytes | None = None
    ) -> Any:
        """The call that requests `amount` with the proof of the checkpoint of the eon before."""
        token = token or self.ether
        return self.request_with(self.allotment(self.eon - 1, token, wallet.address), amount, token)

    def request_with(self, leaf: Allotment, amount: int, token: bytes | None = None) -> Any:
        """As `request`, with a given leaf and proof."""
        return self.functions.requestWithdrawal(
            checksum(token or self.ether),
            leaf.checksums,
            leaf.trail,
            leaf.allotment_chain,
            leaf.membership_chain,
            leaf.values,
            [list(leaf.interval), leaf.passive],
            amount,
        )

    def confirm(self, wallet: DevelopmentAccount, *, token: bytes | None = None) -> Any:
        """The call that pays the matured requests of `wallet`."""
        return self.functions.confirmWithdrawal(
            checksum(token or self.ether), checksum(wallet.address)
        )

    def recover(
        self, wallet: DevelopmentAccount, leaf: Allotment, *, token: bytes | None = None
    ) -> Any:
        """The call that recovers everything that `wallet` has of a token."""
        return self.functions.recoverAllFunds(
            checksum(token or self.ether),
            checksum(wallet.address),
            leaf.checksums,
            leaf.trail,
            leaf.allotment_chain,
            leaf.membership_chain,
            leaf.values,
            list(leaf.interval),
            [0, *leaf.passive],
        )

    def next(self, call: Any, sender: DevelopmentAccount = OPERATOR) -> Any:
        """What a call returns in the block that would mine the next transaction."""
        return call.call({"from": checksum(sender.address)}, block_identifier="pending")

    def balance(self, address: bytes | None = None) -> int:
        """Ether of an account, or of the pool."""
        return self.w3.eth.get_balance(checksum(address or self.address))

    def requests_of(self, wallet: DevelopmentAccount) -> list[tuple[int, int]]:
        """The unpaid ether requests of `wallet` as (eon, amount)."""
        state = self.functions.getClientContractStateVariables(
            checksum(self.ether), checksum(wallet.address)
        ).call()
        return [(eon, amount) for eon, amount in state[6]]

    def accumulator(self, eon: int) -> bytes:
        return bytes(self.functions.getParentChainAccumulatorAtSlot(eon % 5).call())

    def pending(self, eon: int) -> int:
        return int(self.functions.getPendingWithdrawalsAtEon(checksum(self.ether), eon).call())


def _decode_reason(data: bytes) -> str:
    """The text of Error(string), `panic` for a Panic, empty for anything else."""
    if data[:4] == bytes.fromhex("08c379a0"):
        return data[68 : 68 + int.from_bytes(data[36:68], "big")].decode()
    return "panic" if data[:4] == bytes.fromhex("4e487b71") else ""
