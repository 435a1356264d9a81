"""The only place where the rooms are wired together into a Flask program."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from app import cli, config, extensions, jobs, mark, pipeline
from app.config import Settings
from app.demo.people import PEOPLE
from app.pipeline import Installation
from app.schemes import loader
from app.schemes.loader import Catalogue
from app.web import (
    account,
    assessor,
    audit_log,
    auth,
    candidate,
    dates,
    demo,
    development,
    earlier,
    errors,
    forms,
    invited,
    mentor,
    messages,
    office,
    parts,
    public,
    second_step,
    section,
    security,
    static_files,
    supervisor,
    uploads,
)
from app.web import evidence as evidence_pages
from app.web.language import current_language

PAGES_OF_AUTH = (account, second_step, invited)  # imported for the pages that they add to auth's blueprint


def create_app(settings: Settings | None = None, catalogue: Catalogue | None = None) -> Flask:
    """See ``app.create_app``."""
    settings = settings or config.load()
    config.make_folders(settings)
    app = Flask(__name__, template_folder="web/templates", static_folder=None)
    app.config.update(
        SECRET_KEY=config.secret_key(settings),
        SESSION_COOKIE_NAME="__Host-session" if settings.secure_cookies else "session",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(hours=settings.session_hours),
        TRUSTED_HOSTS=_hosts(settings),
        MAX_CONTENT_LENGTH=4_000_000,  # the upload pages allow more, for themselves
        MAX_FORM_MEMORY_SIZE=3_000_000,
        MAX_FORM_PARTS=1_000,
        WTF_CSRF_TIME_LIMIT=None,  # a page may stay open as long as the login lasts
        WTF_CSRF_SSL_STRICT=False,  # Referrer-Policy is no-referrer; the token itself is bound to the session
        BABEL_DEFAULT_LOCALE="nl",
        BABEL_DEFAULT_TIMEZONE="Europe/Amsterdam",
    )
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]
    app.extensions["engine"] = _database(settings)
    installation = Installation(settings, catalogue or loader.load_all(settings))
    app.extensions["installation"] = installation
    app.extensions["queue"], app.extensions["ring"] = jobs.open_queue(installation)
    _prepare_pages(app, settings)
    app.url_map.converters["int"] = parts.RecordId
    for pages in (
        public,
        auth,
        candidate,
        section,
        earlier,
        evidence_pages,
        uploads,
        development,
        supervisor,
        mentor,
        assessor,
        office,
        audit_log,
        messages,
    ):
        app.register_blueprint(pages.blueprint)
    if settings.demo:
        app.extensions["demo_people"] = PEOPLE
        app.register_blueprint(demo.blueprint)
    cli.install(app)
    return app


def _database(settings: Settings) -> Engine:
    """The engine, after a look that it can be used and is for this mode."""
    try:
        engine = extensions.connect(settings.database)
    except (ArgumentError, ImportError) as fault:  # no address, or a database whose driver is not there
        raise mark.unusable(settings, fault) from fault
    mark.check(settings, engine)
    return engine


def _prepare_pages(app: Flask, settings: Settings) -> None:
    security.install(app, https=settings.secure_cookies)
    extensions.csrf.init_app(app)
    extensions.login_manager.init_app(app, add_context_processor=False)  # error pages must not need the database
    extensions.babel.init_app(app, locale_selector=current_language)
    errors.install(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    forms.install(app)
    app.context_processor(lambda: {"settings": settings, "language": current_language()})
    app.jinja_env.filters["datetimeformat"] = dates.at
    static_files.install(app)

    @app.teardown_appcontext
    def release(_error: BaseException | None) -> None:
        try:
            pipeline.keep_plugin_faults(app.extensions["installation"].catalogue)
        except SQLAlchemyError:
            app.logger.warning("could not write down what went wrong in a plugin", exc_info=True)
        finally:
            extensions.session.remove()


def _hosts(settings: Settings) -> list[str]:
    host = urlsplit(settings.base_url).hostname or "localhost"
    return [host, "127.0.0.1", "localhost"] if settings.demo else [host]
