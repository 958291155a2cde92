"""The `nocust-operator` command: wiring only, each command lives in the room it concerns."""

import click


@click.group()
def main() -> None:
    """Operate a NOCUST commit-chain."""


if __name__ == "__main__":
    main()
