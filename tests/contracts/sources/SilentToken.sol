// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A token whose transfers work but return nothing
contract SilentToken {
    mapping(address => uint256) public balanceOf;

    constructor(address owner) {
        balanceOf[owner] = 1000;
    }

    function transfer(address to, uint256 value) external {
        move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        move(from, to, value);
    }

    function move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}
