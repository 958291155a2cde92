// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Ledger} from "./LedgerTypes.sol";

/// @dev The part of ERC-20 that every token in use really follows.
interface Token {
    /// @notice Units held by `owner`.
    function balanceOf(address owner) external view returns (uint256);

    /// @notice Moves units of the caller.
    function transfer(address to, uint256 amount) external returns (bool);

    /// @notice Moves units that `from` approved to the caller.
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
}

/// @title Money in, money out. The native asset is written as the contract's own address.
library Assets {
    /// @dev Gas that an operator which is itself a contract may use when it receives a bond.
    uint256 private constant BOND_GAS = 20_000;

    /// @notice Whether `token` is the native asset.
    function isEther(address token) internal view returns (bool) {
        return token == address(this);
    }

    /// @notice Whether `token` is the native asset or was registered.
    function isKnown(Ledger storage ledger, address token) internal view returns (bool) {
        return isEther(token) || ledger.trails[token] != 0;
    }

    /// @notice Units of `token` that `owner` has on the parent chain.
    function balanceOf(address token, address owner) internal view returns (uint256) {
        return isEther(token) ? owner.balance : Token(token).balanceOf(owner);
    }

    /// @notice What the commit-chain holds, without the value that the running call brought along.
    function held(address token) internal view returns (uint256) {
        uint256 balance = balanceOf(token, address(this));
        return isEther(token) ? balance - msg.value : balance;
    }

    /// @notice Pulls exactly `amount` of an ERC-20 from the caller; `f` if anything else happens.
    function pull(address token, uint256 amount) internal {
        uint256 before = Token(token).balanceOf(address(this));
        require(
            succeeds(token, abi.encodeCall(Token.transferFrom, (msg.sender, address(this), amount))),
            "f"
        );
        require(Token(token).balanceOf(address(this)) - before == amount, "f");
    }

    /// @notice Pays a holder; `f` if the holder or the token refuses.
    function pay(address token, address holder, uint256 amount) internal {
        if (isEther(token)) {
            (bool paid,) = holder.call{value: amount}("");
            require(paid, "f");
        } else {
            require(succeeds(token, abi.encodeCall(Token.transfer, (holder, amount))), "f");
        }
    }

    /// @notice Reverts `r` unless the call's value covers `gas_` units at the higher of the minimum
    /// price and the transaction's own.
    function requireBond(uint256 gas_, uint256 minimumPrice) internal view {
        require(
            msg.value >= gas_ * minimumPrice && msg.value >= gas_ * tx.gasprice,
            "r"
        );
    }

    /// @notice Forwards the call's whole value to the operator. An operator that cannot take it
    /// stops nobody: the value then stays in the pool as surplus.
    function forwardBond(address operator) internal {
        // Without this floor a caller could starve the operator's code of gas and keep its bond
        // from it; plain accounts need none.
        if (operator.code.length > 0) require(gasleft() > BOND_GAS + BOND_GAS / 32, "gas");
        assembly ("memory-safe") {
            // No return data is copied: it would be the caller's gas.
            pop(call(BOND_GAS, operator, callvalue(), 0, 0, 0, 0))
        }
    }

    /// @dev Tokens that return nothing count as successful if there is code at all.
    function succeeds(address token, bytes memory payload) private returns (bool) {
        (bool called, bytes memory answer) = token.call(payload);
        if (!called) return false;
        if (answer.length == 0) return token.code.length > 0;
        return answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
    }
}
