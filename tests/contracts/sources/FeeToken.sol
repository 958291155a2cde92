// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A token that keeps one unit in a hundred
contract FeeToken {
    mapping(address => uint256) public balanceOf;

    constructor(address owner) {
        balanceOf[owner] = 1000;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        balanceOf[from] -= value;
        balanceOf[to] += value - value / 100;
        return true;
    }
}
