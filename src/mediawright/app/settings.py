"""Settings: `mediawright.yaml`, overridden by environment variables."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from mediawright.core.errors import InvalidRequestError
from mediawright.jobs.context import JobSettings
from mediawright.jobs.limits import AccountLimits, CallerLimits, LimitSettings, WhenExceeded
from mediawright.jobs.membership import WorkerSettings

CONFIG_NAME = "mediawright.yaml"
LOWEST_MARKUP = Decimal(-1)
"""All that a provider bills is given away."""
HIGHEST_MARKUP = Decimal(100)
PROVIDER_ALIASES = {"dalle": "openai", "falai": "fal", "runwayml": "runway"}
"""Names that other systems use for providers of ours (rules 67 and 88)."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class ProviderSettings(_Section, frozen=True, kw_only=True):
    """One provider."""

    enabled: bool = True
    default_model: str | None = None
    default_size: str | None = None
    base_urls: dict[str, str] = {}
    """Addresses that replace the provider's own, by name."""
    limits: AccountLimits = AccountLimits()
    """What its account takes; nothing is limited unless it is set."""


class OutputSettings(_Section, frozen=True, kw_only=True):
    """Where finished files go (rule 88)."""

    save_to_disk: bool = True
    base_path: str | None = None
    """Folder of the drive; by default `files` in the data folder."""
    drive_url: str | None = None
    """An object store, such as `s3://bucket/prefix`, in place of a folder."""
    format: str | None = None


class SafetySettings(_Section, frozen=True, kw_only=True):
    """What is refused before it is sent (rule 88)."""

    block_nsfw: bool = True
    content_filter: Literal["off", "low", "moderate", "strict"] = "moderate"


class DefaultModels(_Section, frozen=True, kw_only=True):
    """The model of each verb when none is named: by default the ones that cost nothing."""

    image: str = "local-sketch-image"
    video: str = "local-sketch-video"
    music: str = "local-sketch-music"
    speech: str = "local-voice"
    transcript: str = "local-listener"


class MediaSettings(_Section, frozen=True, kw_only=True):
    """The `media` section, in the shape of rule 88."""

    default_provider: str | None = None
    providers: dict[str, ProviderSettings] = {}
    models: DefaultModels = DefaultModels()
    output: OutputSettings = OutputSettings()
    safety: SafetySettings = SafetySettings()
    catalogue: Path | None = None
    """Rows of your own: a TOML file, or a folder of them, added to those that ship.
    `mediawright catalog lint` checks them."""
    largest_upload: int = 200 * 1024**2
    """Bytes."""
    use_successors: bool = True
    """Whether a request for a model that has ended is served by its successor, where there is one
    that does the same; otherwise it is refused with the successor named."""
    end_warning_days: int = 60
    """How many days before a model's announced end its requests are warned of it."""
    files_per_upload: int = 20
    """Files that one upload may bring."""
    inspect_urls: bool = True
    """Whether files that are named by URL are fetched and looked at before a request is checked
    and priced. Otherwise their kind is told by the URL's extension, a reference video is charged
    as the longest there may be, and only a request that passed has its files fetched."""
    allowed_origins: tuple[str, ...] = ()
    """Origins in private networks that files may be fetched from, such as
    `http://10.0.0.7:8080`."""


class AccountSettings(_Section, frozen=True, kw_only=True):
    """The account of a workspace."""

    initial_credits: Decimal = Decimal(10_000)
    """What a new workspace starts with."""
    credits_per_usd: Decimal = Decimal(100)
    """How many credits a US dollar becomes, where the catalogue names no credits of its own."""
    markup: Decimal = Decimal(0)
    """What is added to such prices, as a part: 0.2 adds a fifth. A workspace may have its own."""
    quote_seconds: float = 900.0
    """Seconds for which the price of a quote is promised."""
    allow_unknown_price: bool = True
    """Whether a model whose price nobody knows may be used."""

    def __post_init__(self) -> None:
        """Refuse amounts that no price can be made of."""
        if not (self.credits_per_usd.is_finite() and self.credits_per_usd > 0):
            raise ValueError("credits_per_usd is more than zero")
        if not (self.markup.is_finite() and LOWEST_MARKUP <= self.markup <= HIGHEST_MARKUP):
            raise ValueError(f"markup is from {LOWEST_MARKUP} to {HIGHEST_MARKUP}")
        if not self.quote_seconds > 0:
            raise ValueError("quote_seconds is more than zero")


class ServerSettings(_Section, frozen=True, kw_only=True):
    """The REST server."""

    host: str = "127.0.0.1"
    port: int = 8765
    loopback_without_key: bool = False
    """Whether callers on this machine need no API key."""
    longest_wait: float = 60.0
    """Seconds that one request may wait for a generation."""
    public_url: str | None = None
    """The address under which callers know the server, where a proxy hides it; by default the
    one that each request was sent to."""
    provider_webhooks: bool = True
    """Whether providers are asked to report to `public_url`, if that is https, instead of being
    polled as often."""
    works: bool = True
    """Whether the server runs generations too; otherwise `mediawright worker` processes do."""
    heartbeat: float = 15.0
    """Seconds after which a silent event stream says that it lives."""


class SandboxSettings(_Section, frozen=True, kw_only=True):
    """Whether providers are imitated instead of called."""

    enabled: bool = False
    url: str | None = None
    """The address of a sandbox that runs elsewhere; without it one is embedded."""


class LimitsSettings(_Section, frozen=True, kw_only=True):
    """What workspaces and keys may do; their own limits, where they have any, override these."""

    workspace: CallerLimits = CallerLimits()
    key: CallerLimits = CallerLimits()
    when_exceeded: WhenExceeded = WhenExceeded.REJECT
    """`reject` answers what is over a limit with `rate_limited` (429); `queue` takes it and lets
    it wait until its workspace and key have room."""


class WebhookSettings(_Section, frozen=True, kw_only=True):
    """Events posted to endpoints of callers."""

    allowed_origins: tuple[str, ...] = ()
    """Origins in private networks that endpoints may have, such as `http://10.0.0.7:8080`."""
    schedule: tuple[float, ...] = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    """Seconds between one try and the next; after the last a delivery is given up."""
    timeout: float = 15.0
    """Seconds that an endpoint has to answer in."""
    most_endpoints: int = 20
    """Of one workspace."""
    disable_after: float = 432_000.0
    """Seconds without one success after which an endpoint is switched off when a delivery to
    it is given up."""


class TelemetrySettings(_Section, frozen=True, kw_only=True):
    """Traces and measurements for an OpenTelemetry collector (extra `otel`)."""

    otlp_endpoint: str | None = None
    """Address of the collector, such as `http://collector:4318`; the standard variable
    `OTEL_EXPORTER_OTLP_ENDPOINT` does as well. Without either nothing is sent."""
    service_name: str = "mediawright"
    texts: bool = False
    """Whether prompts are sent along."""


class Settings(_Section, frozen=True, kw_only=True):
    """Everything that can be configured."""

    data_dir: Path | None = None
    database_url: str | None = None
    """SQLite in the data folder unless given; PostgreSQL for many workers."""
    media: MediaSettings = MediaSettings()
    account: AccountSettings = AccountSettings()
    server: ServerSettings = ServerSettings()
    sandbox: SandboxSettings = SandboxSettings()
    jobs: JobSettings = JobSettings()
    workers: WorkerSettings = WorkerSettings()
    limits: LimitsSettings = LimitsSettings()
    webhooks: WebhookSettings = WebhookSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    source: Path | None = None
    """The file the settings were read from."""

    def provider(self, name: str) -> ProviderSettings:
        """Return the settings of a provider, by our name for it."""
        for written, provider in self.media.providers.items():
            if PROVIDER_ALIASES.get(written, written) == name:
                return provider
        return ProviderSettings()

    def limit_settings(self) -> LimitSettings:
        """Return every limit that generations are held to, accounts by our names for them."""
        accounts = {
            PROVIDER_ALIASES.get(written, written): provider.limits
            for written, provider in self.media.providers.items()
        }
        return LimitSettings(
            accounts=accounts,
            workspace=self.limits.workspace,
            key=self.limits.key,
            when_exceeded=self.limits.when_exceeded,
        )

    def data_folder(self) -> Path:
        """Return the folder of everything that is kept; the sandbox has one of its own."""
        folder = Path(self.data_dir) if self.data_dir else default_data_folder()
        return folder / "sandbox" if self.sandbox.enabled else folder


def default_data_folder() -> Path:
    """Return the platform's place for this program's data."""
    from platformdirs import user_data_path  # noqa: PLC0415 - needed only without a setting

    return user_data_path("mediawright", appauthor=False)


def load_settings(
    path: Path | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings of a file and of the environment.

    Args:
        path: The file; otherwise `MEDIAWRIGHT_CONFIG`, then `mediawright.yaml` here, then
            the one in the user's configuration folder; none is fine.
        environment: Variables; by default those of the process.

    Raises:
        InvalidRequestError: `invalid_settings`: the file is missing, or says what nobody knows.
    """
    variables = os.environ if environment is None else environment
    source = _find(path, variables)
    raw: dict[str, Any] = {} if source is None else _read(source)
    _overlay(raw, variables)
    if source is not None:
        raw["source"] = str(source)
    try:
        return msgspec.convert(raw, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        place = source or "the environment"
        raise InvalidRequestError(
            "invalid_settings",
            f"The settings in {place} are wrong: {error}",
            hint="docs/reference/settings.md lists every setting.",
        ) from error


def _find(path: Path | None, variables: Mapping[str, str]) -> Path | None:
    variable = variables.get("MEDIAWRIGHT_CONFIG")
    named = path or (Path(variable) if variable else None)
    if named is not None:
        if not named.is_file():
            raise InvalidRequestError("invalid_settings", f"There is no settings file {named}.")
        return named
    here = Path(CONFIG_NAME)
    if here.is_file():
        return here.resolve()
    from platformdirs import user_config_path  # noqa: PLC0415 - needed only without a setting

    home = user_config_path("mediawright", appauthor=False) / CONFIG_NAME
    return home if home.is_file() else None


def _read(source: Path) -> dict[str, Any]:
    import yaml  # noqa: PLC0415 - needed only when there is a file

    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise InvalidRequestError("invalid_settings", f"{source} is not YAML: {error}") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InvalidRequestError("invalid_settings", f"{source} holds no mapping.")
    return {str(key): value for key, value in content.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - YAML is untyped


_VARIABLES = {
    "MEDIAWRIGHT_DATA_DIR": ("data_dir",),
    "MEDIAWRIGHT_DATABASE_URL": ("database_url",),
    "MEDIAWRIGHT_DRIVE_URL": ("media", "output", "drive_url"),
    "MEDIAWRIGHT_SANDBOX": ("sandbox", "enabled"),
    "MEDIAWRIGHT_SANDBOX_URL": ("sandbox", "url"),
    "MEDIAWRIGHT_HOST": ("server", "host"),
    "MEDIAWRIGHT_PORT": ("server", "port"),
    "MEDIAWRIGHT_PUBLIC_URL": ("server", "public_url"),
}


def _overlay(raw: dict[str, Any], variables: Mapping[str, str]) -> None:
    for variable, place in _VARIABLES.items():
        value = variables.get(variable)
        if not value:
            continue
        section = raw
        for name in place[:-1]:
            section = section.setdefault(name, {})
        section[place[-1]] = value


def _decode(kind: type[Any], value: Any) -> Any:
    if issubclass(kind, Path):
        return Path(str(value)).expanduser()
    raise TypeError(f"no rule for {kind.__name__}")
