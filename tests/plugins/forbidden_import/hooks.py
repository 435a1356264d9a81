"""Reaches for what a plugin may not have; it must never be run."""

import json

from app import extensions, plugin_api
from app.errors import DomainError

raise AssertionError("was run", json, extensions, plugin_api, DomainError)
