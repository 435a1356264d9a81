"""The rule for new passwords, and hashes that tell nothing."""

import threading
import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from together import together

from app.accounts import passwords
from app.errors import InvalidInput


def refused(password: str, **person: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        passwords.check(password, **person)
    return caught.value.text["nl"]


def test_password_of_twelve_to_two_hundred_characters_is_taken() -> None:
    passwords.check("kort genoeg!")
    passwords.check("łodź 🚲 ş\t x y")
    passwords.check("abcdefg hij" * 18 + "yz")
    assert refused("elf letters") == "Uw wachtwoord is te kort. Kies minstens 12 tekens, bijvoorbeeld vier woorden."
    assert refused("abcdefghijk" * 19) == "Uw wachtwoord is te lang. Kies hoogstens 200 tekens."


@pytest.mark.parametrize("password", ["Wachtwoord 1234", "qwertyuiopas", "aaaabbbbcccc", "loopbaandossier"])
def test_password_that_is_guessed_first_is_refused(password: str) -> None:
    assert "makkelijk te raden" in refused(password)


@pytest.mark.parametrize("password", ["Sanne de Vries", "sannedevries2026!", "SANNE.VRIES@EXAMPLE.ORG", "sanne.vries123"])
def test_password_that_is_the_person_is_refused(password: str) -> None:
    assert "naam of e-mailadres" in refused(password, email="sanne.vries@example.org", name="Sanne de Vries")


@given(st.text(st.characters(codec="utf-8"), max_size=40))
@hypothesis_settings(max_examples=10, deadline=None)
def test_password_of_any_characters_matches_itself_in_every_unicode_form(password: str) -> None:
    kept = passwords.hashed(password)
    assert kept.startswith("$argon2id$")
    assert passwords.matches(kept, unicodedata.normalize("NFD", password))
    assert not passwords.matches(kept, password + "x")


def test_password_of_nobody_matches_nothing() -> None:
    assert not passwords.matches(None, "nobody has this password")
    assert not passwords.matches("", "x")


def test_hashing_r6_runs_at_most_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most, lock = 0, 0, threading.Lock()
    real = passwords._hasher.verify

    class Watched:
        def verify(self, kept: str, password: str) -> bool:
            nonlocal inside, most
            with lock:
                inside += 1
                most = max(most, inside)
            try:
                return real(kept, password)
            finally:
                with lock:
                    inside -= 1

    monkeypatch.setattr(passwords, "_hasher", Watched())
    together(*[lambda: passwords.matches(None, "x")] * 30)
    assert 1 <= most <= passwords.AT_ONCE
