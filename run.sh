#!/usr/bin/env bash
# The two commands of this project: `./run.sh` brings everything up, `./run.sh test` proves it.
# Any other word is passed to the `nocust-operator` command, e.g. `./run.sh demo`, `./run.sh reset`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

missing() {
    echo "run.sh: $1" >&2
    exit 2
}

# The first Python that is new enough: the one named in PYTHON, the default one, then newer ones.
find_python() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            PYTHON="$candidate"
            return
        fi
    done
    missing "Python 3.11 or newer is missing (Debian: apt install python3 python3-venv)"
}

check_python() {
    find_python
    if [ ! -x .venv/bin/python ]; then
        "$PYTHON" -c 'import venv, ensurepip' 2>/dev/null \
            || missing "Python's venv module is missing (Debian: apt install python3-venv)"
    fi
}

check_node() {
    command -v node >/dev/null || missing "Node.js 20 or newer is missing (it runs the compiler and the development node)"
    NODE_VERSION="$(node --version)"
    [ "$(echo "${NODE_VERSION#v}" | cut -d. -f1)" -ge 20 ] \
        || missing "Node.js 20 or newer is needed, found $NODE_VERSION"
    command -v npm >/dev/null || missing "npm is missing (it comes with Node.js)"
}

# A stamp names what an installation was made from; the same stamp means nothing to do.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

install_python() {
    local stamp
    stamp="$("$PYTHON" --version) $(cat requirements.lock pyproject.toml | sha256sum)"
    fresh .venv/installed "$stamp" && return
    echo "run.sh: installing the Python packages of requirements.lock into .venv"
    [ -x .venv/bin/python ] || "$PYTHON" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$stamp" >.venv/installed
}

# The lock pins anvil for Linux on x86-64; elsewhere the same version of the platform's own package.
install_node() {
    local stamp platform version
    stamp="$NODE_VERSION $(cat package-lock.json | sha256sum)"
    fresh node_modules/.installed "$stamp" && return
    echo "run.sh: installing the Node.js packages of package-lock.json into node_modules"
    npm ci --ignore-scripts --no-audit --no-fund --silent
    if [ ! -x node_modules/.bin/anvil ]; then
        platform="$(node -p 'process.platform.replace("win32","win32")+"-"+process.arch.replace("x64","amd64")')"
        version="$(node -p 'require("./package.json").optionalDependencies["@foundry-rs/anvil-linux-amd64"]')"
        npm install --no-save --ignore-scripts --no-audit --no-fund --silent "@foundry-rs/anvil-$platform@$version" \
            || missing "no anvil for $platform; set HUB_ETHEREUM_NODE_URL to a node of your own"
    fi
    echo "$stamp" >node_modules/.installed
}

# Two processes, each with parts of its own; a file's tests share one. In the order of the folders
# the long plays begin early: sorted by their numbers of tests they would come last, one by one.
IN_TWO="--numprocesses 2 --dist loadfile --no-loadscope-reorder"

# Both editions of the contract, attacked side by side, and the operator's tests on the published
# one: minutes of a node's work, by a command of their own.
EDITIONS=tests/contracts/editions
OPERATOR_ROOMS="tests/chain tests/ledger tests/orders tests/activities tests/challenges tests/reorganisations tests/end_to_end"

# The tutorial as a new user types it, in a fresh clone.
TUTORIAL=tests/tutorial

# Forty, then a hundred challenges in one block, answered by a whole operator.
CROWD=tests/crowd

# Plays in which a real operator is killed at every moment that has a name, and cut off from its
# chain: minutes each.
PLAYS=tests/faults

run_editions() {
    # shellcheck disable=SC2086
    .venv/bin/pytest $IN_TWO "$EDITIONS" "$@"
    # shellcheck disable=SC2086
    exec .venv/bin/pytest $IN_TWO --edition published $OPERATOR_ROOMS "$@"
}

run_tests() {
    .venv/bin/ruff check .
    .venv/bin/ruff format --check .
    .venv/bin/mypy
    .venv/bin/lint-imports
    # shellcheck disable=SC2086
    exec .venv/bin/pytest $IN_TWO --ignore="$EDITIONS" --ignore="$TUTORIAL" --ignore="$PLAYS" \
        --ignore="$CROWD" "$@"
}

check_python
# Production needs neither compiler nor development node, only Docker.
[ "${1:-up}" = prod ] || check_node
install_python
[ "${1:-up}" != prod ] || exec .venv/bin/nocust-operator "$@"
install_node
case "${1:-up}" in
    test) shift; run_tests "$@" ;;
    test-fuzz) shift; exec .venv/bin/pytest -s tests/fuzz --cases 100 "$@" ;;
    test-editions) shift; run_editions "$@" ;;
    test-tutorial) shift; exec .venv/bin/pytest -s "$TUTORIAL" "$@" ;;
    test-crowd) shift; exec .venv/bin/pytest -s "$CROWD" "$@" ;;
    docs) shift; exec .venv/bin/mkdocs build --strict "$@" ;;
    test-crash-points) shift; exec .venv/bin/pytest -s "$PLAYS/test_crash_points.py" "$@" ;;
    test-faults) shift; exec .venv/bin/pytest -s "$PLAYS/test_faults.py" "$@" ;;
    *) exec .venv/bin/nocust-operator "${@:-up}" ;;
esac
