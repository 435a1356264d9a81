"""Invented people and dossiers, made the way real ones come to be, to try things with."""

from app.demo.creating import create
from app.demo.people import DEMO_DOMAIN, PEOPLE, Person, logins

__all__ = ["DEMO_DOMAIN", "PEOPLE", "Person", "create", "logins"]
