"""gunicorn's configuration, from our own settings: ``gunicorn -c app/serving.py wsgi:app``."""

from typing import Any

import click

from app import demo
from app.config import load
from app.errors import SettingsFault

# No name here may be one of gunicorn's own settings, such as "config": gunicorn would take it as that setting.
try:
    _settings = load()
except SettingsFault as fault:
    raise SystemExit(f"Loopbaandossier cannot start. {fault}") from None
bind = f"{_settings.host}:{_settings.port}"
workers = _settings.web_workers
worker_class = "gthread"
threads = 4
timeout = 120  # a 50 MB upload over a slow line
graceful_timeout = 15
max_requests = 5_000  # a process that grows is replaced now and then
max_requests_jitter = 500
forwarded_allow_ips = "127.0.0.1"
limit_request_line = 4094
loglevel = "warning"


def post_worker_init(worker: Any) -> None:
    """The first process that is ready says where to look and, in demo mode, as whom."""
    if worker.age == 1:
        click.echo(f"\nLoopbaandossier: {_settings.base_url}")
        if _settings.demo:
            click.echo(demo.logins())
        click.echo("Stop with Ctrl-C.")
