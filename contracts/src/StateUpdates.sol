// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allotments} from "./Allotments.sol";
import {Challenges} from "./Challenges.sol";
import {Clock} from "./Clock.sol";
import {CommitChainEvents} from "./CommitChainEvents.sol";
import {Account, Challenge, Ledger} from "./LedgerTypes.sol";
import {Signatures} from "./Signatures.sol";
import {Totals} from "./Totals.sol";

/// @title State-update challenges: does the newest checkpoint give me what the last eon left me?
/// @dev Deployed on its own and reached by delegate call from the commit-chain.
library StateUpdates {
    using Clock for Ledger;
    using Totals for *;

    /// @notice Opens for a wallet with an allotment in the previous eon's checkpoint.
    /// @param lrDeltasPassiveMark [left, right] and, last, [passive amount, mark] of that leaf; between
    /// them [spent, gained] of the newest state that the operator signed
    /// @param rsTxSetRoot [r, s, transfer set] of that state; ignored if both deltas are 0
    function challengeAllotment(
        Ledger storage ledger,
        address token,
        bytes32[2] calldata checksums,
        uint64 trail,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        bytes32[3] calldata rsTxSetRoot,
        uint8 v
    ) external {
        Challenges.requireOpenable(ledger, token);
        uint256[2] memory deltas = lrDeltasPassiveMark[1];
        if (deltas[0] != 0 || deltas[1] != 0) {
            requireOperator(
                ledger, token, trail, rsTxSetRoot[2], deltas, [rsTxSetRoot[0], rsTxSetRoot[1]], v
            );
        }
        require(lrDeltasPassiveMark[0][1] >= lrDeltasPassiveMark[0][0], "-");
        open(ledger, token, trail, lrDeltasPassiveMark[0][1] - lrDeltasPassiveMark[0][0], deltas);
        Allotments.check(
            ledger,
            token,
            msg.sender,
            checksums,
            trail,
            [ledger.eon() - 1, lrDeltasPassiveMark[2][0], lrDeltasPassiveMark[2][1]],
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark[0]
        );
    }

    /// @notice Opens for a wallet without an allotment yet. The operator's signature is always
    /// needed, if only on the empty state that admitted the wallet.
    function challengeAgreement(
        Ledger storage ledger,
        address token,
        bytes32 txSetRoot,
        uint64 trail,
        uint256[2] calldata deltas,
        bytes32[2] calldata rs,
        uint8 v
    ) external {
        Challenges.requireOpenable(ledger, token);
        requireOperator(ledger, token, trail, txSetRoot, deltas, rs, v);
        open(ledger, token, trail, 0, deltas);
    }

    /// @notice Answers with the issuer's leaf in the checkpoint after the challenged eon.
    /// @param lrDeltasPassiveMark [left, right], [spent, gained], [passive amount, mark] of that leaf
    /// @param rSrStxSetRootChecksum [r, s of the issuer, r, s of the operator, transfer set, passive
    /// root]
    /// @param v of the issuer, of the operator
    function answer(
        Ledger storage ledger,
        address token,
        address issuer,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2][3] calldata lrDeltasPassiveMark,
        bytes32[6] calldata rSrStxSetRootChecksum,
        uint8[2] calldata v
    ) external {
        Challenge storage entry = ledger.challenges[token][issuer][issuer][0];
        require(entry.kind == Challenges.STATE_UPDATE, "none");
        uint64 trail = entry.trail;
        uint256 eon = entry.initialStateEon;
        bytes32[2] memory checksums = [
            agreedState(
                ledger,
                token,
                issuer,
                trail,
                eon,
                lrDeltasPassiveMark[1],
                rSrStxSetRootChecksum,
                v
            ),
            rSrStxSetRootChecksum[5]
        ];
        requireBalance(ledger.accounts[token][issuer], entry, eon, lrDeltasPassiveMark);
        emit CommitChainEvents.StateUpdate(
            token,
            issuer,
            eon + 1,
            trail,
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark,
            checksums[0],
            checksums[1],
            rSrStxSetRootChecksum[2],
            rSrStxSetRootChecksum[3],
            v[1]
        );
        Allotments.check(
            ledger,
            token,
            issuer,
            checksums,
            trail,
            [eon + 1, lrDeltasPassiveMark[2][0], lrDeltasPassiveMark[2][1]],
            allotmentChain,
            membershipChain,
            values,
            lrDeltasPassiveMark[0]
        );
        Challenges.close(ledger, token, issuer, issuer, entry);
    }

    /// @dev Opens the caller's entry with what it had and the state that it put forward.
    function open(
        Ledger storage ledger,
        address token,
        uint64 trail,
        uint256 balance,
        uint256[2] memory deltas
    ) private {
        Challenge storage entry = ledger.challenges[token][msg.sender][msg.sender][0];
        Challenges.requireUnused(ledger, entry);
        Challenge memory challenge;
        challenge.kind = Challenges.STATE_UPDATE;
        challenge.trail = trail;
        challenge.initialStateBalance = balance;
        challenge.spendings = deltas[0];
        challenge.gains = deltas[1];
        Challenges.open(ledger, token, msg.sender, msg.sender, entry, challenge);
    }

    /// @dev `A` unless the operator signed the caller's state of the previous eon.
    function requireOperator(
        Ledger storage ledger,
        address token,
        uint64 trail,
        bytes32 txSetRoot,
        uint256[2] memory deltas,
        bytes32[2] memory rs,
        uint8 v
    ) private view {
        bytes32 state =
            Signatures.activeState(token, msg.sender, trail, ledger.eon() - 1, txSetRoot, deltas);
        require(Signatures.isSignedBy(ledger.operator, state, rs[0], rs[1], v), "A");
    }

    /// @dev What the leaf commits to as active state: nothing, or a state that both sides signed.
    /// Zero deltas alone do not mean nothing: a wallet with only an open order has a set.
    function agreedState(
        Ledger storage ledger,
        address token,
        address issuer,
        uint64 trail,
        uint256 eon,
        uint256[2] calldata deltas,
        bytes32[6] calldata rSrStxSetRootChecksum,
        uint8[2] calldata v
    ) private view returns (bytes32 state) {
        bytes32 txSetRoot = rSrStxSetRootChecksum[4];
        if (deltas[0] == 0 && deltas[1] == 0 && txSetRoot == 0) return 0;
        state = Signatures.activeState(token, issuer, trail, eon, txSetRoot, deltas);
        require(
            Signatures.isSignedBy(
                issuer, state, rSrStxSetRootChecksum[0], rSrStxSetRootChecksum[1], v[0]
            ),
            "A"
        );
        require(
            Signatures.isSignedBy(
                ledger.operator, state, rSrStxSetRootChecksum[2], rSrStxSetRootChecksum[3], v[1]
            ),
            "A"
        );
    }

    /// @dev The state must be as new as the challenged one (`x`), and the allotment hold what was
    /// there, gained and deposited, less what was spent and asked for (`B`).
    function requireBalance(
        Account storage account,
        Challenge storage entry,
        uint256 eon,
        uint256[2][3] calldata lrDeltasPassiveMark
    ) private view {
        uint256[2] memory deltas = lrDeltasPassiveMark[1];
        require(deltas[0] >= entry.spendings && deltas[1] >= entry.gains, "x");
        uint256[2] memory edges = lrDeltasPassiveMark[0];
        require(edges[1] >= edges[0], "-");
        uint256 owed = entry.initialStateBalance + deltas[1] + account.depositedIn(eon)
            + lrDeltasPassiveMark[2][0];
        uint256 given =
            edges[1] - edges[0] + deltas[0] + account.requestedBetween(eon, eon);
        require(owed <= given, "B");
    }
}
