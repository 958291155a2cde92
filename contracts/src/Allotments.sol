// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Assets} from "./Assets.sol";
import {Checkpoint, EONS_KEPT_, Ledger} from "./LedgerTypes.sol";
import {Proofs} from "./Proofs.sol";
import {Signatures} from "./Signatures.sol";
import {Totals} from "./Totals.sol";

/// @title Exclusive balance allotments: what a checkpoint gives one wallet, and what it may give all
library Allotments {
    using Totals for *;

    /// @notice Reverts unless the leaf of `holder` is in the checkpoint of an eon and that
    /// checkpoint allots no more than was there to allot.
    /// @param checksums [active state, root of the passive tree]
    /// @param eonPassiveMark [eon of the checkpoint, passive amount, passive mark]
    /// @param edges [left, right] of the leaf; the balance is their difference
    function check(
        Ledger storage ledger,
        address token,
        address holder,
        bytes32[2] memory checksums,
        uint64 trail,
        uint256[3] memory eonPassiveMark,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2] memory edges
    ) internal view {
        Checkpoint storage slot = ledger.checkpoints[eonPassiveMark[0] % EONS_KEPT_];
        require(slot.eon == eonPassiveMark[0], "r");
        uint256 total = provenTotal(
            trail,
            ledger.trails[token],
            leaf(token, holder, checksums, eonPassiveMark, edges),
            slot.merkleRoot,
            allotmentChain,
            membershipChain,
            values,
            edges
        );
        require(Assets.isKnown(ledger, token), "t");
        require(total <= limit(ledger, token, eonPassiveMark[0]), "b");
    }

    /// @notice The most that the checkpoint of `eon` may allot: what was available at the end of
    /// the eon before it, rebuilt from today's balance.
    function limit(Ledger storage ledger, address token, uint256 eon)
        internal
        view
        returns (uint256)
    {
        return Assets.held(token) + ledger.confirmed[token].since(eon)
            - ledger.deposits[token].since(eon) - ledger.pending[token].running(eon - 1);
    }

    /// @notice The leaf of an account: its interval around what it commits to.
    function leaf(
        address token,
        address holder,
        bytes32[2] memory checksums,
        uint256[3] memory eonPassiveMark,
        uint256[2] memory edges
    ) internal view returns (bytes32) {
        bytes32 passive =
            keccak256(abi.encode(checksums[1], eonPassiveMark[1], eonPassiveMark[2]));
        bytes32 inner = keccak256(
            abi.encode(
                Signatures.hashed(address(this)),
                Signatures.hashed(token),
                Signatures.hashed(holder),
                passive,
                checksums[0]
            )
        );
        return keccak256(abi.encode(edges[0], inner, edges[1]));
    }

    /// @notice The total of the interval tree that holds `node`, proven to be in the token tree
    /// with root `root`; reverts `m` if it is not.
    function provenTotal(
        uint256 allotmentTrail,
        uint256 membershipTrail,
        bytes32 node,
        bytes32 root,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2] memory edges
    ) internal pure returns (uint256) {
        Proofs.Span memory span = Proofs.Span(node, edges[0], edges[1]);
        Proofs.climb(span, allotmentTrail, allotmentChain, values);
        bytes32 committed = Proofs.tokenLeaf(span.node, span.right);
        require(Proofs.isMember(membershipTrail, membershipChain, committed, root), "m");
        return span.right;
    }
}
