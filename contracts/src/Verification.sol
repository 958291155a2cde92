// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Allotments} from "./Allotments.sol";
import {Ledger} from "./LedgerTypes.sol";
import {Proofs} from "./Proofs.sol";
import {Signatures} from "./Signatures.sol";

/// @title The read-only verification helpers
/// @dev Deployed on its own and reached by delegate call from the commit-chain.
library Verification {
    /// @notice See {CommitChainVerification-verifyProofOfExclusiveAccountBalanceAllotment}.
    function accountAllotment(
        Ledger storage ledger,
        address token,
        address holder,
        bytes32[2] calldata checksums,
        uint64 trail,
        uint256[3] calldata eonPassiveMark,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2] calldata edges
    ) external view returns (bool) {
        Allotments.check(
            ledger,
            token,
            holder,
            checksums,
            trail,
            eonPassiveMark,
            allotmentChain,
            membershipChain,
            values,
            edges
        );
        return true;
    }

    /// @notice See {CommitChainVerification-verifyProofOfExclusiveBalanceAllotment}.
    function allotment(
        uint64 allotmentTrail,
        uint64 membershipTrail,
        bytes32 node,
        bytes32 root,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2] calldata edges
    ) external pure returns (uint256) {
        return Allotments.provenTotal(
            allotmentTrail,
            membershipTrail,
            node,
            root,
            allotmentChain,
            membershipChain,
            values,
            edges
        );
    }

    /// @notice See {CommitChainVerification-verifyProofOfMembership}.
    function membership(uint256 trail, bytes32[] calldata chain, bytes32 node, bytes32 merkleRoot)
        external
        pure
        returns (bool)
    {
        return Proofs.isMember(trail, chain, node, merkleRoot);
    }

    /// @notice See {CommitChainVerification-verifyProofOfPassiveDelivery}.
    function passiveDelivery(
        uint64 trail,
        bytes32 node,
        bytes32 root,
        bytes32[] calldata chainValues,
        uint256[2] calldata edges
    ) external pure returns (uint256) {
        Proofs.Span memory leaf = Proofs.Span(node, edges[0], edges[1]);
        return Proofs.passiveTotal(leaf, trail, root, chainValues);
    }

    /// @notice See {CommitChainVerification-verifyProofOfActiveStateUpdateAgreement}.
    function activeState(
        address token,
        address holder,
        uint64 trail,
        uint256 eon,
        bytes32 txSetRoot,
        uint256[2] calldata deltas,
        address attester,
        bytes32[2] calldata rs,
        uint8 v
    ) external view returns (bytes32 checksum) {
        checksum = Signatures.activeState(token, holder, trail, eon, txSetRoot, deltas);
        require(Signatures.isSignedBy(attester, checksum, rs[0], rs[1], v), "A");
    }

    /// @notice See {CommitChainVerification-verifyWithdrawalAuthorization}.
    function withdrawalAuthorization(
        address token,
        address holder,
        uint256 expiry,
        uint256 amount,
        address attester,
        bytes32[2] calldata rs,
        uint8 v
    ) external view returns (bool) {
        bytes32 digest = Signatures.twoNumbers(token, holder, expiry, amount);
        require(Signatures.isSignedBy(attester, digest, rs[0], rs[1], v), "a");
        return true;
    }

    /// @notice See {CommitChainVerification-signedMessageECRECOVER}.
    function signer(bytes32 message, bytes32 r, bytes32 s, uint8 v)
        external
        pure
        returns (address)
    {
        return Signatures.recover(message, r, s, v);
    }
}
