"""The configuration: the only reader of the environment.

Every value is parsed once, at start, to its real type. All problems are reported together, each
by the name of its variable and the form that is expected, never by the value: it may be a secret.
An empty variable counts as unset.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from crash_points import ALL, NAMES
from key_settings import complete_owner_key
from protocol.address import Address
from protocol.public_accounts import PUBLIC_ACCOUNTS
from setting_types import (
    SUPERSEDED_NAMES,
    Network,
    Secret,
    SettingsError,
    address,
    boolean,
    database_url,
    days,
    integer,
    mail_address,
    mail_addresses,
    networks,
    one_of,
    private_key,
    scaled,
    seconds,
    secret_url,
    secret_urls,
    url,
    words,
    words_of,
)

if TYPE_CHECKING:
    from temporalio.envconfig import ClientConnectConfig

ROOT = Path(__file__).resolve().parent
GWEI = 10**9
ETHER = 10**18

DEVELOPMENT_OWNER_KEY = "4f3edf983ac636a65a842ce7c78d9aa706d3b113bce9c46f30d7d21715b23b1d"
DEVELOPMENT_OWNER_ADDRESS = "0x90F8bf6A479f320ead074411a4B0e7944Ea8c9C1"
DEVELOPMENT_CONTRACT_ADDRESS = "0x9561C133DD8580860B6b7E504bC5Aa500f0f06a7"
DEVELOPMENT_TOKEN_ADDRESS = "0xe982E462b094850F12AF94d21D470e21bE9D0E9C"

DEVELOPMENT_ENVIRONMENT = {"SWAPS_ENABLED": "true", "CORS_ORIGIN_ALLOW_ALL": "true"}


def _variable(
    name: str,
    parse: Callable[[str], Any],
    default: Any = MISSING,
    *,
    development: str | None = None,
) -> Any:
    """A field read from `name`: without `default` it is required, in development maybe preset."""
    return field(metadata={"name": name, "parse": parse, "default": default, "dev": development})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings. Ports are TCP ports, `_wei` amounts are wei, durations are `timedelta`."""

    production: bool = _variable("RUNNING_IN_PRODUCTION", boolean, default=False)
    server_name: str = _variable("SERVER_NAME", str, "nocust-operator")
    data_dir: Path = _variable("HUB_DATA_DIR", Path, ROOT / ".data")

    database_url: Secret | None = _variable("HUB_DATABASE_URL", database_url, None)
    postgres_host: str | None = _variable("POSTGRES_SERVER_HOST", str, None)
    postgres_server_port: int = _variable("POSTGRES_SERVER_PORT", integer(1, 65535), 5432)
    postgres_password: Secret | None = _variable("POSTGRES_SERVER_PASSWORD", Secret, None)
    database_pool_size: int = _variable("HUB_DATABASE_POOL_SIZE", integer(2, 200), 16)

    # The SDK reads the other TEMPORAL_* variables (TLS, API key, profile) in `temporal_connect`.
    temporal_address: str | None = _variable("TEMPORAL_ADDRESS", str, None)
    temporal_namespace: str = _variable("TEMPORAL_NAMESPACE", str, "nocust")

    node_url: Secret | None = _variable("HUB_ETHEREUM_NODE_URL", secret_url("http", "https"), None)
    fallback_node_urls: tuple[Secret, ...] = _variable(
        "HUB_ETHEREUM_FALLBACK_NODE_URLS", secret_urls("http", "https"), ()
    )
    chain_id: int | None = _variable("HUB_ETHEREUM_CHAIN_ID", integer(1), None)
    node_is_poa: bool = _variable("HUB_ETHEREUM_NETWORK_IS_POA", boolean, default=False)
    block_fetch_timeout: timedelta = _variable(
        "HUB_BLOCK_FETCH_TIMEOUT", seconds, timedelta(seconds=10)
    )
    contract_address: Address = _variable(
        "HUB_LQD_CONTRACT_ADDRESS", address, development=DEVELOPMENT_CONTRACT_ADDRESS
    )
    accept_published_contract: bool = _variable(
        "HUB_ACCEPT_PUBLISHED_CONTRACT", boolean, default=False
    )
    confirmations: int = _variable("HUB_LQD_CONTRACT_CONFIRMATIONS", integer(1, 10_000), 3)
    checkpoint_threshold_blocks: int = _variable(
        "HUB_CHECKPOINT_THRESHOLD_BLOCKS", integer(1, 20_000), None
    )
    overclaim_policy: str = _variable(
        "HUB_OVERCLAIM_POLICY", one_of("submit_late", "hold"), "submit_late"
    )
    checkpoint_proof_sample: int = _variable("HUB_CHECKPOINT_PROOF_SAMPLE", integer(1, 1000), 20)
    sync_poll: timedelta = _variable("HUB_SYNC_POLL_SECONDS", seconds, None)
    sync_batch_blocks: int = _variable("HUB_SYNC_BATCH_BLOCKS", integer(1, 10_000), 64)

    owner_address: Address = _variable(
        "HUB_OWNER_ACCOUNT_ADDRESS", address, development=DEVELOPMENT_OWNER_ADDRESS
    )
    owner_key: Secret | None = _variable("HUB_OWNER_ACCOUNT_KEY", private_key, None)
    owner_key_file: Path | None = _variable("HUB_OWNER_ACCOUNT_KEY_FILE", Path, None)
    owner_keystore_file: Path | None = _variable("HUB_OWNER_KEYSTORE_FILE", Path, None)
    owner_keystore_password: Secret | None = _variable("HUB_OWNER_KEYSTORE_PASSWORD", Secret, None)
    owner_keystore_password_file: Path | None = _variable(
        "HUB_OWNER_KEYSTORE_PASSWORD_FILE", Path, None
    )
    remote_signer_url: Secret | None = _variable(
        "HUB_REMOTE_SIGNER_URL", secret_url("http", "https"), None
    )
    remote_signer_timeout: timedelta = _variable(
        "HUB_REMOTE_SIGNER_TIMEOUT", seconds, timedelta(seconds=2)
    )
    owner_balance_threshold_wei: int = _variable("OWNER_BALANCE_THRESHOLD", integer(0), ETHER)

    gas_max_fee_wei: int = _variable("HUB_GAS_MAX_FEE_GWEI", scaled(GWEI, "gwei"), 300 * GWEI)
    gas_max_fee_critical_wei: int = _variable(
        "HUB_GAS_MAX_FEE_CRITICAL_GWEI", scaled(GWEI, "gwei"), 1000 * GWEI
    )
    gas_min_tip_wei: int = _variable("HUB_GAS_MIN_TIP_GWEI", scaled(GWEI, "gwei"), GWEI)
    gas_bump_percent: int = _variable("HUB_GAS_BUMP_PERCENT", integer(10, 1000), 15)
    gas_bump_after_blocks: int = _variable("HUB_GAS_BUMP_AFTER_BLOCKS", integer(1), 10)
    tx_max_in_flight: int = _variable("HUB_TX_MAX_IN_FLIGHT", integer(5, 1000), 16)
    tx_daily_budget_wei: int = _variable("HUB_TX_DAILY_BUDGET_ETH", scaled(ETHER, "ether"), 0)

    sla_token_address: Address = _variable(
        "SLA_TOKEN_ADDRESS", address, development=DEVELOPMENT_TOKEN_ADDRESS
    )
    sla_recipient_address: Address = _variable("SLA_RECIPIENT_ADDRESS", address, None)
    sla_recipient_key: Secret | None = _variable("SLA_RECIPIENT_KEY", private_key, None)
    sla_threshold: int = _variable("SLA_THRESHOLD", integer(0), 100)
    sla_price: int = _variable("SLA_PRICE", integer(1, 2**256 - 1), 10**18)
    sla_duration_days: int = _variable("HUB_SLA_DURATION_DAYS", integer(1, 3650), 30)

    swaps_enabled: bool = _variable("SWAPS_ENABLED", boolean, default=False)
    swaps_persistence_limit_eons: int = _variable("SWAPS_PERSISTENCE_LIMIT", integer(1, 1000), 20)
    bulk_admission_limit: int = _variable("BULK_ADMISSION_LIMIT", integer(1, 1000), 20)
    registrations_per_address: int = _variable("HUB_REGISTRATIONS_PER_ADDRESS", integer(1), 1_000)
    registrations_per_eon: int = _variable("HUB_REGISTRATIONS_PER_EON", integer(1), 100_000)

    tos_url: str = _variable(
        "TOS_URL",
        url("http", "https", "file"),
        development=(ROOT / "deploy" / "development-terms" / "terms.json").as_uri(),
    )
    tos_update_window: timedelta = _variable("TOS_UPDATE_WINDOW_DAYS", days, timedelta(days=7))
    notification_hook_url: Secret | None = _variable(
        "NOTIFICATION_HOOK_URL", secret_url("http", "https"), None
    )
    email_host: str | None = _variable("EMAIL_HOST", str, None)
    email_port: int = _variable("EMAIL_PORT", integer(1, 65535), 587)
    email_user: str | None = _variable("EMAIL_HOST_USER", str, None)
    email_password: Secret | None = _variable("EMAIL_HOST_PASSWORD", Secret, None)
    email_sender: str | None = _variable("EMAIL_APP_ADDRESS", mail_address, None)
    email_use_tls: bool = _variable("EMAIL_USE_TLS", boolean, default=True)
    alarm_recipients: tuple[str, ...] = _variable("HUB_ALARM_RECIPIENTS", mail_addresses, ())
    transaction_hook_url: Secret | None = _variable(
        "TRANSACTION_HOOK_URL", secret_url("http", "https"), None
    )
    transaction_hook_key: Secret | None = _variable("HUB_TRANSACTION_HOOK_KEY", Secret, None)

    api_host: str = _variable("HUB_API_HOST", str, "127.0.0.1")
    api_port: int = _variable("HUB_API_PORT", integer(1, 65535), 8123)
    api_processes: int = _variable("HUB_API_PROCESSES", integer(1, 64), 2)
    allowed_hosts: tuple[str, ...] = _variable(
        "ALLOWED_HOSTS", words, ("localhost", "127.0.0.1", "[::1]")
    )
    trusted_proxies: tuple[Network, ...] = _variable(
        "HUB_TRUSTED_PROXIES", networks, networks("127.0.0.0/8,::1")
    )
    caller_header: str = _variable(
        "HUB_CALLER_HEADER",
        one_of("x-forwarded-for", "cf-connecting-ip", "x-real-ip"),
        "x-forwarded-for",
    )
    peer_rate: int = _variable("HUB_PEER_RATE", integer(0), 200)
    wallet_rate: int = _variable("HUB_WALLET_RATE", integer(0), 50)
    registration_rate: int = _variable("HUB_REGISTRATION_RATE", integer(0), 20)
    metrics_networks: tuple[Network, ...] = _variable(
        "HUB_METRICS_NETWORKS",
        networks,
        networks("127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16"),
    )
    worker_metrics_host: str = _variable("HUB_WORKER_METRICS_HOST", str, "127.0.0.1")
    worker_metrics_port: int | None = _variable("HUB_WORKER_METRICS_PORT", integer(1, 65534), None)
    allowed_origins: tuple[str, ...] = _variable(
        "CORS_ORIGIN_WHITELIST", words, ("http://localhost:3000", "http://localhost:4200")
    )
    all_origins_allowed: bool = _variable("CORS_ORIGIN_ALLOW_ALL", boolean, default=False)
    matching_addresses: tuple[str, ...] = _variable("MATCHING_IP_WHITELIST", words, ("127.0.0.1",))
    admin_token: Secret | None = _variable("HUB_ADMIN_TOKEN", Secret, None)
    profiling: bool = _variable("ENABLE_PROFILING", boolean, default=False)
    profiled_requests: int = _variable("SILKY_MAX_RECORDED_REQUESTS", integer(1, 100_000), 1000)
    profiled_percent: int = _variable("SILKY_INTERCEPT_PERCENT", integer(0, 100), 50)

    retention: timedelta = _variable("HUB_RETENTION_DAYS", days, timedelta(days=30))
    log_format: str = _variable("HUB_LOG_FORMAT", one_of("console", "json"), None)
    log_level: str = _variable("HUB_LOG_LEVEL", one_of("debug", "info", "warning", "error"), "info")

    # For tests of what a kill leaves behind: the moments at which a process ends itself.
    crash_at: tuple[str, ...] = _variable("HUB_CRASH_AT", words_of(NAMES | {ALL}), ())

    # The embedded stack of development; each port is that of a part we start ourselves.
    postgres_port: int = _variable("HUB_POSTGRES_PORT", integer(1, 65535), 15432)
    temporal_port: int = _variable("HUB_TEMPORAL_PORT", integer(1, 65535), 7233)
    temporal_ui_port: int = _variable("HUB_TEMPORAL_UI_PORT", integer(1, 65535), 8233)
    node_port: int = _variable("HUB_NODE_PORT", integer(1, 65535), 8545)
    blocks_per_eon: int = _variable("HUB_BLOCKS_PER_EON", integer(36, 100_000), 60)
    block_time_s: int = _variable("BLOCK_TIME", integer(1, 3600), 2)

    superseded: tuple[str, ...] = ()
    given: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, *, signs: bool = True) -> Self:
        """Read every setting from `environ`; a process that does not sign (`signs`) needs no key.

        Raises `SettingsError` with all problems at once. In production (`RUNNING_IN_PRODUCTION`)
        nothing falls back to a development value.
        """
        given = {name: text.strip() for name, text in environ.items() if text.strip()}
        problems: list[str] = []
        values = _parse_all(given, problems)
        if not problems:
            problems = _complete(values, signs)
        if problems:
            raise SettingsError(problems)
        return cls(
            **values,
            superseded=tuple(name for name in SUPERSEDED_NAMES if name in given),
            given=frozenset(given),
            environment={k: v for k, v in given.items() if k.startswith("TEMPORAL_")},
        )

    @classmethod
    def development(cls, **overrides: Any) -> Self:
        """The development chain's defaults, whatever the environment holds, with `overrides`."""
        return replace(cls.from_env(DEVELOPMENT_ENVIRONMENT), **overrides)

    @classmethod
    def environment_names(cls) -> frozenset[str]:
        """Every variable that is read, those of the Temporal SDK aside."""
        return frozenset(f.metadata["name"] for f in fields(cls) if "name" in f.metadata)

    @property
    def owner_key_is_public(self) -> bool:
        """Whether the operator's account is one whose key everybody knows."""
        return self.owner_address in PUBLIC_ACCOUNTS

    def secrets(self) -> tuple[Secret, ...]:
        """Everything that must not appear in a log, for the redaction."""
        named = (getattr(self, item.name) for item in fields(self))
        api_key = self.environment.get("TEMPORAL_API_KEY")
        found = tuple(value for value in named if isinstance(value, Secret))
        found += self.fallback_node_urls
        return found + ((Secret(api_key),) if api_key else ())

    @property
    def crash_folder(self) -> Path:
        """Where processes leave word of the moments at which they ended themselves."""
        return self.data_dir / "crashes"

    def require_database_url(self) -> str:
        """The URL of PostgreSQL with its password; raises `SettingsError` when none is set."""
        return _required(self.database_url, "HUB_DATABASE_URL")

    def require_node_url(self) -> str:
        """The JSON-RPC end point; raises `SettingsError` when none is set."""
        return _required(self.node_url, "HUB_ETHEREUM_NODE_URL")

    def require_owner_key(self) -> bytes:
        """The operator's 32-byte key; raises `SettingsError` in a process that holds none."""
        return bytes.fromhex(_required(self.owner_key, "HUB_OWNER_ACCOUNT_KEY"))

    def temporal_connect(self) -> "ClientConnectConfig":
        """What `temporalio.client.Client.connect` takes, TLS and API key included."""
        from temporalio.envconfig import ClientConfig

        config = ClientConfig.load_client_connect_config(override_env_vars=dict(self.environment))
        config.setdefault("target_host", self.temporal_address or f"localhost:{self.temporal_port}")
        config["namespace"] = self.temporal_namespace
        return config


def inherited_environment(**added: str) -> dict[str, str]:
    """The environment for a child process: ours, unread, with `added` over it."""
    return {**os.environ, **added}


def publish_environment(**names: str) -> None:
    """Set variables of this process that a library reads itself."""
    os.environ.update(names)


def _required(secret: Secret | None, name: str) -> str:
    if secret is None:
        raise SettingsError([f"{name} is not set"])
    return secret.reveal()


def _parse_all(given: Mapping[str, str], problems: list[str]) -> dict[str, Any]:
    """Values by field; what is absent takes its default, what is malformed adds a problem."""
    production = given.get("RUNNING_IN_PRODUCTION", "").lower() in {"true", "1", "yes", "on"}
    values: dict[str, Any] = {}
    for item in fields(Settings):
        if "name" not in item.metadata:
            continue
        name, default = item.metadata["name"], item.metadata["default"]
        text = given.get(name) or (None if production else item.metadata["dev"])
        if text is None:
            values[item.name] = default
            if default is MISSING:
                problems.append(f"{name} is not set")
            continue
        try:
            values[item.name] = item.metadata["parse"](text)
        except ValueError as error:
            problems.append(f"{name} must be {error}")
    return values


def _complete(values: dict[str, Any], signs: bool) -> list[str]:
    """Fill in what depends on other settings, in place; returns the rules that are broken."""
    production, depth = values["production"], values["confirmations"]
    values["checkpoint_threshold_blocks"] = values["checkpoint_threshold_blocks"] or 2 * depth
    values["sla_recipient_address"] = values["sla_recipient_address"] or values["owner_address"]
    values["log_format"] = values["log_format"] or ("json" if production else "console")
    values["sync_poll"] = values["sync_poll"] or timedelta(seconds=10 if production else 1)
    development = address(DEVELOPMENT_OWNER_ADDRESS), DEVELOPMENT_OWNER_KEY
    problems = complete_owner_key(values, signs=signs, development=development)
    problems += _complete_database(values)
    if production and values["node_url"] is None:
        problems.append("HUB_ETHEREUM_NODE_URL is not set")
    if values["fallback_node_urls"] and values["chain_id"] is None:
        problems.append("HUB_ETHEREUM_CHAIN_ID is not set, as fallback nodes need")
    if not depth <= values["checkpoint_threshold_blocks"] <= 2 * depth:
        problems.append("HUB_CHECKPOINT_THRESHOLD_BLOCKS must lie between C and 2C confirmations")
    if values["gas_max_fee_critical_wei"] < values["gas_max_fee_wei"]:
        problems.append("HUB_GAS_MAX_FEE_CRITICAL_GWEI must not be below HUB_GAS_MAX_FEE_GWEI")
    mail = {
        "EMAIL_HOST": values["email_host"],
        "EMAIL_APP_ADDRESS": values["email_sender"],
        "HUB_ALARM_RECIPIENTS": values["alarm_recipients"],
    }
    if any(mail.values()):
        problems += [f"{name} is not set, as mail needs" for name, it in mail.items() if not it]
    if production and values["profiling"] and values["admin_token"] is None:
        problems.append("ENABLE_PROFILING needs HUB_ADMIN_TOKEN in production")
    if values["retention"] < timedelta(days=1):
        problems.append("HUB_RETENTION_DAYS must be at least 1")
    if production and values["crash_at"]:
        problems.append("HUB_CRASH_AT must not be set in production")
    if values["sla_token_address"] == values["contract_address"]:
        problems.append("SLA_TOKEN_ADDRESS must differ from HUB_LQD_CONTRACT_ADDRESS")
    return problems


def _complete_database(values: dict[str, Any]) -> list[str]:
    """The URL from the host and port that older deployments give, if it is not given itself."""
    if values["database_url"] is not None:
        return []
    host, password = values["postgres_host"], values["postgres_password"]
    if host is None:
        return ["HUB_DATABASE_URL is not set"] if values["production"] else []
    if password is None:
        return ["POSTGRES_SERVER_PASSWORD is not set"]
    user = f"liquidity:{quote(password.reveal(), safe='')}"
    place = f"{host}:{values['postgres_server_port']}/liquidity"
    values["database_url"] = Secret(f"postgresql+psycopg2://{user}@{place}")
    return []
