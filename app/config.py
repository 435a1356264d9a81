"""The server's settings: read once from the environment, checked at start, never changed afterwards.

Every setting is a field of ``Settings`` with its explanation; the table in the README is held against it by a test.
A field ``x`` is read from ``LOOPBAAN_X``. A value that is a secret is read from a file, so that it stands in no
process list: the setting holds the path.
"""

import dataclasses
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

from app.errors import SettingsFault

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "LOOPBAAN_"
DEMO_MARK = "demo"
DEMO_DOMAIN = "voorbeeld.example"  # RFC 2606: belongs to nobody, and no mail ever arrives there
HIGHEST_PORT = 65_535


def setting(default: Any, explanation: str) -> Any:
    return field(default=default, metadata={"explanation": explanation})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One field per setting. Paths are absolute; sizes and times carry their unit in the name."""

    mode: str = setting("demo", "`demo` (invented people, marked everywhere, only on 127.0.0.1) or `production`")
    instance: Path = setting(ROOT / "instance", "folder that holds the database, the files, the keys and the outbox")
    database_url: str = setting("", "SQLAlchemy URL; empty: SQLite in the instance folder")
    base_url: str = setting(
        "http://127.0.0.1:8000", "address that people use; mailed links are made from it alone; demo: made from host and port"
    )
    host: str = setting("127.0.0.1", "address that the server listens on")
    port: int = setting(8000, "port that the server listens on")
    web_workers: int = setting(2, "number of web processes")
    worker_threads: int = setting(2, "number of jobs that the worker does at the same time")
    secret_key_file: Path | None = setting(None, "file with the key that signs cookies (at least 32 bytes); demo: made")
    organisation: str = setting("Register Loopbaanprofessionals", "name of the certifying body, on pages and documents")
    contact_email: str = setting("secretariaat@example.org", "address of the office, on pages and in mail")
    smtp_host: str = setting("", "mail server; empty: mail is put in `outbox/` in the instance folder")
    smtp_port: int = setting(587, "port of the mail server")
    smtp_security: str = setting("starttls", "`starttls`, `tls` or `none`")
    smtp_user: str = setting("", "user name at the mail server; empty: no login")
    smtp_password_file: Path | None = setting(None, "file with the password at the mail server")
    mail_from: str = setting("dossier@example.org", "sender of all mail")
    seal_key_file: Path | None = setting(None, "PKCS#12 file with the key and certificates that seal documents; demo: made")
    seal_passphrase_file: Path | None = setting(None, "file with the passphrase of `LOOPBAAN_SEAL_KEY_FILE`")
    timestamp_url: str = setting("", "RFC 3161 timestamp authority; empty: seals carry no timestamp (PAdES B-B)")
    clamd_socket: Path | None = setting(None, "socket of ClamAV's clamd; empty: files are not scanned for malware")
    max_file_mb: int = setting(50, "largest evidence file, in megabytes")
    max_dossier_mb: int = setting(500, "all evidence of one dossier together, in megabytes")
    max_evidence: int = setting(100, "number of evidence files in one dossier")
    session_idle_minutes: int = setting(120, "a login ends after this time without use")
    session_hours: int = setting(12, "a login ends after this time in any case")
    invitation_days: int = setting(60, "a supervisor's link works this long")
    confirmation_hours: int = setting(48, "a link that confirms an e-mail address works this long")
    reset_minutes: int = setting(60, "a link to choose a new password works this long")
    submission_days: int = setting(180, "time that a candidate has to submit a dossier, from its start")
    trusted_proxies: int = setting(0, "number of reverse proxies in front whose X-Forwarded-* headers are believed")
    libreoffice: str = setting("soffice", "command that turns DOCX evidence into pages; absent: such a page names the file")
    templates_dir: Path = setting(ROOT / "dossier_templates", "folder with the certification schemes")
    plugins_dir: Path = setting(ROOT / "plugins", "folder with the plugins")

    @property
    def demo(self) -> bool:
        return self.mode == "demo"

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.instance / 'loopbaandossier.sqlite'}"

    @property
    def blobs(self) -> Path:
        return self.instance / "blobs"

    @property
    def work(self) -> Path:
        """Room for unfinished work; emptied at every start of the worker."""
        return self.instance / "work"

    @property
    def uploads(self) -> Path:
        """Files that have arrived in part, by dossier; forgotten after a day."""
        return self.instance / "uploads"

    @property
    def keys(self) -> Path:
        return self.instance / "keys"

    @property
    def outbox(self) -> Path:
        return self.instance / "outbox"

    @property
    def queue(self) -> Path:
        return self.instance / "queue.sqlite"

    @property
    def secure_cookies(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def max_file_bytes(self) -> int:
        return self.max_file_mb * 1_000_000


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Settings from the environment. Raises ``SettingsFault`` for an unknown name, a wrong value or a missing secret."""
    environ = os.environ if environ is None else environ
    fields = {entry.name: entry for entry in dataclasses.fields(Settings)}
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    unknown = sorted(set(given) - set(fields))
    if unknown:
        names = ", ".join(PREFIX + name.upper() for name in unknown)
        raise SettingsFault(f"Unknown setting: {names}. The README lists every setting.")
    values = {name: _typed(fields[name], text.strip()) for name, text in given.items() if text.strip()}
    if "base_url" not in values and {"host", "port"} & set(values) and values.get("mode", "demo") == "demo":
        host = values.get("host", Settings.host)
        values["base_url"] = f"http://{f'[{host}]' if ':' in host else host}:{values.get('port', Settings.port)}"
    settings = Settings(**values)
    check(settings)
    return settings


def check(settings: Settings) -> None:
    """Refuses settings that contradict each other or miss a secret. Reads the content of none."""
    _one_of("MODE", settings.mode, ("demo", "production"))
    _one_of("SMTP_SECURITY", settings.smtp_security, ("starttls", "tls", "none"))
    for port in ("port", "smtp_port"):
        if getattr(settings, port) > HIGHEST_PORT:
            raise SettingsFault(f"{PREFIX}{port.upper()} is {getattr(settings, port)}; a port is at most {HIGHEST_PORT}.")
    if not _is_address(settings.base_url):
        raise SettingsFault(
            "LOOPBAAN_BASE_URL must be an address such as https://dossier.example.org, without a slash at the end."
        )
    for name in ("mail_from", "contact_email"):
        if not _is_mail_address(getattr(settings, name)):
            raise SettingsFault(
                f"{PREFIX}{name.upper()} is {getattr(settings, name)!r}; write one e-mail address, such as dossier@example.org."
            )
    if settings.timestamp_url and not _is_url(settings.timestamp_url):
        raise SettingsFault(
            f"LOOPBAAN_TIMESTAMP_URL is {settings.timestamp_url!r}; write an address such as https://tsa.example.org/tsr, "
            "or leave it empty."
        )
    for name in ("templates_dir", "plugins_dir"):
        folder = getattr(settings, name)
        if not folder.is_dir():
            raise SettingsFault(
                f"{PREFIX}{name.upper()}: there is no folder {folder}. Make it, or write the path of one that is there."
            )
    if settings.demo:
        if settings.host not in ("127.0.0.1", "::1", "localhost"):
            raise SettingsFault(
                "Demo mode holds well-known passwords, so it only listens on this computer: set LOOPBAAN_HOST to "
                "127.0.0.1, or set LOOPBAAN_MODE=production."
            )
        return
    if not settings.secure_cookies:
        raise SettingsFault("In production LOOPBAAN_BASE_URL must start with https://.")
    for name in ("secret_key_file", "seal_key_file", "seal_passphrase_file"):
        if getattr(settings, name) is None:
            raise SettingsFault(f"In production {PREFIX}{name.upper()} must be set. The README says how to make one.")
        _is_there(settings, name)
    if not settings.smtp_host:
        raise SettingsFault("In production LOOPBAAN_SMTP_HOST must be set: people confirm their address by mail.")
    if settings.smtp_user and settings.smtp_password_file is None:
        raise SettingsFault("LOOPBAAN_SMTP_USER is set, so LOOPBAAN_SMTP_PASSWORD_FILE must be set too.")
    if settings.smtp_password_file is not None:
        _is_there(settings, "smtp_password_file")
    if (settings.instance / DEMO_MARK).exists():
        raise SettingsFault(
            f"{settings.instance} holds demo data with well-known passwords. "
            "Set LOOPBAAN_INSTANCE to a new folder for production."
        )


def make_folders(settings: Settings) -> None:
    """Makes the instance folder and what is in it. Raises ``SettingsFault`` when nothing can be written there."""
    try:
        for folder in (settings.instance, settings.blobs, settings.work, settings.keys):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (settings.work / f"writable.{os.getpid()}").touch()
        (settings.work / f"writable.{os.getpid()}").unlink()
    except OSError as fault:
        raise SettingsFault(
            f"The instance folder {settings.instance} cannot be written ({fault.strerror}). Free some room, mend its rights, "
            "or set LOOPBAAN_INSTANCE to another folder."
        ) from fault


def secret_key(settings: Settings) -> str:
    """The key that signs cookies. In demo mode one is made in the instance folder at the first start."""
    path = settings.secret_key_file or settings.keys / "secret_key"
    if settings.demo and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        temporary = path.with_name(f"{path.name}.{os.getpid()}")
        temporary.write_text(secrets.token_urlsafe(48))
        temporary.chmod(0o600)
        try:
            os.link(temporary, path)  # never replaces the key that another process made meanwhile
        except FileExistsError:
            pass
        finally:
            temporary.unlink()
    try:
        key = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsFault(f"The secret key in {path} cannot be read as text: make a new one.") from error
    if len(key) < 32:
        raise SettingsFault(f"The secret key in {path} is shorter than 32 characters: make a longer one.")
    return key


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise SettingsFault(f"{PREFIX}{name} is {value!r}; allowed are {', '.join(allowed)}.")


def _is_address(text: str) -> bool:
    """A site's address and nothing behind it: paths are put behind it."""
    return _is_url(text) and not re.search(r"[/?#@]", text.partition("://")[2])


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and text.isprintable() and (parts.port or 1) > 0
    except ValueError:  # also a port that is none
        return False


def _is_mail_address(text: str) -> bool:
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        return False
    return True


def _is_there(settings: Settings, name: str) -> None:
    path: Path = getattr(settings, name)
    if not path.is_file():
        raise SettingsFault(f"{PREFIX}{name.upper()}: there is no file {path}.")


def _typed(entry: dataclasses.Field[Any], text: str) -> Any:
    setting_name = PREFIX + entry.name.upper()
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SettingsFault(f"{setting_name} holds bytes that are no UTF-8 text.") from error
    if entry.type is int:
        least = 0 if entry.default == 0 else 1
        number = int(text) if re.fullmatch("[0-9]{1,9}", text) else -1
        if number < least:
            raise SettingsFault(f"{setting_name} is {text!r}; a whole number of {least} or more is needed.")
        return number
    return text if entry.type is str else Path(text).expanduser().resolve()
