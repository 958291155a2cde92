// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Merkle proofs: plain trees and interval trees
/// @dev Heights are those of the children (leaves: 0). Bit i of a trail, least significant first,
/// says that at level i the sibling is on the left; a trail longer than its proof is no proof.
library Proofs {
    /// @dev A node of an interval tree and the half-open interval that it covers.
    struct Span {
        bytes32 node;
        uint256 left;
        uint256 right;
    }

    /// @notice Whether `node` is the leaf at `trail` of the plain tree with root `merkleRoot`.
    function isMember(uint256 trail, bytes32[] calldata chain, bytes32 node, bytes32 merkleRoot)
        internal
        pure
        returns (bool)
    {
        for (uint256 height = 0; height < chain.length; height++) {
            node = trail & 1 == 1
                ? plainNode(height, chain[height], node)
                : plainNode(height, node, chain[height]);
            trail >>= 1;
        }
        return trail == 0 && node == merkleRoot;
    }

    /// @notice Moves `span`, a leaf of an interval tree, up to the root of its tree.
    /// @dev Reverts `p`, `s`, `x`, `t`, `l` or `m`; see `docs/contract.md` for the reasons.
    /// @param edges for each sibling its outer edge: the left one of a left sibling, else the right
    function climb(
        Span memory span,
        uint256 trail,
        bytes32[] calldata chain,
        uint256[] calldata edges
    ) internal pure {
        require(chain.length == edges.length, "p");
        require(span.left <= span.right, "s");
        for (uint256 height = 0; height < chain.length; height++) {
            step(span, trail & 1 == 1, height, chain[height], edges[height]);
            trail >>= 1;
        }
        require(span.left == 0, "l");
        require(trail == 0, "m");
    }

    /// @notice Right edge of the passive tree that holds the bare leaf `span`; `n` if its root is
    /// another.
    /// @param chainValues all sibling hashes, then all their outer edges
    function passiveTotal(
        Span memory span,
        uint256 trail,
        bytes32 root,
        bytes32[] calldata chainValues
    ) internal pure returns (uint256) {
        require(chainValues.length % 2 == 0, "p");
        uint256 levels = chainValues.length / 2;
        uint256[] calldata edges;
        assembly ("memory-safe") {
            // The second half of the words, read as numbers.
            edges.offset := add(chainValues.offset, shl(5, levels))
            edges.length := levels
        }
        climb(span, trail, chainValues[:levels], edges);
        require(span.node == root, "n");
        return span.right;
    }

    /// @notice Leaf of a token in the token tree.
    function tokenLeaf(bytes32 intervalRoot, uint256 total) internal pure returns (bytes32) {
        return keccak256(abi.encode(uint256(0), intervalRoot, total));
    }

    /// @notice Inner node of a plain tree.
    function plainNode(uint256 height, bytes32 left, bytes32 right)
        private
        pure
        returns (bytes32 node)
    {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, shl(224, height))
            mstore(add(at, 4), left)
            mstore(add(at, 36), right)
            node := keccak256(at, 68)
        }
    }

    /// @dev Joins `span` with its sibling. The edge between them is the span's own, which is why
    /// intervals can neither overlap nor leave gaps unnoticed.
    function step(
        Span memory span,
        bool siblingIsLeft,
        uint256 height,
        bytes32 sibling,
        uint256 edge
    ) private pure {
        if (siblingIsLeft) {
            require(edge <= span.left, "x");
            span.node = intervalNode(height, edge, sibling, span.left, span.node, span.right);
            span.left = edge;
        } else {
            require(span.right <= edge, "x");
            span.node = intervalNode(height, span.left, span.node, span.right, sibling, edge);
            span.right = edge;
        }
        require(span.left <= span.right, "t");
    }

    /// @notice Inner node of an interval tree: both children, and the three edges of their spans.
    function intervalNode(
        uint256 height,
        uint256 leftmost,
        bytes32 left,
        uint256 middle,
        bytes32 right,
        uint256 rightmost
    ) private pure returns (bytes32 node) {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, left)
            mstore(add(at, 32), middle)
            mstore(add(at, 64), right)
            let inner := keccak256(at, 96)
            mstore(at, shl(224, height))
            mstore(add(at, 4), leftmost)
            mstore(add(at, 36), inner)
            mstore(add(at, 68), rightmost)
            node := keccak256(at, 100)
        }
    }
}
