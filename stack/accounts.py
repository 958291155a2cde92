"""Running a program as somebody else: PostgreSQL refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from stack.errors import UnusableFolder
from stack.process import Account

PREFERRED_ACCOUNTS = ("postgres", "nobody")
SYSTEM_FOLDER = Path("/var/lib/nocust-operator")


def unprivileged_account(folder: Path) -> Account | None:
    """The account for the data in `folder`, None when we are not root and it is our own.

    Existing data keeps the account that owns it.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and folder.stat().st_uid != 0:
        owner = folder.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise UnusableFolder("PostgreSQL must not run as root and there is no account 'nobody'")


def can_traverse(account: Account, path: Path) -> bool:
    """Whether `account` can reach `path` through all of its parents, tested as that account."""
    nearest = path
    while not nearest.exists():
        nearest = nearest.parent
    probe = subprocess.run(
        ["/bin/sh", "-c", 'cd "$0" 2>/dev/null || test -r "$0"', str(nearest)],
        user=account.uid,
        group=account.gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return probe.returncode == 0


def reachable_folder(account: Account | None, wanted: Path, label: str) -> Path:
    """`wanted`, or a place of ours outside of it if `account` cannot get there.

    A checkout in root's home (mode 0700) is out of reach for any other account. Raises
    `UnusableFolder` when there is no such place either.
    """
    if account is None or can_traverse(account, wanted):
        return wanted
    place = SYSTEM_FOLDER / label
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    except OSError as error:
        raise UnusableFolder(
            f"PostgreSQL runs as an unprivileged account that cannot reach {wanted}, and "
            f"{SYSTEM_FOLDER} cannot be created; set HUB_DATA_DIR to a folder open to others"
        ) from error
    return place


def reachable_copy(account: Account | None, sources: list[Path], label: str) -> Path:
    """The folder that holds `sources`, or one with copies of them that `account` can read.

    The sources are siblings; their programs find each other's libraries by relative paths.
    """
    here = sources[0].parent
    place = reachable_folder(account, here, label)
    if place != here and not place.exists():
        unfinished = place.with_name(f"{place.name}.{os.getpid()}")
        for source in sources:
            shutil.copytree(source, unfinished / source.name, symlinks=True)
        try:
            unfinished.rename(place)
        except OSError:
            # Another start finished the same copy first.
            shutil.rmtree(unfinished)
    return place
