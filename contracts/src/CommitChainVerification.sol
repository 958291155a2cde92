// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {CommitChainState} from "./CommitChainState.sol";
import {Ledger} from "./LedgerTypes.sol";
import {Verification} from "./Verification.sol";

/// @title Proofs, checked for anybody who asks
abstract contract CommitChainVerification is CommitChainState {
    /// @notice True if the leaf of `holder` is in a kept checkpoint that allots no more than was
    /// there; otherwise reverts with the reason. Never returns false.
    /// @param activeStateChecksum_passiveTransfersRoot the two digests of the leaf
    /// @param eonPassiveMark [eon of the checkpoint, passive amount, passive mark]
    /// @param LR [left, right] edge of the leaf
    function verifyProofOfExclusiveAccountBalanceAllotment(
        address token,
        address holder,
        bytes32[2] calldata activeStateChecksum_passiveTransfersRoot,
        uint64 trail,
        uint256[3] calldata eonPassiveMark,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata values,
        uint256[2] calldata LR
    ) external view returns (bool) {
        return Verification.accountAllotment(
            ledger,
            token,
            holder,
            activeStateChecksum_passiveTransfersRoot,
            trail,
            eonPassiveMark,
            allotmentChain,
            membershipChain,
            values,
            LR
        );
    }

    /// @notice The total of the interval tree that holds leaf `node`, under token-tree root `root`.
    function verifyProofOfExclusiveBalanceAllotment(
        uint64 allotmentTrail,
        uint64 membershipTrail,
        bytes32 node,
        bytes32 root,
        bytes32[] calldata allotmentChain,
        bytes32[] calldata membershipChain,
        uint256[] calldata value,
        uint256[2] calldata LR
    ) external pure returns (uint256) {
        return Verification.allotment(
            allotmentTrail, membershipTrail, node, root, allotmentChain, membershipChain, value, LR
        );
    }

    /// @notice Whether `node` is the leaf at `trail` of the plain tree with root `merkleRoot`.
    function verifyProofOfMembership(
        uint256 trail,
        bytes32[] calldata chain,
        bytes32 node,
        bytes32 merkleRoot
    ) external pure returns (bool) {
        return Verification.membership(trail, chain, node, merkleRoot);
    }

    /// @notice Right edge of the passive tree that holds the bare leaf `node` over `LR`.
    /// @param chainValues all sibling hashes, then all their outer edges
    function verifyProofOfPassiveDelivery(
        uint64 allotmentTrail,
        bytes32 node,
        bytes32 root,
        bytes32[] calldata chainValues,
        uint256[2] calldata LR
    ) external pure returns (uint256) {
        return Verification.passiveDelivery(allotmentTrail, node, root, chainValues, LR);
    }

    /// @notice Digest of an active state, if `attester` signed it; else reverts `A`.
    function verifyProofOfActiveStateUpdateAgreement(
        address token,
        address holder,
        uint64 trail,
        uint256 eon,
        bytes32 txSetRoot,
        uint256[2] calldata deltas,
        address attester,
        bytes32 r,
        bytes32 s,
        uint8 v
    ) external view returns (bytes32 checksum) {
        return Verification.activeState(
            token, holder, trail, eon, txSetRoot, deltas, attester, [r, s], v
        );
    }

    /// @notice True if `attester` signed the authorisation over (expiry, amount); else reverts `a`.
    function verifyWithdrawalAuthorization(
        address token,
        address holder,
        uint256 expiry,
        uint256 amount,
        address attester,
        bytes32 r,
        bytes32 s,
        uint8 v
    ) external view returns (bool) {
        return Verification.withdrawalAuthorization(
            token, holder, expiry, amount, attester, [r, s], v
        );
    }

    /// @notice Signer of `message`, or the zero address for an invalid signature.
    function signedMessageECRECOVER(bytes32 message, bytes32 r, bytes32 s, uint8 v)
        external
        pure
        returns (address)
    {
        return Verification.signer(message, r, s, v);
    }
}
