// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allotments} from "./Allotments.sol";
import {Challenges} from "./Challenges.sol";
import {Clock} from "./Clock.sol";
import {Account, Challenge, Ledger} from "./LedgerTypes.sol";
import {Proofs} from "./Proofs.sol";
import {Signatures} from "./Signatures.sol";
import {Totals} from "./Totals.sol";
import {Transfers} from "./Transfers.sol";

/// @title Swap challenges: did what was taken for an order come back at its price?
/// @dev Deployed on its own and reached by delegate call from the commit-chain.
library Swaps {
    using Clock for Ledger;
    using Totals for *;

    /// @notice Start balance in the buying wallet's leaf once an order is finalised or cancelled.
    uint256 private constant CLOSED = type(uint256).max;

    /// @notice Opens with the trader's committed leaf of the token sold.
    /// @param tokens [sold, bought]
    /// @param trails [trader's trail of the token sold, index of the order, trail of the token bought]
    /// @param lrDeltasPassiveMark the trader's leaf of the token sold
    /// @param sellBuyBalanceNonce [sell, buy, start balance, nonce] of the order
    /// @param txSetRootChecksum [root of the set, passive root, ignored]
    function challenge(
        Ledger storage ledger,
        address[2] calldata tokens,
        uint64[3] calldata trails,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        bytes32[] calldata txChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        uint256[4] calldata sellBuyBalanceNonce,
        bytes32[3] calldata txSetRootChecksum
    ) external {
        Challenges.requireOpenable(ledger, tokens[0]);
        Challenges.requireOpenable(ledger, tokens[1]);
        requireOrder(tokens, trails, sellBuyBalanceNonce, txChain, txSetRootChecksum[0]);
        checkLeaf(
            ledger,
            tokens[0],
            msg.sender,
            trails[0],
            ledger.eon() - 1,
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark,
            txSetRootChecksum
        );
        open(ledger, tokens, trails[2], lrDeltasPassiveMark, sellBuyBalanceNonce);
    }

    /// @notice Answers with the trader's leaf of the token bought.
    /// @param transferTrail index of the order in that wallet's set
    /// @param start balance in the order's leaf there, or the greatest number for a closed order,
    /// whose price the trader agreed to by closing it
    function answer(
        Ledger storage ledger,
        address[2] calldata tokens,
        address issuer,
        uint64 transferTrail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        bytes32[] calldata txChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        uint256 start,
        bytes32[3] calldata txSetRootChecksum
    ) external {
        address conduit = Transfers.conduit(tokens);
        Challenge storage entry = ledger.challenges[conduit][issuer][issuer][0];
        require(entry.kind == Challenges.SWAP, "none");
        require(
            Proofs.isMember(
                transferTrail,
                txChain,
                Transfers.orderLeaf(
                    tokens, entry.trail, entry.spendings, entry.gains, start, entry.nonce
                ),
                txSetRootChecksum[0]
            ),
            "M"
        );
        if (start != CLOSED) {
            Account storage account = ledger.accounts[tokens[1]][issuer];
            requirePrice(entry, given(account, entry, start, lrDeltasPassiveMark));
        }
        checkLeaf(
            ledger,
            tokens[1],
            issuer,
            entry.trail,
            entry.initialStateEon,
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark,
            txSetRootChecksum
        );
        Challenges.close(ledger, conduit, issuer, issuer, entry);
    }

    /// @dev The leaf of `holder` in the checkpoint after `eon`, with an active state of `eon`.
    function checkLeaf(
        Ledger storage ledger,
        address token,
        address holder,
        uint64 trail,
        uint256 eon,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        bytes32[3] calldata txSetRootChecksum
    ) private view {
        Allotments.check(
            ledger,
            token,
            holder,
            [
                Signatures.activeState(
                    token, holder, trail, eon, txSetRootChecksum[0], lrDeltasPassiveMark[1]
                ),
                txSetRootChecksum[1]
            ],
            trail,
            [eon + 1, lrDeltasPassiveMark[2][0], lrDeltasPassiveMark[2][1]],
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark[0]
        );
    }

    /// @dev `e` unless the order is in the set of the wallet that sells.
    function requireOrder(
        address[2] calldata tokens,
        uint64[3] calldata trails,
        uint256[4] calldata sellBuyBalanceNonce,
        bytes32[] calldata txChain,
        bytes32 root
    ) private pure {
        bytes32 leaf = Transfers.orderLeaf(
            tokens,
            trails[2],
            sellBuyBalanceNonce[0],
            sellBuyBalanceNonce[1],
            sellBuyBalanceNonce[2],
            sellBuyBalanceNonce[3]
        );
        require(Proofs.isMember(trails[1], txChain, leaf, root), "e");
    }

    /// @dev Opens the trader's entry with what the leaf would hold if all that the state gave up had
    /// been sold, and what it holds: the difference came back unsold.
    function open(
        Ledger storage ledger,
        address[2] calldata tokens,
        uint64 trail,
        uint256[2][3] calldata lrDeltasPassiveMark,
        uint256[4] calldata sellBuyBalanceNonce
    ) private {
        address conduit = Transfers.conduit(tokens);
        Challenge storage entry = ledger.challenges[conduit][msg.sender][msg.sender][0];
        Challenges.requireUnused(ledger, entry);
        Challenge memory opened;
        opened.kind = Challenges.SWAP;
        opened.trail = trail;
        opened.spendings = sellBuyBalanceNonce[0];
        opened.gains = sellBuyBalanceNonce[1];
        opened.nonce = sellBuyBalanceNonce[3];
        uint256 eon = ledger.eon() - 1;
        Account storage account = ledger.accounts[tokens[0]][msg.sender];
        opened.initialStateBalance = sellBuyBalanceNonce[2] + lrDeltasPassiveMark[1][1]
            + lrDeltasPassiveMark[2][0] + account.depositedIn(eon) - lrDeltasPassiveMark[1][0]
            - account.requestedBetween(eon, eon);
        opened.finalStateBalance = lrDeltasPassiveMark[0][1] - lrDeltasPassiveMark[0][0];
        require(opened.finalStateBalance >= opened.initialStateBalance, "d");
        Challenges.open(ledger, conduit, msg.sender, msg.sender, entry, opened);
    }

    /// @dev What the order brought in. Everything is added before anything is deducted: a wallet
    /// that moved its money on and asked for a withdrawal would otherwise make it underflow.
    function given(
        Account storage account,
        Challenge storage entry,
        uint256 start,
        uint256[2][3] calldata lrDeltasPassiveMark
    ) private view returns (uint256) {
        uint256 eon = entry.initialStateEon;
        uint256[2] memory deltas = lrDeltasPassiveMark[1];
        uint256 left = lrDeltasPassiveMark[0][1] - lrDeltasPassiveMark[0][0] + deltas[0]
            + account.requestedBetween(eon, eon);
        return left
            - (start + deltas[1] + lrDeltasPassiveMark[2][0] + account.depositedIn(eon));
    }

    /// @dev `v` unless what was given is worth what was taken at the order's price, both rounded
    /// down in hundredths.
    function requirePrice(Challenge storage entry, uint256 given_) private view {
        uint256 sell = entry.spendings;
        uint256 refund = entry.finalStateBalance - entry.initialStateBalance;
        uint256 taken = refund < sell ? sell - refund : 0;
        uint256 owed = taken * entry.gains / 100;
        unchecked {
            uint256 got = sell * given_;
            // A product that does not fit is greater than one that does.
            require((sell != 0 && got / sell != given_) || got / 100 >= owed, "v");
        }
    }
}
