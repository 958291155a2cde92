"""What the repository promises about itself."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_lock_files_carry_names_versions_and_hashes_but_no_addresses() -> None:
    for name in ("requirements.lock", "package-lock.json"):
        text = (ROOT / name).read_text()
        assert not re.findall(r"https?://\S+\.(?:whl|tgz|tar\.gz)", text), name
        assert "--index-url" not in text and "--find-links" not in text


def test_every_locked_python_package_is_pinned_with_hashes() -> None:
    requirements = re.findall(
        r"^(\S+)==\S+.*?(?=^\S|\Z)", (ROOT / "requirements.lock").read_text(), re.M | re.S
    )
    blocks = re.split(r"^(?=[a-z0-9])", (ROOT / "requirements.lock").read_text(), flags=re.M)
    pinned = [block for block in blocks if "==" in block.split("\n", 1)[0]]
    assert len(pinned) == len(requirements) > 50
    assert all("--hash=sha256:" in block for block in pinned)
