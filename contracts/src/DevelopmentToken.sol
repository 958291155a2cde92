// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title A plain ERC-20 for development chains and tests
contract DevelopmentToken {
    /// @notice Name shown to people.
    string public name;

    /// @notice Ticker.
    string public symbol;

    /// @notice Digits after the decimal point.
    uint8 public constant decimals = 18;

    /// @notice All units there are; fixed at deployment.
    uint256 public immutable totalSupply;

    /// @notice Units of each owner.
    mapping(address owner => uint256) public balanceOf;

    /// @notice Units that an owner lets a spender move.
    mapping(address owner => mapping(address spender => uint256)) public allowance;

    /// @notice Units moved.
    event Transfer(address indexed from, address indexed to, uint256 value);

    /// @notice A spender's allowance was set.
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// @notice Gives the whole supply to the deployer.
    constructor(string memory name_, string memory symbol_, uint256 supply) {
        name = name_;
        symbol = symbol_;
        totalSupply = supply;
        balanceOf[msg.sender] = supply;
        emit Transfer(address(0), msg.sender, supply);
    }

    /// @notice Moves units of the caller; reverts if it has too few.
    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    /// @notice Moves units of `from` within the caller's allowance; reverts beyond it.
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        if (allowance[from][msg.sender] != type(uint256).max) allowance[from][msg.sender] -= value;
        move(from, to, value);
        return true;
    }

    /// @notice Lets `spender` move units of the caller; the maximum never runs out.
    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    /// @dev Moves units; reverts if `from` has too few.
    function move(address from, address to, uint256 value) private {
        require(to != address(0), "zero");
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
