"""A trade of T against ether on chain: tokens, money, one order, both sides' committed states."""

from dataclasses import dataclass, replace
from typing import Any

from contracts.deployment import deploy_token
from protocol.orders import OrderTerms

from .disputes import State, answer_swap, challenge_swap
from .harness import ETHER, OPERATOR, A, B, Chain, checksum

NONCE = 12
APPROVE = {
    "type": "function",
    "name": "approve",
    "inputs": [{"name": "to", "type": "address"}, {"name": "value", "type": "uint256"}],
    "outputs": [{"name": "", "type": "bool"}],
    "stateMutability": "nonpayable",
}


def register_token(chain: Chain) -> bytes:
    """T at trail 1; A owns it and lets the commit-chain pull it."""
    address = deploy_token(chain.w3, A.private_key, "Tee", "T", 1000 * ETHER)
    contract: Any = chain.w3.eth.contract(checksum(address), abi=[APPROVE])
    chain.send(chain.functions.registerERC20(contract.address), OPERATOR)
    chain.send(contract.functions.approve(checksum(chain.address), 1000 * ETHER), A)
    chain.tokens.append(address)
    return address


def pay_in(chain: Chain, token: bytes, amount: int, beneficiary: Any = A) -> None:
    """A deposits for `beneficiary`."""
    call = chain.functions.deposit(checksum(token), checksum(beneficiary.address), amount)
    chain.send(call, A, value=amount if token == chain.ether else 0)


@dataclass(frozen=True)
class Trade:
    """A sells 10 T for 5 ether, with 40 T and 50 ether when eon 2 began."""

    chain: Chain
    token: bytes
    order: OrderTerms
    debit: State
    credit: State

    def commit(self, sell_side: int, buy_side: int, *, eon: int = 3) -> None:
        """Submits what A holds on both sides; B holds the rest of the pool."""
        pool = {
            self.token: 40 * ETHER + self._deposited(self.token),
            self.chain.ether: 110 * ETHER + self._deposited(self.chain.ether),
        }
        self.chain.at(eon, 1).commit(
            {
                self.chain.ether: [
                    self.credit.member(buy_side),
                    (B.address, pool[self.chain.ether] - buy_side),
                ],
                self.token: [
                    self.debit.member(sell_side),
                    (B.address, pool[self.token] - sell_side),
                ],
            }
        )
        self.chain.at(eon, 20)

    def _deposited(self, token: bytes) -> int:
        return int(
            self.chain.functions.getDepositsAtEon(checksum(token), checksum(A.address), 2).call()
        )

    def challenge(self) -> Any:
        leaf = self.chain.allotment(3, self.token, A.address)
        return challenge_swap(self.debit, self.order, 40 * ETHER, leaf)

    def answer(self, start: int = 50 * ETHER) -> Any:
        leaf = self.chain.allotment(3, self.chain.ether, A.address)
        return answer_swap(self.credit, self.order, start, leaf)


def traded(chain: Chain, token: bytes, *, start: int = 50 * ETHER) -> Trade:
    """The money is in, the checkpoint of eon 2 is there, the order is placed in eon 2."""
    order = OrderTerms(token, chain.ether, 0, 10 * ETHER, 5 * ETHER, NONCE)
    pay_in(chain, token, 40 * ETHER)
    pay_in(chain, chain.ether, 50 * ETHER)
    pay_in(chain, chain.ether, 60 * ETHER, B)
    chain.at(1, 20).commit()
    chain.at(2, 1).commit(
        {
            chain.ether: [(A.address, 50 * ETHER), (B.address, 60 * ETHER)],
            token: [(A.address, 40 * ETHER)],
        }
    )
    debit = State(chain, A, 0, 2, (order.leaf(40 * ETHER),), spent=10 * ETHER, token=token)
    return Trade(chain, token, order, debit, State(chain, A, 0, 2, (order.leaf(start),)))


def traded_in_eon_three(chain: Chain, token: bytes) -> Trade:
    """As `traded`, an eon later: the order is placed in eon 3, root(3) shows no change."""
    swap = traded(chain, token)
    chain.at(3, 1).commit(
        {
            chain.ether: [(A.address, 50 * ETHER), (B.address, 60 * ETHER)],
            token: [(A.address, 40 * ETHER)],
        }
    )
    return replace(swap, debit=replace(swap.debit, eon=3), credit=replace(swap.credit, eon=3))


def commit_eon_four(chain: Chain, swap: Trade, *, sell_side: int, buy_side: int) -> None:
    chain.at(4, 1).commit(
        {
            chain.ether: [swap.credit.member(buy_side)],
            swap.token: [swap.debit.member(sell_side)],
        }
    )
    chain.at(4, 20)
