"""Playing the recording from its first case on."""

import re
from collections.abc import Callable

from protocol.accumulator import Operation
from protocol.encoding import parse_amount
from protocol.signing import Signer
from protocol.states import admission_digest
from protocol.terms import terms_digest
from protocol.vectors.comparison import Computed, EitherOf
from protocol.vectors.inputs import Inputs, InvalidVector
from protocol.vectors.scenario import answers, requests
from protocol.vectors.scenario.checkpoints import Checkpoints
from protocol.vectors.scenario.network import Network
from protocol.vectors.scenario.records import Token, Wallet
from protocol.vectors.scenario.trading import Trading

_ADDRESS = "0x([0-9a-fA-F]{40})"
_ORDER_CHANGE = re.compile(r"/swap/([0-9]+)/(freeze|cancel|finalize)")
_WALLET_STATE = re.compile(rf"/audit/([0-9]+)/{_ADDRESS}/{_ADDRESS}/")
_WHOIS = re.compile(rf"/audit/{_ADDRESS}/{_ADDRESS}/whois")
_ORDERBOOK = re.compile(rf"/audit/{_ADDRESS}/{_ADDRESS}/orderbook")
_TRANSACTION = re.compile(r"/audit/transactions/([0-9]+)/")


class Replay:
    """Recomputes each case from the cases before it; `accounts` are the wallets' keys."""

    def __init__(self) -> None:
        self.accounts: dict[bytes, Signer] = {}
        self._started: tuple[Network, Trading, Checkpoints] | None = None
        self._was_recorded = False

    @property
    def network(self) -> Network:
        """The books. Raises `InvalidVector` before the setup."""
        return self._parts()[0]

    def __call__(self, inputs: Inputs) -> Computed:
        """Recompute what one case expects."""
        kind = inputs.text("kind")
        if kind == "setup":
            return self._set_up(inputs)
        if kind == "http":
            return self._http(inputs)
        if kind == "active_states_recorded":
            return self._record_states(inputs)
        network, trading, checkpoints = self._parts()
        eon = inputs.integer("eon_number")
        if eon < network.eon:
            raise InvalidVector("inputs.eon_number: time does not run backwards")
        network.eon = eon
        if kind == "process_admissions":
            requests.process_admissions(network)
        elif kind == "checkpoint":
            created = checkpoints.create(eon)
            # The recorded server carried open orders over as soon as the checkpoint stood.
            trading.confirm(eon)
            return created
        elif kind == "process_swaps":
            # The recorder named the same list differently in its first cases.
            orders = trading.match(eon)
            return EitherOf({"matched": orders}, {"orders": orders})
        elif kind == "confirm_swaps":
            trading.confirm(eon)
        elif kind == "unclaimed_eth":
            network.gifts.append((eon, inputs.amount("amount")))
        else:
            self._note_event(kind, inputs)
        return {}

    def _set_up(self, inputs: Inputs) -> Computed:
        for account in inputs.records("accounts"):
            signer = account.signer("private_key")
            account.agree("address", account.address("address"), signer.address)
            self.accounts[signer.address] = signer
        operator = self.accounts.get(inputs.address("operator"))
        if operator is None:
            raise InvalidVector("inputs.operator: not one of the accounts")
        terms = terms_digest(
            inputs.digest("terms_of_service_digest"), inputs.digest("privacy_policy_digest")
        )
        network = Network(inputs.address("contract"), operator, terms)
        inputs.integer("blocks_per_eon")
        inputs.integer("confirmations")
        text = inputs.text("operator").removeprefix("0x")
        for trail, record in enumerate(inputs.records("tokens")):
            record.agree("trail", record.integer("trail"), trail)
            token = Token(
                record.text("address").removeprefix("0x"),
                record.address("address"),
                trail,
                record.text("name"),
                record.text("short_name"),
            )
            digest = admission_digest(
                contract=network.contract,
                token=token.address,
                wallet=operator.address,
                trail=0,
                eon=1,
            )
            signature = operator.sign(digest)
            network.tokens.append(token)
            network.wallets.append(Wallet(token, text, operator.address, 1, signature, signature))
        trading, checkpoints = Trading(network), Checkpoints(network)
        self._started = network, trading, checkpoints
        return {
            "operator_wallets": [
                {"token": token.text, "trail_identifier": 0} for token in network.tokens
            ]
        }

    def _http(self, inputs: Inputs) -> Computed:
        method, path = inputs.text("method"), inputs.text("path")
        try:
            if method == "GET":
                inputs.agree("body", inputs.value("body"), None)
                return {"status": 200, "response": self._get(path)}
            body = inputs.record("body")
            if method == "POST":
                return {"status": 201, "response": self._post(path, body)}
            return {"status": 200, "response": self._put(path, body)}
        except requests.Refused as refused:
            if not self._was_recorded:
                # The recorder began to watch states after the refusals it provoked.
                self.network.unrecorded_states.clear()
            return {"status": 400, "response": refused.answer}

    def _post(self, path: str, body: Inputs) -> Computed:
        network, trading, _ = self._parts()
        if path == "/admission/":
            return requests.admission(network, body)
        if path == "/admission/bulk":
            entries = body.records("admissions")
            return {"admissions": [requests.admission(network, entry) for entry in entries]}
        if path == "/transfer/":
            return requests.transfer(network, body)
        if path == "/swap/":
            return trading.place(body)
        raise InvalidVector(f"inputs.path: unknown path {path!r}")

    def _put(self, path: str, body: Inputs) -> Computed:
        trading = self._parts()[1]
        match = _ORDER_CHANGE.fullmatch(path)
        if match is None:
            raise InvalidVector(f"inputs.path: unknown path {path!r}")
        change: dict[str, Callable[[int, Inputs], Computed]] = {
            "freeze": trading.freeze,
            "cancel": trading.cancel,
            "finalize": trading.finalise,
        }
        return change[match[2]](int(match[1]), body)

    def _get(self, path: str) -> Computed:
        network, trading, checkpoints = self._parts()
        if path == "/audit/tokens/":
            return [
                {"address": f"0x{t.text}", "name": t.name, "short_name": t.short_name}
                for t in network.tokens
            ]
        if match := _WALLET_STATE.fullmatch(path):
            wallet = self._wallet(match[2], match[3])
            return answers.wallet_state(wallet, int(match[1]), network, checkpoints)
        if match := _WHOIS.fullmatch(path):
            return answers.registration(self._wallet(match[1], match[2]))
        if match := _ORDERBOOK.fullmatch(path):
            left, right = self._token(match[1]).text, self._token(match[2]).text
            return {
                "sell_orders": trading.book(left, right),
                "buy_orders": trading.book(right, left),
            }
        match = _TRANSACTION.fullmatch(path)
        if match and 0 < int(match[1]) <= len(network.rows):
            row = network.rows[int(match[1]) - 1]
            return answers.transaction(row, None, network, checkpoints)
        raise InvalidVector(f"inputs.path: unknown path {path!r}")

    def _record_states(self, inputs: Inputs) -> Computed:
        inputs.text("after")
        network = self.network
        states: list[Computed] = [
            answers.recorded_state(state, network) for state in network.unrecorded_states
        ]
        network.unrecorded_states.clear()
        self._was_recorded = True
        return {"states": states}

    def _note_event(self, kind: str, inputs: Inputs) -> None:
        operations = {
            "deposit": Operation.DEPOSIT,
            "withdrawal_request": Operation.WITHDRAWAL_REQUEST,
        }
        if kind not in operations:
            raise InvalidVector(f"inputs.kind: unknown kind {kind!r}")
        wallet = self._wallet(inputs.text("token"), inputs.text("wallet"))
        amount = parse_amount(inputs.text("amount"))
        self.network.note_event(operations[kind], self.network.eon, wallet, amount)

    def _token(self, text: str) -> Token:
        token = self.network.token(text)
        if token is None:
            raise InvalidVector(f"inputs: unknown token {text!r}")
        return token

    def _wallet(self, token: str, text: str) -> Wallet:
        wallet = self.network.wallet(self._token(token), text)
        if wallet is None:
            raise InvalidVector(f"inputs: unknown wallet {text!r}")
        return wallet

    def _parts(self) -> tuple[Network, Trading, Checkpoints]:
        if self._started is None:
            raise InvalidVector("inputs.kind: the first case is the setup")
        return self._started
