import json
import pickle
from datetime import timedelta
from pathlib import Path

import pytest
from eth_account import Account

from contracts.development import DEVELOPMENT_MNEMONIC
from protocol.address import parse_address
from protocol.public_accounts import PUBLIC_ACCOUNTS
from setting_types import Secret
from settings import DEVELOPMENT_OWNER_KEY, Settings, SettingsError

OTHER_KEY = "4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"
OTHER_ADDRESS = "0x2c7536E3605D9C16a7a3D7b1898e529396a65c23"
PASSWORD = "a pass word of many letters"
PRODUCTION = {
    "RUNNING_IN_PRODUCTION": "true",
    "HUB_DATABASE_URL": "postgresql://hub:s3cret-words@db/hub",
    "HUB_ETHEREUM_NODE_URL": "https://node.example/v3/provider-key",
    "HUB_LQD_CONTRACT_ADDRESS": "0x9561C133DD8580860B6b7E504bC5Aa500f0f06a7",
    "SLA_TOKEN_ADDRESS": "e982e462b094850f12af94d21d470e21be9d0e9c",
    "HUB_OWNER_ACCOUNT_ADDRESS": OTHER_ADDRESS,
    "HUB_OWNER_ACCOUNT_KEY": OTHER_KEY,
    "TOS_URL": "https://terms.example/terms.json",
}


def problems(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as raised:
        Settings.from_env(environment)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("HUB_LQD_CONTRACT_CONFIRMATIONS", "0"),
        ("HUB_LQD_CONTRACT_CONFIRMATIONS", "three"),
        ("HUB_TX_MAX_IN_FLIGHT", "1.5"),
        ("HUB_GAS_BUMP_PERCENT", "9"),
        ("HUB_GAS_MAX_FEE_GWEI", "NaN"),
        ("HUB_TX_DAILY_BUDGET_ETH", "-1"),
        ("HUB_SYNC_POLL_SECONDS", "0"),
        ("HUB_API_PORT", "65536"),
        ("SWAPS_ENABLED", "maybe"),
        ("SLA_THRESHOLD", "-1"),
        ("SLA_THRESHOLD", "١"),
        ("HUB_OVERCLAIM_POLICY", "ignore"),
        ("HUB_RETENTION_DAYS", "0"),
        ("TOS_URL", "ftp://terms.example"),
        ("HUB_DATABASE_URL", "mysql://u:p@h/d"),
        ("HUB_LQD_CONTRACT_ADDRESS", "0x9561C133DD8580860B6b7E504bC5Aa500f0f06A7"),
        ("HUB_OWNER_ACCOUNT_KEY", "0" * 64),
        ("HUB_OWNER_ACCOUNT_KEY", OTHER_KEY[:-1]),
        ("HUB_CHECKPOINT_THRESHOLD_BLOCKS", "7"),
        ("HUB_CHECKPOINT_THRESHOLD_BLOCKS", "2"),
        ("HUB_CRASH_AT", "ended nothing that exists"),
    ],
)
def test_a_malformed_value_is_refused_by_name_and_never_shown(name: str, text: str) -> None:
    message = problems({name: text})
    assert name in message
    assert len(text) < 8 or text not in message


def test_no_process_ends_itself_in_production() -> None:
    point = {"HUB_CRASH_AT": "ended broadcast, ended watch"}
    assert Settings.from_env(point).crash_at == ("ended broadcast", "ended watch")
    assert "HUB_CRASH_AT" in problems(PRODUCTION | point)


def test_all_problems_are_reported_at_once() -> None:
    message = problems({"HUB_API_PORT": "x", "SWAPS_ENABLED": "x", "SLA_PRICE": "0"})
    assert all(name in message for name in ("HUB_API_PORT", "SWAPS_ENABLED", "SLA_PRICE"))


@pytest.mark.parametrize("name", sorted(set(PRODUCTION) - {"RUNNING_IN_PRODUCTION"}))
@pytest.mark.parametrize("absent", [None, "", "  "])
def test_production_stops_without_a_required_variable(name: str, absent: str | None) -> None:
    environment = {k: v for k, v in PRODUCTION.items() if k != name}
    if absent is not None:
        environment[name] = absent
    assert name in problems(environment)


def test_a_production_process_that_does_not_sign_needs_no_key() -> None:
    environment = {k: v for k, v in PRODUCTION.items() if k != "HUB_OWNER_ACCOUNT_KEY"}
    settings = Settings.from_env(environment, signs=False)
    with pytest.raises(SettingsError, match="HUB_OWNER_ACCOUNT_KEY"):
        settings.require_owner_key()


def test_the_public_development_account_is_refused_outside_development() -> None:
    public = {
        "HUB_OWNER_ACCOUNT_ADDRESS": "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1",
        "HUB_OWNER_ACCOUNT_KEY": DEVELOPMENT_OWNER_KEY,
    }
    assert "HUB_OWNER_ACCOUNT_ADDRESS" in problems({**PRODUCTION, **public})
    assert "HUB_OWNER_ACCOUNT_ADDRESS" in problems({"HUB_ETHEREUM_CHAIN_ID": "1"})
    assert Settings.from_env({"HUB_ETHEREUM_CHAIN_ID": "1337"}).owner_key_is_public


def test_a_key_of_another_account_is_refused() -> None:
    assert "HUB_OWNER_ACCOUNT_KEY" in problems({"HUB_OWNER_ACCOUNT_KEY": OTHER_KEY})
    assert "HUB_OWNER_ACCOUNT_KEY" in problems({"HUB_OWNER_ACCOUNT_ADDRESS": OTHER_ADDRESS})


def test_the_key_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    environment = {k: v for k, v in PRODUCTION.items() if k != "HUB_OWNER_ACCOUNT_KEY"}
    environment["HUB_OWNER_ACCOUNT_KEY_FILE"] = str(file)
    assert "HUB_OWNER_ACCOUNT_KEY_FILE" in problems(environment)
    file.write_text("0x" + OTHER_KEY.upper() + "\n")
    assert Settings.from_env(environment).require_owner_key().hex() == OTHER_KEY


def without_key(**added: str) -> dict[str, str]:
    kept = {name: text for name, text in PRODUCTION.items() if name != "HUB_OWNER_ACCOUNT_KEY"}
    return kept | added


@pytest.fixture(scope="module")
def keystore(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A keystore of the owner's key; few rounds, as only its opening is of interest."""
    file = tmp_path_factory.mktemp("keys") / "owner.json"
    file.write_text(json.dumps(Account.encrypt(OTHER_KEY, PASSWORD, kdf="pbkdf2", iterations=10)))
    return str(file)


def test_the_key_may_come_from_an_encrypted_keystore(keystore: str, tmp_path: Path) -> None:
    named = without_key(HUB_OWNER_KEYSTORE_FILE=keystore)
    settings = Settings.from_env(named | {"HUB_OWNER_KEYSTORE_PASSWORD": PASSWORD})
    assert settings.require_owner_key().hex() == OTHER_KEY
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    settings = Settings.from_env(named | {"HUB_OWNER_KEYSTORE_PASSWORD_FILE": str(file)})
    assert settings.require_owner_key().hex() == OTHER_KEY
    known = [secret.reveal() for secret in settings.secrets()]
    assert OTHER_KEY in known and PASSWORD in known
    assert OTHER_KEY not in repr(settings) and PASSWORD not in repr(settings)


def test_a_keystore_that_does_not_open_is_named_without_any_secret(
    keystore: str, tmp_path: Path
) -> None:
    named = without_key(HUB_OWNER_KEYSTORE_FILE=keystore)
    wrong = problems(named | {"HUB_OWNER_KEYSTORE_PASSWORD": "another pass word"})
    assert "HUB_OWNER_KEYSTORE_PASSWORD does not open" in wrong and "another" not in wrong
    assert "HUB_OWNER_KEYSTORE_PASSWORD" in problems(named)
    both = {"HUB_OWNER_KEYSTORE_PASSWORD": PASSWORD, "HUB_OWNER_KEYSTORE_PASSWORD_FILE": keystore}
    assert "needs one of" in problems(named | both)
    broken = tmp_path / "broken.json"
    for text in ("", "{}", "[1]", '{"crypto": 7, "version": 3}', "\x00"):
        broken.write_text(text)
        named = without_key(HUB_OWNER_KEYSTORE_FILE=str(broken))
        assert "no keystore" in problems(named | {"HUB_OWNER_KEYSTORE_PASSWORD": PASSWORD})
    absent = without_key(HUB_OWNER_KEYSTORE_FILE=str(tmp_path / "absent"))
    assert "readable" in problems(absent | {"HUB_OWNER_KEYSTORE_PASSWORD": PASSWORD})


def test_a_keystore_of_another_account_is_refused(keystore: str) -> None:
    named = without_key(HUB_OWNER_KEYSTORE_FILE=keystore, HUB_OWNER_KEYSTORE_PASSWORD=PASSWORD)
    named["HUB_OWNER_ACCOUNT_ADDRESS"] = "0x" + "ab" * 20
    assert "HUB_OWNER_KEYSTORE_FILE must hold the key of" in problems(named)


def test_a_process_that_does_not_sign_opens_no_keystore(tmp_path: Path) -> None:
    named = without_key(HUB_OWNER_KEYSTORE_FILE=str(tmp_path / "of another machine"))
    assert Settings.from_env(named, signs=False).owner_key is None


def test_with_a_remote_signer_no_process_holds_the_key() -> None:
    settings = Settings.from_env(without_key(HUB_REMOTE_SIGNER_URL="http://u:pw-of-it@signer:9000"))
    with pytest.raises(SettingsError, match="HUB_OWNER_ACCOUNT_KEY"):
        settings.require_owner_key()
    assert settings.remote_signer_timeout == timedelta(seconds=2)
    assert "pw-of-it" not in repr(settings)


def test_the_key_has_one_place_only(keystore: str) -> None:
    message = problems(
        PRODUCTION | {"HUB_OWNER_KEYSTORE_FILE": keystore, "HUB_REMOTE_SIGNER_URL": "http://s:9000"}
    )
    assert "HUB_OWNER_ACCOUNT_KEY and HUB_OWNER_KEYSTORE_FILE and HUB_REMOTE_SIGNER_URL" in message


@pytest.mark.parametrize("account", sorted(account.hex() for account in PUBLIC_ACCOUNTS))
def test_no_account_whose_key_everybody_knows_works_on_a_real_chain(account: str) -> None:
    assert "everybody knows" in problems(PRODUCTION | {"HUB_OWNER_ACCOUNT_ADDRESS": account})
    message = problems({"HUB_ETHEREUM_CHAIN_ID": "1", "SLA_RECIPIENT_ADDRESS": account})
    assert "SLA_RECIPIENT_ADDRESS must not be an account whose key everybody knows" in message


def test_the_known_accounts_are_those_of_the_development_mnemonics() -> None:
    Account.enable_unaudited_hdwallet_features()
    junk = "test " * 11 + "junk"
    derived = {
        Account.from_mnemonic(words, account_path=f"m/44'/60'/0'/0/{index}").address
        for words in (DEVELOPMENT_MNEMONIC, junk)
        for index in range(10)
    }
    assert {parse_address(account) for account in derived} == PUBLIC_ACCOUNTS


def test_values_get_their_real_types_and_units() -> None:
    settings = Settings.from_env(
        {
            "HUB_GAS_MIN_TIP_GWEI": "1.5",
            "HUB_TX_DAILY_BUDGET_ETH": "0.25",
            "HUB_BLOCK_FETCH_TIMEOUT": "2.5",
            "TOS_UPDATE_WINDOW_DAYS": "3",
            "CORS_ORIGIN_WHITELIST": "http://a, http://b,",
            "HUB_LQD_CONTRACT_CONFIRMATIONS": "20",
            "SWAPS_ENABLED": "On",
        }
    )
    assert settings.gas_min_tip_wei == 1_500_000_000
    assert settings.tx_daily_budget_wei == 25 * 10**16
    assert settings.block_fetch_timeout == timedelta(seconds=2.5)
    assert settings.tos_update_window == timedelta(days=3)
    assert settings.allowed_origins == ("http://a", "http://b")
    assert settings.checkpoint_threshold_blocks == 40
    assert settings.swaps_enabled is True


def test_the_database_url_names_the_driver_and_keeps_older_variables_working() -> None:
    url = Settings.from_env(PRODUCTION).require_database_url()
    assert url == "postgresql+psycopg2://hub:s3cret-words@db/hub"
    older = {"POSTGRES_SERVER_HOST": "db", "POSTGRES_SERVER_PASSWORD": "p@ss/word"}
    url = Settings.from_env(older).require_database_url()
    assert url == "postgresql+psycopg2://liquidity:p%40ss%2Fword@db:5432/liquidity"
    assert "POSTGRES_SERVER_PASSWORD" in problems({"POSTGRES_SERVER_HOST": "db"})


def test_fallback_nodes_need_their_chain_named_and_are_secret() -> None:
    urls = "https://one.example/key-1, https://two.example/key-2"
    names = {"HUB_ETHEREUM_FALLBACK_NODE_URLS": urls}
    with pytest.raises(SettingsError, match="HUB_ETHEREUM_CHAIN_ID is not set"):
        Settings.from_env(names)
    settings = Settings.from_env(names | {"HUB_ETHEREUM_CHAIN_ID": "1337"})
    assert [one.reveal() for one in settings.fallback_node_urls] == urls.split(", ")
    assert set(settings.fallback_node_urls) <= set(settings.secrets())
    assert "key-1" not in repr(settings)


def test_secrets_never_show_in_texts_or_pickles() -> None:
    settings = Settings.from_env(PRODUCTION)
    shown = repr(settings) + str(settings) + f"{settings.owner_key}"
    for secret in (OTHER_KEY, "s3cret-words", "provider-key"):
        assert secret not in shown
    with pytest.raises(TypeError):
        pickle.dumps(settings.owner_key)


def test_variables_without_effect_are_named_for_a_warning() -> None:
    settings = Settings.from_env({"DISABLE_REGISTRATION_THROTTLE": "true", "CACHE_REDIS_HOST": ""})
    assert settings.superseded == ("DISABLE_REGISTRATION_THROTTLE",)


def test_temporal_settings_reach_the_sdk() -> None:
    config = Settings.from_env(
        {"TEMPORAL_ADDRESS": "t.example:7233", "TEMPORAL_API_KEY": "key-of-temporal"}
    )
    connect = config.temporal_connect()
    assert connect["target_host"] == "t.example:7233"
    assert connect["namespace"] == "nocust"
    assert connect["api_key"] == "key-of-temporal"
    assert "key-of-temporal" not in repr(config)
    assert Secret("key-of-temporal").reveal() in [s.reveal() for s in config.secrets()]


def test_commands_find_the_embedded_temporal_on_the_port_that_it_was_given() -> None:
    connect = Settings.from_env({"HUB_TEMPORAL_PORT": "17233"}).temporal_connect()
    assert connect["target_host"] == "localhost:17233"
    named = {"HUB_TEMPORAL_PORT": "17233", "TEMPORAL_ADDRESS": "t.example:7233"}
    assert Settings.from_env(named).temporal_connect()["target_host"] == "t.example:7233"


def test_no_other_module_reads_the_environment() -> None:
    root = Path(__file__).parents[2]
    readers = set()
    for path in root.rglob("*.py"):
        relative = path.relative_to(root)
        if relative.parts[0] in {"tests", "node_modules", "build"} or ".venv" in relative.parts:
            continue
        text = path.read_text()
        if "os.environ" in text or "os.getenv" in text:
            readers.add(str(relative))
    assert readers == {"settings.py"}


def test_mail_needs_a_server_a_sender_and_recipients() -> None:
    full = {
        "EMAIL_HOST": "mail.example",
        "EMAIL_APP_ADDRESS": "hub@example.org",
        "HUB_ALARM_RECIPIENTS": "one@example.org, two@example.org",
    }
    settings = Settings.from_env(full | {"EMAIL_HOST_PASSWORD": "s3cret-words"})
    assert settings.alarm_recipients == ("one@example.org", "two@example.org")
    assert settings.email_use_tls and settings.email_port == 587
    assert "s3cret-words" not in repr(settings)
    for name in full:
        assert name in problems({other: text for other, text in full.items() if other != name})
    for wrong in ("nobody", "a b@example.org", "x@", "<a@b>", "a@b\nBcc: c@d"):
        assert "EMAIL_APP_ADDRESS" in problems(full | {"EMAIL_APP_ADDRESS": wrong})
