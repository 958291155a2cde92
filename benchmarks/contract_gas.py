"""Gas of the contract's main calls, on a node of its own: `python -m benchmarks.contract_gas`.

Eight wallets and three tokens, as the published contract was measured: proofs of three interval
levels and two token levels, gas price 5 gwei, one transaction a block. Prints a Markdown table.
"""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from web3 import Web3

from contracts.artefacts import commit_chain_abi
from contracts.deployment import create_commit_chain, create_token, deploy_libraries
from contracts.development import DevelopmentAccount, development_account
from contracts.sending import Sender
from protocol.encoding import ZERO_HASH
from protocol.markers import minimum_available_balance_digest
from protocol.signing import sign
from protocol.trees.balance import BalanceLeaves, BalanceTree
from protocol.trees.tokens import checkpoint_root, membership_path, token_leaf
from stack.node import AnvilNode
from stack.part import running
from stack.ports import free_port

BLOCKS_PER_EON = 60
GAS_PRICE = 5 * 10**9
BOND = 100_100 * GAS_PRICE
GAS_LIMIT = 3_000_000
DEPOSIT = 10**18
TOKENS = 3

PUBLISHED_GAS = {
    "deploy libraries and commit-chain": 15_199_884,
    "registerERC20": 73_973,
    "deposit ETH: first of the eon and of the wallet": 163_379,
    "deposit ETH: wallet new in an opened eon": 109_252,
    "deposit ETH: same wallet again": 72_225,
    "deposit ETH: second lap of the rings": 75_079,
    "submitCheckpoint: eon 1": 97_214,
    "submitCheckpoint: eon 7": 66_582,
    "requestWithdrawal ETH: first of the token in the eon": 285_693,
    "requestWithdrawal ETH: later": 224_183,
    "confirmWithdrawal ETH: first payment of the eon": 124_891,
    "confirmWithdrawal ETH: later": 87_864,
    "confirmWithdrawal: nothing payable": 67_170,
    "slashWithdrawal: one request of the current eon": 69_383,
    "recoverAllFunds ETH: first": 173_058,
    "recoverAllFunds ETH: later": 175_922,
}
"""What the published contract used for the same calls, measured in the same way."""


@dataclass
class Measurement:
    """A commit-chain with eight wallets, and the gas that its calls used so far."""

    w3: Web3
    contract: Any
    genesis: int
    tokens: list[bytes]
    trees: dict[int, tuple[BalanceTree, list[bytes]]] = field(default_factory=dict)
    gas: dict[str, int] = field(default_factory=dict)

    @property
    def ether(self) -> str:
        """The native asset in calls: the contract's own address."""
        return str(self.contract.address)

    def at(self, eon: int, era: int) -> None:
        """Mine so many blocks that the next transaction is in eon/era."""
        wanted = self.genesis + (eon - 1) * BLOCKS_PER_EON + era
        missing = wanted - self.w3.eth.block_number - 1
        self.w3.provider.make_request("anvil_mine", [hex(missing)])  # type: ignore[arg-type]

    def call(
        self, label: str | None, call: Any, sender: DevelopmentAccount, value: int = 0
    ) -> None:
        """Send a call and note its gas under `label`."""
        tx_hash = call.transact(
            {
                "from": Web3.to_checksum_address(sender.address),
                "value": value,
                "gasPrice": GAS_PRICE,
                "gas": GAS_LIMIT,
            }
        )
        receipt = self.w3.eth.wait_for_transaction_receipt(tx_hash, poll_latency=0.01)
        if receipt["status"] != 1:
            raise RuntimeError(f"{call.fn_name} was reverted")
        if label is not None:
            self.gas[label] = receipt["gasUsed"]

    def deposit(self, label: str | None, wallet: DevelopmentAccount) -> None:
        """Deposit ether of a wallet for itself."""
        holder = Web3.to_checksum_address(wallet.address)
        self.call(label, self.contract.functions.deposit(self.ether, holder, 0), wallet, DEPOSIT)

    def checkpoint(self, eon: int, balances: list[int], label: str | None = None) -> None:
        """Commit the wallets' balances in `eon`."""
        self.at(eon, 2)
        leaves = BalanceLeaves(contract=self.tokens[0], token=self.tokens[0])
        for wallet, balance in zip(_wallets(), balances, strict=True):
            leaves.add(wallet.address, balance)
        tree = leaves.tree()
        committed = [token_leaf(tree.root, tree.upper_bound)] + [ZERO_HASH] * (TOKENS - 1)
        self.trees[eon] = (tree, membership_path(committed, 0))
        basis = self.contract.functions.getParentChainAccumulatorAtSlot((eon - 1) % 5).call()
        submit = self.contract.functions.submitCheckpoint(basis, checkpoint_root(committed))
        self.call(label, submit, development_account(0))

    def request(self, label: str | None, trail: int, eon: int, amount: int) -> None:
        """Request a withdrawal in `eon` of the wallet at `trail`."""
        tree, membership = self.trees[eon - 1]
        proof = tree.proof(trail)
        edges = list(tree.interval(trail))
        call = self.contract.functions.requestWithdrawal(
            self.ether,
            [ZERO_HASH, ZERO_HASH],
            trail,
            proof.hashes,
            membership,
            proof.values,
            [edges, [0, 0]],
            amount,
        )
        self.call(label, call, _wallets()[trail], BOND)

    def recover(self, label: str, trail: int, eon: int) -> None:
        """Recover everything of the wallet at `trail` with the checkpoint of `eon`."""
        tree, membership = self.trees[eon]
        proof = tree.proof(trail)
        call = self.contract.functions.recoverAllFunds(
            self.ether,
            Web3.to_checksum_address(_wallets()[trail].address),
            [ZERO_HASH, ZERO_HASH],
            trail,
            proof.hashes,
            membership,
            proof.values,
            list(tree.interval(trail)),
            [0, 0, 0],
        )
        self.call(label, call, development_account(9))


def _wallets() -> list[DevelopmentAccount]:
    return [development_account(index) for index in range(1, 9)]


def _deployed(w3: Web3) -> Measurement:
    operator = development_account(0)
    sender = Sender(w3, operator.private_key)
    libraries, libraries_gas = deploy_libraries(sender)
    tokens = [create_token(sender, f"T{i}", f"T{i}", 1) for i in range(TOKENS - 1)]
    deployed = create_commit_chain(
        sender, blocks_per_eon=BLOCKS_PER_EON, operator=operator.address, libraries=libraries
    )
    address = Web3.to_checksum_address(deployed.address)
    contract = w3.eth.contract(address, abi=commit_chain_abi())
    run = Measurement(w3, contract, deployed.genesis_block, [deployed.address, *tokens])
    run.gas["deploy libraries and commit-chain"] = deployed.gas_used + libraries_gas
    return run


def _money_in(run: Measurement) -> None:
    operator, wallets = development_account(0), _wallets()
    for token in run.tokens[1:]:
        register = run.contract.functions.registerERC20(Web3.to_checksum_address(token))
        run.call("registerERC20", register, operator)
    run.deposit("deposit ETH: first of the eon and of the wallet", wallets[0])
    run.deposit("deposit ETH: wallet new in an opened eon", wallets[1])
    run.deposit("deposit ETH: same wallet again", wallets[1])
    for wallet in wallets[2:]:
        run.deposit(None, wallet)
    basis = run.contract.functions.submitCheckpoint(ZERO_HASH, ZERO_HASH)
    run.call("submitCheckpoint: eon 1", basis, operator)


def _money_out(run: Measurement) -> None:
    allotted = [DEPOSIT, 2 * DEPOSIT, *[DEPOSIT] * 6]
    third = DEPOSIT // 3
    for eon in (2, 3):
        run.checkpoint(eon, allotted)
    run.request("requestWithdrawal ETH: first of the token in the eon", 0, 3, third)
    run.request("requestWithdrawal ETH: later", 2, 3, third)
    left = [DEPOSIT - third, 2 * DEPOSIT, DEPOSIT - third, *[DEPOSIT] * 5]
    for eon in (4, 5):
        run.checkpoint(eon, left)
    run.at(5, 20)
    labels = ("first payment of the eon", "later")
    for label, wallet in zip(labels, (_wallets()[0], _wallets()[2]), strict=True):
        run.call(f"confirmWithdrawal ETH: {label}", _confirmation(run, wallet), wallet)
    nothing = _confirmation(run, _wallets()[0])
    run.call("confirmWithdrawal: nothing payable", nothing, _wallets()[0])
    run.checkpoint(6, left)
    run.deposit(None, _wallets()[0])
    run.deposit("deposit ETH: second lap of the rings", _wallets()[0])
    left[0] += 2 * DEPOSIT
    run.checkpoint(7, left, "submitCheckpoint: eon 7")
    run.request(None, 3, 7, third)
    _slash(run, _wallets()[3], 7)
    run.at(9, 1)
    run.recover("recoverAllFunds ETH: first", 4, 6)
    run.recover("recoverAllFunds ETH: later", 5, 6)


def _confirmation(run: Measurement, wallet: DevelopmentAccount) -> Any:
    holder = Web3.to_checksum_address(wallet.address)
    return run.contract.functions.confirmWithdrawal(run.ether, holder)


def _slash(run: Measurement, wallet: DevelopmentAccount, eon: int) -> None:
    contract = run.tokens[0]
    marker = minimum_available_balance_digest(
        contract=contract, token=contract, wallet=wallet.address, eon=eon, amount=0
    )
    signature = sign(marker, wallet.private_key)
    call = run.contract.functions.slashWithdrawalWithProofOfMinimumAvailableBalance(
        run.ether,
        Web3.to_checksum_address(wallet.address),
        [eon, 0],
        [signature[:32], signature[32:64]],
        signature[64],
    )
    label = "slashWithdrawal: one request of the current eon"
    run.call(label, call, development_account(0))


def measure() -> dict[str, int]:
    """Gas by the name of the call, in the order of the table."""
    with tempfile.TemporaryDirectory() as folder:
        node = AnvilNode(Path(folder), free_port(), block_time_s=None)
        with running(node, Path(folder) / "node.log"):
            w3 = Web3(Web3.HTTPProvider(node.url))
            w3.provider.make_request("evm_setAutomine", [True])  # type: ignore[arg-type]
            run = _deployed(w3)
            _money_in(run)
            _money_out(run)
    return {name: run.gas[name] for name in PUBLISHED_GAS}


def main() -> None:
    """Print the table that `docs/contract.md` quotes."""
    print("| Call | ours | published | ratio |\n|---|---:|---:|---:|")
    for name, gas in measure().items():
        published = PUBLISHED_GAS[name]
        print(f"| {name} | {gas:,} | {published:,} | {gas / published:.2f} |")


if __name__ == "__main__":
    main()
