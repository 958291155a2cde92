"""What the person who starts the stack sees: what it waits for, then where everything is."""

import time

from rich.console import Console
from rich.panel import Panel
from rich.table import Table

from protocol.address import checksum_address
from stack.plan import Stack


class Progress:
    """Lines for each thing that gets ready, with the seconds since the start."""

    def __init__(self, console: Console) -> None:
        self._console, self._began = console, time.monotonic()

    def elapsed_s(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._began

    def report(self, line: str) -> None:
        """Show one event."""
        self._console.print(f"[dim]{self.elapsed_s():6.1f} s[/dim]  {line}", highlight=False)

    def echo(self, part: str, line: str) -> None:
        """Show a line of a part's own log, with its name before it."""
        self._console.print(f"[cyan]{part:>9}[/cyan] ", end="")
        self._console.print(line, markup=False, highlight=False)


def waiting_line(stack: Stack, names: list[str]) -> str:
    """What is awaited, and what the API says that it lacks."""
    complaints = {api.complaint for api in stack.apis if api.name in names and api.complaint}
    return f"waiting for {', '.join(names)}" + "".join(f"; API: {c}" for c in sorted(complaints))


def ready_panel(stack: Stack, elapsed_s: float) -> Panel:
    """Every address that a person or a wallet needs."""
    settings = stack.settings
    table = Table.grid(padding=(0, 2))
    table.add_row("API", stack.api_url)
    table.add_row("Swagger", f"{stack.api_url}/swagger/")
    table.add_row("WebSocket", f"{stack.api_url.replace('http', 'ws', 1)}/ws/")
    if settings.temporal_address is None:
        table.add_row("Temporal UI", f"http://127.0.0.1:{settings.temporal_ui_port}")
        table.add_row("Temporal", f"127.0.0.1:{settings.temporal_port}")
    else:
        table.add_row("Temporal", settings.temporal_address)
    if settings.node_url is None:
        eon = f"{settings.blocks_per_eon} blocks of {settings.block_time_s} s an eon"
        table.add_row("Node", f"http://127.0.0.1:{settings.node_port} (chain id 1337, {eon})")
    else:
        table.add_row("Node", "HUB_ETHEREUM_NODE_URL")
    if settings.database_url is None:
        table.add_row("PostgreSQL", f"127.0.0.1:{settings.postgres_port}, data base nocust")
    else:
        table.add_row("PostgreSQL", "HUB_DATABASE_URL")
    table.add_row("Contract", checksum_address(settings.contract_address))
    table.add_row("LQD", checksum_address(settings.sla_token_address))
    table.add_row("Data", str(stack.folder.root))
    table.add_row("Logs", str(stack.folder.logs))
    return Panel(
        table,
        title=f"NOCUST operator, ready after {elapsed_s:.1f} s",
        subtitle="Ctrl-C stops everything",
        expand=False,
        border_style="green",
    )
