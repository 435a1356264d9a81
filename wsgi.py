"""The WSGI entry: ``gunicorn wsgi:app`` and ``flask --app wsgi …``."""

from app import create_app
from app.errors import SettingsFault

try:
    app = create_app()
except SettingsFault as fault:
    raise SystemExit(f"Loopbaandossier cannot start. {fault}") from None
