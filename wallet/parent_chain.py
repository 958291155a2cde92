"""The wallet's own eyes and hands on the parent chain: it believes the contract, nobody else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from eth_account import Account
from hexbytes import HexBytes
from requests.exceptions import RequestException
from web3 import HTTPProvider, Web3
from web3.exceptions import ContractLogicError, TransactionNotFound, Web3Exception
from web3.types import BlockIdentifier, TxParams

from contracts.artefacts import commit_chain_abi
from protocol.address import Address, checksum_address
from protocol.editions import ContractEdition
from protocol.keccak import keccak256
from wallet.errors import ChainFailure
from wallet.verification import ChainIdentity
from wallet.wire import AllotmentProof

TIMEOUT_S: Final = 20
READ_TRIES: Final = 3
READ_PAUSE_S: Final = 0.2
LOOKS: Final = 5
"""At one block after the other, for what is read in several calls."""
RECEIPT_POLL_S: Final = 0.2
RECEIPT_TIMEOUT_S: Final = 120
EONS_KEPT: Final = 5
# A withdrawal request pays for this much gas: what challenging it would cost the operator.
REQUEST_GAS: Final = 100_100
# What the first write of an eon costs more than a later one.
FIRST_WRITE_GAS: Final = 100_000
TRANSFER_ABI: Final[list[dict[str, Any]]] = [
    {
        "type": "function",
        "name": name,
        "inputs": [{"name": "a", "type": "address"}, {"name": "b", "type": kind}],
        "outputs": [{"name": "", "type": output}],
        "stateMutability": mutability,
    }
    for name, kind, output, mutability in (
        ("approve", "uint256", "bool", "nonpayable"),
        ("transfer", "uint256", "bool", "nonpayable"),
        ("allowance", "address", "uint256", "view"),
    )
] + [
    {
        "type": "function",
        "name": "balanceOf",
        "inputs": [{"name": "a", "type": "address"}],
        "outputs": [{"name": "", "type": "uint256"}],
        "stateMutability": "view",
    }
]


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block: its hash, the block, and what its sender paid in wei."""

    transaction_hash: bytes
    block: int
    fee: int


class ParentChain:
    """One node and one commit-chain contract. Every call raises `ChainFailure` if it fails."""

    def __init__(
        self,
        node_url: str,
        contract: Address,
        *,
        pause: Callable[[], None] = lambda: time.sleep(RECEIPT_POLL_S),
    ) -> None:
        """`pause` is called between two looks for a receipt, in the thread that waits."""
        self._pause = pause
        self.w3 = Web3(HTTPProvider(node_url, request_kwargs={"timeout": TIMEOUT_S}))
        self.contract_address = contract
        self._contract = self.w3.eth.contract(
            address=self.w3.to_checksum_address(checksum_address(contract)),
            abi=commit_chain_abi(),
        )

    @property
    def functions(self) -> Any:
        """The contract's functions by name, for calls that have no method here."""
        return self._contract.functions

    def bond_price(self) -> tuple[int, int]:
        """What a unit of gas costs in a bond and in a transaction, in wei, with room to rise."""
        gas_price = int(self._ask(lambda: self.w3.eth.gas_price))
        return max(int(self._read("MIN_CHALLENGE_GAS_COST")), 2 * gas_price), gas_price

    def estimate(self, key: bytes, call: Any, *, value: int = 0) -> int:
        """Units of gas that a call would take now."""
        fields = {"from": self._holder(key), "value": value}
        return int(self._ask(lambda: call.estimate_gas(fields)))

    def chain_id(self) -> int:
        """The id of the chain that the node follows."""
        return int(self._ask(lambda: self.w3.eth.chain_id))

    def identity(self) -> ChainIdentity:
        """Read which commit-chain this is."""
        return ChainIdentity(
            self.contract_address,
            bytes.fromhex(self._read("operator")[2:]),
            self._read("genesis"),
            self._read("BLOCKS_PER_EON"),
            self._edition(),
        )

    def _edition(self) -> ContractEdition:
        """Which contract this is: the published one swallows the question and answers no data."""
        call = self._contract.functions.EDITION()
        request: TxParams = {"to": call.address, "data": call._encode_transaction_data()}
        answer = bytes(self._ask(lambda: self.w3.eth.call(request)))
        if not answer:
            return ContractEdition.of_answer(None)
        return ContractEdition.of_answer(str(self.w3.codec.decode(["string"], answer)[0]))

    def block(self) -> int:
        """Read the newest block's number."""
        return int(self._ask(lambda: self.w3.eth.block_number))

    def eon(self) -> int:
        """Read the contract's current eon."""
        return int(self._read("currentEon"))

    def checkpoint_root(self, eon: int) -> bytes | None:
        """Read the root submitted for an eon; None if it is missing or no longer kept."""
        answer = self._read("getCheckpointAtSlot", eon % EONS_KEPT)
        return bytes(answer[1]) if answer[0] == eon else None

    def has_missed_a_checkpoint(self) -> bool:
        """Read whether an eon passed without a checkpoint: then the chain has halted for good."""
        return bool(self._read("hasMissedCheckpointSubmission"))

    def managed_funds(self, token: Address, eon: int) -> int:
        """Compute what the checkpoint of an eon may allot: with more the contract refuses every
        proof. It is what was there when the eon began, reckoned back from now."""
        for left in reversed(range(LOOKS)):
            at = self.block()
            try:
                return self._managed_funds(token, eon, at)
            except ChainFailure:
                # A node that keeps no older states has lost this one when the next block is there.
                if not left or self.block() == at:
                    raise
        raise ChainFailure("blocks come faster than the node can be asked about one")

    def _managed_funds(self, token: Address, eon: int, at: int) -> int:
        """As `managed_funds`, all of it read at one block."""
        name = checksum_address(token)

        def read(function: str, *arguments: Any) -> Any:
            return self._ask(
                lambda: self._contract.functions[function](*arguments).call(block_identifier=at)
            )

        held = self._balance(token, self.contract_address, at)
        for slot in range(EONS_KEPT):
            paid_in, paid = read("getConfirmedWithdrawalsAtSlot", name, slot)
            held += paid if paid_in >= eon else 0
            deposited_in, deposited = read("getDepositsAtSlot", name, slot)
            held -= deposited if deposited_in >= eon else 0
        return int(held - read("getPendingWithdrawalsAtEon", name, eon - 1))

    def has_open_challenge(self, token: Address, sender: Address, recipient: Address) -> bool:
        """Read whether an answer is owed about a sender and a recipient, who may be the same."""
        parties = (checksum_address(one) for one in (token, sender, recipient))
        return bool(self._read("getChallenge", *parties)[0])

    def answers(self, token: Address, recipient: Address, sender: Address, since: int) -> list[int]:
        """The blocks from `since` on in which the contract says that it took an answer."""
        wanted = {"token": token, "recipient": recipient, "sender": sender}
        logs = self._ask(
            lambda: self._contract.events.ChallengeAnswered().get_logs(
                from_block=since,
                argument_filters={name: checksum_address(one) for name, one in wanted.items()},
            )
        )
        return [int(log["blockNumber"]) for log in logs]

    def token_trail(self, token: Address) -> int:
        """Read a token's place in the token tree."""
        return int(self._read("getTokenTrail", checksum_address(token)))

    def balance(self, token: Address, holder: Address) -> int:
        """Read what an address holds on the parent chain itself."""
        return self._balance(token, holder, "latest")

    def _balance(self, token: Address, holder: Address, at: BlockIdentifier) -> int:
        if token == self.contract_address:
            address = self.w3.to_checksum_address(checksum_address(holder))
            return int(self._ask(lambda: self.w3.eth.get_balance(address, at)))
        function = self._token(token).functions.balanceOf(checksum_address(holder))
        return int(self._ask(lambda: function.call(block_identifier=at)))

    def pending_withdrawal(self, token: Address, holder: Address, eon: int) -> int:
        """Read what an address has asked for in an eon and not been paid."""
        return int(
            self._read(
                "getWalletPendingWithdrawalAmountAtEon",
                checksum_address(token),
                checksum_address(holder),
                eon,
            )
        )

    def deposit(self, key: bytes, token: Address, amount: int) -> Mined:
        """Deposit for the key's own address; a token is approved first if need be."""
        holder = self._holder(key)
        value = amount
        if token != self.contract_address:
            value = 0
            allowance = self._token(token).functions.allowance(
                holder, checksum_address(self.contract_address)
            )
            if int(self._ask(allowance.call)) < amount:
                self.transact(
                    key,
                    self._token(token).functions.approve(
                        checksum_address(self.contract_address), amount
                    ),
                )
        call = self._contract.functions.deposit(checksum_address(token), holder, amount)
        return self.transact(key, call, value=value)

    def send_token(self, key: bytes, token: Address, to: Address, amount: int) -> Mined:
        """Send ERC-20 units on the parent chain."""
        call = self._token(token).functions.transfer(checksum_address(to), amount)
        return self.transact(key, call)

    def request_withdrawal(
        self, key: bytes, token: Address, proof: AllotmentProof, amount: int
    ) -> Mined:
        """Ask for `amount` against the proof of the checkpoint of the eon before."""
        call = self._contract.functions.requestWithdrawal(
            checksum_address(token),
            [proof.active_digest, proof.passive_root],
            proof.trail,
            proof.allotment_chain,
            proof.membership_chain,
            proof.values,
            [[proof.left, proof.right], [proof.passive_amount, proof.passive_marker]],
            amount,
        )
        # The contract asks for a fixed amount of gas at the transaction's price or its own floor.
        bond_price, gas_price = self.bond_price()
        value = REQUEST_GAS * bond_price
        return self.transact(key, call, value=value, gas_price=gas_price)

    def _token(self, token: Address) -> Any:
        address = self.w3.to_checksum_address(checksum_address(token))
        return self.w3.eth.contract(address=address, abi=TRANSFER_ABI)

    def _holder(self, key: bytes) -> str:
        return str(Account.from_key(key).address)

    def _read(self, name: str, *arguments: Any) -> Any:
        return self._ask(getattr(self._contract.functions, name)(*arguments).call)

    def _ask(self, call: Any, *, tries: int = READ_TRIES) -> Any:
        """Ask the node; a read is repeated, for a block may be mined between its two halves."""
        while True:
            tries -= 1
            try:
                return call()
            except TransactionNotFound:
                raise
            except (Web3Exception, RequestException, OSError, ValueError) as cause:
                if tries <= 0 or isinstance(cause, ContractLogicError):
                    raise ChainFailure(str(cause)[:300]) from cause
                time.sleep(READ_PAUSE_S)

    def transact(
        self, key: bytes, call: Any, *, value: int = 0, gas_price: int | None = None
    ) -> Mined:
        """Sign and send one call of `functions`, and wait until it is mined."""
        holder = self._holder(key)
        fees = {} if gas_price is None else {"gasPrice": gas_price}

        def send() -> bytes:
            nonce = self.w3.eth.get_transaction_count(
                self.w3.to_checksum_address(holder), "pending"
            )
            fields = {"from": holder, "value": value, "nonce": nonce, **fees}
            transaction = call.build_transaction(fields)
            # Between the estimate and the block that mines it others' writes may be lost in a
            # reorganisation: then this is the eon's first, which fills the contract's rings.
            transaction["gas"] = transaction["gas"] * 5 // 4 + FIRST_WRITE_GAS
            signed = self.w3.eth.account.sign_transaction(transaction, key)
            self.w3.eth.send_raw_transaction(signed.raw_transaction)
            return bytes(signed.raw_transaction)

        receipt = self._until_mined(self._ask(send, tries=1))
        if receipt["status"] != 1:
            raise ChainFailure(f"transaction {receipt['transactionHash'].hex()} was reverted")
        fee = receipt["gasUsed"] * receipt["effectiveGasPrice"]
        return Mined(bytes(receipt["transactionHash"]), int(receipt["blockNumber"]), int(fee))

    def _until_mined(self, raw: bytes) -> Any:
        """Wait for the receipt; the same bytes are sent again to a node that has lost them."""
        transaction_hash = HexBytes(keccak256(raw))
        deadline = time.monotonic() + RECEIPT_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                receipt = self._find(self.w3.eth.get_transaction_receipt, transaction_hash)
                if receipt is not None:
                    return receipt
                if self._find(self.w3.eth.get_transaction, transaction_hash) is None:
                    self._ask(lambda: self.w3.eth.send_raw_transaction(HexBytes(raw)), tries=1)
                else:
                    self._pause()
            except ChainFailure:
                # The node may come back in time, and mined the transaction before it went.
                time.sleep(RECEIPT_POLL_S)
        raise ChainFailure(f"transaction {transaction_hash.to_0x_hex()} is not mined")

    def _find(self, look_up: Callable[[HexBytes], Any], transaction_hash: HexBytes) -> Any | None:
        try:
            return self._ask(lambda: look_up(transaction_hash))
        except TransactionNotFound:
            return None
