"""Settings: every fault with its words, production's demands, and the one key that two processes make."""

import os
import stat
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import config
from app.config import PREFIX, ROOT, Settings
from app.errors import SettingsFault

ADDRESS = "LOOPBAAN_BASE_URL must be an address such as https://dossier.example.org, without a slash at the end."


def fault(**environ: str) -> str:
    with pytest.raises(SettingsFault) as found:
        config.load({PREFIX + name: value for name, value in environ.items()})
    return str(found.value)


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """An environment that production accepts."""
    for name in ("secret", "seal.p12", "passphrase", "smtp"):
        (tmp_path / name).write_text("x" * 40)
    return {
        "MODE": "production",
        "INSTANCE": str(tmp_path / "instance"),
        "BASE_URL": "https://dossier.example.org",
        "SECRET_KEY_FILE": str(tmp_path / "secret"),
        "SEAL_KEY_FILE": str(tmp_path / "seal.p12"),
        "SEAL_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "SMTP_HOST": "mail.example.org",
    }


def test_load_of_nothing_is_demo_on_this_computer() -> None:
    settings = config.load({"HOME": "/root", "loopbaan": "x"})
    assert settings == Settings()
    assert (settings.demo, settings.host, settings.secure_cookies, settings.max_file_bytes) == (
        True,
        "127.0.0.1",
        False,
        50_000_000,
    )
    assert settings.database == f"sqlite:///{ROOT / 'instance' / 'loopbaandossier.sqlite'}"


def test_load_types_every_value_and_passes_over_empty_ones(tmp_path: Path) -> None:
    environ = {
        "PORT": "8100",
        "ORGANISATION": "Bureau Ø",
        "INSTANCE": f"{tmp_path}/a/../b",
        "SMTP_HOST": "",
        "MAX_FILE_MB": " 7 ",
    }
    settings = config.load({PREFIX + name: value for name, value in environ.items()})
    expected = replace(Settings(), port=8100, base_url="http://127.0.0.1:8100", organisation="Bureau Ø", max_file_mb=7)
    assert settings == replace(expected, instance=tmp_path / "b")
    assert {settings.blobs, settings.work, settings.keys, settings.outbox} == {
        tmp_path / "b" / name for name in ("blobs", "work", "keys", "outbox")
    }


def test_every_setting_is_explained() -> None:
    assert all(entry.metadata["explanation"] for entry in fields(Settings))


def test_database_url_wins_over_the_instance_folder() -> None:
    assert Settings(database_url="postgresql://x").database == "postgresql://x"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PROT": "1", "A": ""}, "Unknown setting: LOOPBAAN_A, LOOPBAAN_PROT. The README lists every setting."),
        ({"MODE": "Demo"}, "LOOPBAAN_MODE is 'Demo'; allowed are demo, production."),
        ({"SMTP_SECURITY": "ssl"}, "LOOPBAAN_SMTP_SECURITY is 'ssl'; allowed are starttls, tls, none."),
        ({"PORT": "http"}, "LOOPBAAN_PORT is 'http'; a whole number of 1 or more is needed."),
        ({"PORT": "-1"}, "LOOPBAAN_PORT is '-1'; a whole number of 1 or more is needed."),
        ({"PORT": "65536"}, "LOOPBAAN_PORT is 65536; a port is at most 65535."),
        ({"WEB_WORKERS": "0"}, "LOOPBAAN_WEB_WORKERS is '0'; a whole number of 1 or more is needed."),
        ({"MAX_FILE_MB": "2.5"}, "LOOPBAAN_MAX_FILE_MB is '2.5'; a whole number of 1 or more is needed."),
        ({"TRUSTED_PROXIES": "-1"}, "LOOPBAAN_TRUSTED_PROXIES is '-1'; a whole number of 0 or more is needed."),
        ({"BASE_URL": "dossier.nl"}, ADDRESS),
        ({"BASE_URL": "http://x/"}, ADDRESS),
        ({"BASE_URL": "https://"}, ADDRESS),
        ({"BASE_URL": "https://dossier.example.org/pad"}, ADDRESS),
        ({"BASE_URL": "https://dossier.example.org?taal=nl"}, ADDRESS),
        ({"BASE_URL": "https://dossier.example.org#top"}, ADDRESS),
        ({"BASE_URL": "https://jan@dossier.example.org"}, ADDRESS),
        ({"BASE_URL": "https://dossier.example.org:poort"}, ADDRESS),
        ({"MAIL_FROM": "dossier"}, "LOOPBAAN_MAIL_FROM is 'dossier'; write one e-mail address, such as dossier@example.org."),
        (
            {"CONTACT_EMAIL": "Bureau <a@example.org>"},
            "LOOPBAAN_CONTACT_EMAIL is 'Bureau <a@example.org>'; write one e-mail address, such as dossier@example.org.",
        ),
        (
            {"TIMESTAMP_URL": "tsa.example.org"},
            (
                "LOOPBAAN_TIMESTAMP_URL is 'tsa.example.org'; write an address such as https://tsa.example.org/tsr, "
                "or leave it empty."
            ),
        ),
        (
            {"TEMPLATES_DIR": "/nowhere/schemes"},
            (
                "LOOPBAAN_TEMPLATES_DIR: there is no folder /nowhere/schemes. "
                "Make it, or write the path of one that is there."
            ),
        ),
        (
            {"PLUGINS_DIR": "/nowhere/plugins"},
            "LOOPBAAN_PLUGINS_DIR: there is no folder /nowhere/plugins. Make it, or write the path of one that is there.",
        ),
        ({"ORGANISATION": "B\udcff"}, "LOOPBAAN_ORGANISATION holds bytes that are no UTF-8 text."),
        (
            {"HOST": "192.0.2.1"},
            (
                "Demo mode holds well-known passwords, so it only listens on this computer: set LOOPBAAN_HOST to "
                "127.0.0.1, or set LOOPBAAN_MODE=production."
            ),
        ),
    ],
)  # fmt: skip
def test_load_names_what_is_wrong(environ: dict[str, str], message: str) -> None:
    assert fault(**environ) == message


@given(st.text(st.characters(exclude_characters="\x00"), max_size=8))
def test_load_of_any_number_gives_a_number_or_a_fault(text: str) -> None:
    try:
        port = config.load({PREFIX + "SMTP_PORT": text}).smtp_port
    except SettingsFault:
        return
    assert 1 <= port <= 65_535


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_demo_listens_on_this_computer(host: str) -> None:
    assert config.load({PREFIX + "HOST": host}).host == host


# --- production ----------------------------------------------------------------------------------------------------


def test_production_accepts_a_whole_environment(production: dict[str, str]) -> None:
    settings = config.load({PREFIX + name: value for name, value in production.items()})
    assert (settings.demo, settings.secure_cookies) == (False, True)


@pytest.mark.parametrize("name", ["SECRET_KEY_FILE", "SEAL_KEY_FILE", "SEAL_PASSPHRASE_FILE"])
def test_r39_production_refuses_a_missing_secret(production: dict[str, str], name: str) -> None:
    path = production.pop(name)
    assert fault(**production) == f"In production {PREFIX}{name} must be set. The README says how to make one."
    assert fault(**production, **{name: f"{path}.gone"}) == f"{PREFIX}{name}: there is no file {path}.gone."


def test_production_refuses_http_no_mail_and_a_login_without_password(production: dict[str, str]) -> None:
    assert fault(**{**production, "BASE_URL": "http://dossier.example.org"}) == (
        "In production LOOPBAAN_BASE_URL must start with https://."
    )
    assert fault(**{**production, "SMTP_HOST": ""}) == (
        "In production LOOPBAAN_SMTP_HOST must be set: people confirm their address by mail."
    )
    assert fault(**production, SMTP_USER="mailer") == (
        "LOOPBAAN_SMTP_USER is set, so LOOPBAAN_SMTP_PASSWORD_FILE must be set too."
    )
    assert fault(**production, SMTP_USER="mailer", SMTP_PASSWORD_FILE="/nowhere/smtp") == (
        "LOOPBAAN_SMTP_PASSWORD_FILE: there is no file /nowhere/smtp."
    )


def test_production_refuses_an_instance_with_demo_data(production: dict[str, str]) -> None:
    folder = Path(production["INSTANCE"])
    folder.mkdir()
    (folder / config.DEMO_MARK).touch()
    assert fault(**production) == (
        f"{folder} holds demo data with well-known passwords. Set LOOPBAAN_INSTANCE to a new folder for production."
    )


# --- the key that signs cookies ------------------------------------------------------------------------------------


def test_secret_key_is_made_once_in_demo_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(instance=tmp_path / "instance")
    key = config.secret_key(settings)
    assert len(key) >= 64
    assert config.secret_key(settings) == key
    (path,) = settings.keys.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.keys.stat().st_mode) == 0o700


def test_secret_key_made_by_many_processes_at_once_is_one_key(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from app import config; "
        "print(config.secret_key(config.Settings(instance=pathlib.Path(sys.argv[1]))))"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", script, str(tmp_path / "instance")], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    keys = {child.communicate(timeout=60)[0] for child in children}
    assert len(keys) == 1
    assert [path.name for path in (tmp_path / "instance" / "keys").iterdir()] == ["secret_key"]


def test_secret_key_that_is_short_missing_or_no_text_is_refused(production: dict[str, str], tmp_path: Path) -> None:
    settings = config.load({PREFIX + name: value for name, value in production.items()})
    path = tmp_path / "secret"
    path.write_text("kort\n")
    with pytest.raises(SettingsFault) as found:
        config.secret_key(settings)
    assert str(found.value) == f"The secret key in {path} is shorter than 32 characters: make a longer one."
    path.write_bytes(b"\xff" * 40)
    for problem in ("no text", "gone"):
        with pytest.raises(SettingsFault) as found:
            config.secret_key(settings)
        assert str(found.value) == f"The secret key in {path} cannot be read as text: make a new one.", problem
        path.unlink(missing_ok=True)


def test_secret_key_is_never_made_in_production(production: dict[str, str], tmp_path: Path) -> None:
    settings = replace(config.load({PREFIX + name: value for name, value in production.items()}), secret_key_file=None)
    with pytest.raises(SettingsFault):
        config.secret_key(settings)
    assert not (tmp_path / "instance" / "keys").exists()


def test_settings_cannot_change_afterwards() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]
    assert "LOOPBAAN_PORT" not in os.environ
