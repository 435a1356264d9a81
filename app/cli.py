"""``flask --app wsgi …``: the steps of the work as commands, with progress on the terminal."""

import logging
import shutil
import signal
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, cast

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from huey import SqliteHuey
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError

from app import audit, demo, jobs, mail, mark, migrations, permissions, pipeline, plugin_faults
from app.accounts import passwords, registration, second_factor
from app.accounts.models import ROLES, Account
from app.assessment import admission, assignment, overview
from app.assessment.models import Assessment
from app.assessment.overview import Filter
from app.documents import rebuilding, signing, verification
from app.documents.models import Bundle
from app.dossiers.models import Dossier, Snapshot
from app.errors import DomainError
from app.extensions import session, transaction
from app.files import store
from app.pipeline import Installation
from app.register import entries, importing
from app.register.models import RegisterEntry
from app.schemes import counting, loader

database = AppGroup("database", help="The database's shape.")
accounts = AppGroup("accounts", help="People and their roles.")
dossiers = AppGroup("dossiers", help="Dossiers and their documents.")
assessments = AppGroup("assessments", help="The assessment queue.")
register = AppGroup("register", help="Who holds which certificate and specialisation.")
audit_commands = AppGroup("audit", help="The record of who did what.")
pipeline_commands = AppGroup("pipeline", help="What happens by itself: checks, assembling, mail.")
schemes = AppGroup("schemes", help="Certification schemes.")
plugins = AppGroup("plugins", help="Plugins.")
demo_commands = AppGroup("demo", help="Invented people and dossiers, to try things with.")


def install(app: Flask) -> None:
    for group in (
        database,
        accounts,
        dossiers,
        assessments,
        register,
        audit_commands,
        pipeline_commands,
        schemes,
        plugins,
        demo_commands,
    ):
        app.cli.add_command(group)
    for command in (prepare, worker):
        app.cli.add_command(command)


def here() -> Installation:
    return cast(Installation, current_app.extensions["installation"])


@contextmanager
def plainly() -> Iterator[None]:
    """A refusal becomes one line on the terminal instead of a traceback."""
    try:
        yield
    except DomainError as error:
        stop(error.text["en"])


def stop(message: str) -> NoReturn:
    raise click.ClickException(message)


# --- database ------------------------------------------------------------------------------------------------------


@database.command("upgrade")
def upgrade() -> None:
    """Bring the database up to date."""
    bring_up_to_date()
    click.echo("The database is up to date.")


@database.command("migration")
@click.argument("message")
def migration(message: str) -> None:
    """For developers: write a migration file for changed tables."""
    migrations.write(cast(Engine, current_app.extensions["engine"]), message)


@click.command("prepare")
def prepare() -> None:
    """Everything before serving: an up-to-date database and, in demo mode, the demo data."""
    bring_up_to_date()
    with plainly():
        signing.load_seal_key(here().settings)
    if here().settings.demo:
        fill_demo()


def bring_up_to_date() -> None:
    """An up-to-date database, that says what it is for."""
    engine = cast(Engine, current_app.extensions["engine"])
    if not migrations.is_current(engine):
        migrations.upgrade(engine)
    with transaction():
        mark.put(here().settings)


# --- worker --------------------------------------------------------------------------------------------------------


@click.command("worker")
def worker() -> None:
    """Do the jobs: check evidence, assemble documents, send mail. Ctrl-C lets running jobs end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("huey").setLevel(logging.WARNING)  # its greeting tells nobody anything
    installation, ring = here(), cast(jobs.Ring, current_app.extensions["ring"])
    settings = installation.settings
    with plainly(), jobs.alone(settings):
        pipeline.clear_work(settings)
        store.remove_unfinished(settings.blobs)
        pipeline.release_claims()
        stopping = threading.Event()
        threading.Thread(target=jobs.keep_sweeping, args=(installation, ring, stopping), daemon=True).start()
        consumer = cast(SqliteHuey, current_app.extensions["queue"]).create_consumer(
            workers=settings.worker_threads, periodic=False, initial_delay=0.1, max_delay=1.0, check_worker_health=True
        )
        signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
        click.echo("The worker is ready.")
        try:
            consumer.run()
        finally:
            stopping.set()


# --- accounts ------------------------------------------------------------------------------------------------------


@accounts.command("create")
@click.argument("email")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(ROLES))
@click.option("--language", default="nl", type=click.Choice(("nl", "en")))
@click.password_option()
def create_account(email: str, name: str, roles: tuple[str, ...], language: str, password: str) -> None:
    """Make an account with a confirmed address, for instance the first one of the office."""
    with plainly():
        passwords.check(password, email=email, name=name)
        if registration.find(mail.address(email)) is not None:
            stop(f"{email} has an account already.")
    with plainly(), transaction():
        account = registration.create(
            email=email,
            name=name,
            password_hash=passwords.hashed(password),
            language=language,
            roles=roles,
            confirmed=True,
        )
        click.echo(f"{account.number} {account.email}")


@accounts.command("disable")
@click.argument("email")
def disable_account(email: str) -> None:
    """Close an account: it is out at once, on every device. What it did stays."""
    with plainly(), transaction():
        account = registration.find(email.casefold())
        if account is None:
            stop(f"There is no account with the address {email}.")
        registration.disable(account, by="system")
        click.echo(f"{account.email} cannot log in any more.")


@accounts.command("reset-second-factor")
@click.argument("email")
def reset_second_factor(email: str) -> None:
    """For who lost both phone and recovery codes: be sure who asks. Ends every login; the next one sets it up again."""
    with plainly(), transaction():
        account = registration.find(email.casefold())
        if account is None:
            stop(f"There is no account with the address {email}.")
        second_factor.remove(account, by="system")
        click.echo(f"{account.email} logs in with the password and sets up a new second factor.")


@accounts.command("list")
def list_accounts() -> None:
    """Everybody, with roles."""
    for account in session.scalars(select(Account).order_by(Account.id)):
        state = "disabled" if account.disabled_at else "confirmed" if account.email_confirmed_at else "unconfirmed"
        click.echo(f"{account.number}  {account.email:40} {','.join(sorted(account.roles)):24} {state}")


# --- dossiers ------------------------------------------------------------------------------------------------------


@dossiers.command("list")
def list_dossiers() -> None:
    """Every dossier with its stage and that of its newest snapshot."""
    rows = session.execute(
        select(Dossier, Snapshot).outerjoin(Snapshot, Snapshot.dossier_id == Dossier.id).order_by(Dossier.id, Snapshot.revision)
    )
    for dossier, snapshot in rows:
        life = "" if snapshot is None else f"revision {snapshot.revision}: {snapshot.stage} {snapshot.percent}% {snapshot.step}"
        click.echo(f"{dossier.reference:16} {dossier.stage:14} {life}")


@dossiers.command("bundle")
@click.argument("reference")
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
def export_bundle(reference: str, target: Path) -> None:
    """Copy the newest sealed bundle of a dossier to TARGET."""
    bundle = newest_bundle(reference)
    try:
        shutil.copyfile(store.path(here().settings.blobs, bundle.zip_sha256), target)
    except OSError as fault:
        stop(f"The bundle could not be copied to {target}: {fault.strerror}.")
    click.echo(str(target))


@dossiers.command("verify")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def verify_bundle(path: Path) -> None:
    """Check a bundle (ZIP) against this installation's seal: manifests, signatures, every file."""
    with plainly():
        known = {signing.load_seal_key(here().settings).fingerprint}
        known.update(session.scalars(select(Bundle.seal_sha256).distinct()))  # a bundle may be older than today's key
        verification.check_bundle(path, fingerprints=known)
    click.echo("The bundle is whole and was sealed here.")


@dossiers.command("rebuild")
@click.argument("reference")
def rebuild(reference: str) -> None:
    """Make the unsigned documents of the newest snapshot again and compare them byte by byte."""
    bundle = newest_bundle(reference)
    with plainly():
        same = rebuilding.compare(bundle.snapshot, here().settings, here().catalogue)
    for name, is_same in same.items():
        click.echo(f"{name}: {'identical' if is_same else 'DIFFERS'}")
    if not all(same.values()):
        stop("The documents differ: the house style, a plugin or a library changed since they were made.")


def newest_bundle(reference: str) -> Bundle:
    bundle = session.scalar(
        select(Bundle)
        .join(Snapshot, Bundle.snapshot_id == Snapshot.id)
        .join(Dossier, Snapshot.dossier_id == Dossier.id)
        .where(Dossier.reference == reference)
        .order_by(Snapshot.revision.desc())
        .limit(1)
    )
    return bundle or stop(f"There is no sealed bundle of {reference}. `flask dossiers list` names the dossiers.")


# --- assessments ---------------------------------------------------------------------------------------------------


@assessments.command("list")
def list_assessments() -> None:
    """What waits in the queue, with the number of assessors."""
    for row in overview.dossiers(Filter()):
        if row.assessment_id is not None:
            click.echo(f"{row.reference:16} {row.stage:14} {row.assessors} assessors")


@assessments.command("admit")
@click.argument("reference")
@click.option("--by", "email", required=True, help="Address of the office's account that checked it.")
@click.option("--note", default="", help="What was checked; needed when the scheme has no entry requirements.")
def admit(reference: str, email: str, note: str) -> None:
    """Admit the newest revision of a dossier whose entry requirements were all checked and met."""
    with plainly(), transaction():
        dossier = session.scalar(select(Dossier).where(Dossier.reference == reference))
        account = registration.find(email.casefold())
        snapshot = admission.newest_snapshot(dossier) if dossier is not None else None
        if snapshot is None:
            stop(f"{reference} is not submitted. `flask dossiers list` names the dossiers.")
        if account is None or not permissions.may(account, "office.admit", snapshot.dossier):
            stop(f"{email} may not admit {reference}.")
        admission.admit(snapshot, by=account, catalogue=here().catalogue, note=note)
        audit.write("dossier.admitted", actor=account, thing=snapshot.dossier, revision=snapshot.revision)
    click.echo(f"{reference} is admitted.")


@assessments.command("assign")
@click.argument("reference")
@click.argument("email")
def assign(reference: str, email: str) -> None:
    """Let the assessor with this address judge a dossier."""
    with plainly(), transaction():
        assessment = session.scalar(
            select(Assessment).join(Dossier, Assessment.dossier_id == Dossier.id).where(Dossier.reference == reference)
        )
        assessor = session.scalar(select(Account).where(Account.email == email.casefold()))
        if assessment is None:
            stop(f"{reference} is not in the queue. `flask assessments list` shows the queue.")
        if assessor is None:
            stop(f"There is no account with the address {email}.")
        assignment.assign(assessment, assessor, by=None)
    click.echo(f"{reference} is assigned to {email}.")


# --- register ------------------------------------------------------------------------------------------------------


@register.command("list")
def list_register() -> None:
    """Every entry that stands: number, address, what it is for, and its period."""
    found = select(RegisterEntry).where(entries.stands()).order_by(RegisterEntry.number, RegisterEntry.valid_from)
    for entry in session.scalars(found):
        period = f"{entry.valid_from} {entry.valid_until}"
        click.echo(f"{entry.number:20} {entry.account.email:40} {entry.scope:20} {period} {entry.former_level}".rstrip())


@register.command("import")
@click.argument("path", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Only say what would be recorded, and what is wrong.")
def import_register(path: Path, dry_run: bool) -> None:
    """Record the register that a CSV file holds: columns email, number, scope, valid_from, valid_until[, former_level].

    While anything is wrong nothing is recorded; what is recorded already is left as it is.
    """
    outcome = importing.Outcome()
    with suppress(NotNow), transaction():
        outcome = importing.run(path, here().catalogue)
        if outcome.problems or dry_run:
            raise NotNow
    for problem in outcome.problems:
        click.echo(f"{path}: {problem}", err=True)
    if outcome.problems:
        stop(f"{len(outcome.problems)} problems; nothing is recorded.")
    for remark in outcome.remarks:
        click.echo(f"{path}: look at {remark}", err=True)
    done = "would be recorded" if dry_run else "recorded"
    click.echo(f"{outcome.added} {done}, {outcome.known} were there already.")


class NotNow(Exception):
    """Rolls back what was only tried."""


# --- pipeline ------------------------------------------------------------------------------------------------------


@pipeline_commands.command("run")
def run_pipeline() -> None:
    """Do everything that is due, here and now, without a worker."""
    with plainly(), jobs.alone(here().settings):
        pipeline.release_claims()
        done = jobs.drain(here(), report=lambda job, record_id: click.echo(f"{job} {record_id}"))
    click.echo(f"{done} jobs done.")


@pipeline_commands.command("status")
def pipeline_status() -> None:
    """What is unfinished, with the last error of each."""
    for snapshot in session.scalars(select(Snapshot).where(pipeline.unfinished()).order_by(Snapshot.id)):
        error = f"  {snapshot.error['en']}" if snapshot.error else ""
        click.echo(f"{snapshot.dossier.reference} revision {snapshot.revision}: {snapshot.stage} {snapshot.step}{error}")
    for job, record_id in pipeline.due():
        click.echo(f"due: {job} {record_id}")


@pipeline_commands.command("resume")
@click.argument("reference", required=False)
def resume(reference: str | None) -> None:
    """Take failed assembling up again at once, of one dossier or of all."""
    with transaction():
        waiting = select(Snapshot).join(Dossier).where(pipeline.unfinished())
        if reference:
            waiting = waiting.where(Dossier.reference == reference)
        snapshots = session.scalars(waiting).all()
        for snapshot in snapshots:
            pipeline.retry(snapshot)
        ids = [snapshot.id for snapshot in snapshots]
    for snapshot_id in ids:
        cast(jobs.Ring, current_app.extensions["ring"])("snapshot", snapshot_id)
    click.echo(f"{len(ids)} taken up again.")


# --- audit ---------------------------------------------------------------------------------------------------------


@audit_commands.command("verify")
def verify_audit() -> None:
    """Read the whole record and check that nothing in it was changed, taken out or put in between."""
    broken = audit.verify()
    if broken is not None:
        stop(f"The record was changed: entry {broken} does not fit the one before it, or its own hash.")
    count, head = audit.head()
    click.echo(f"{count} entries, all in order. The last one is {head}.")


# --- schemes and plugins -------------------------------------------------------------------------------------------


@schemes.command("check")
def check_schemes() -> None:
    """Read every scheme and plugin and name each fault with file, line and key."""
    catalogue = here().catalogue
    for scheme, version in catalogue.schemes:
        click.echo(f"scheme {scheme} {version}")
    report_faults(catalogue)


@schemes.command("words")
def count_words() -> None:
    """Count what each scheme and plugin holds, as a Markdown table, and name texts that are the same in both languages."""
    catalogue = here().catalogue
    click.echo(counting.as_markdown(counting.count(catalogue)))
    for name, words in counting.same_in_both(catalogue):
        click.echo(f"same in both languages, {name}: {words}")


@plugins.command("check")
def check_plugins() -> None:
    """Name every plugin with its state; a faulty one with its traceback."""
    catalogue = here().catalogue
    for plugin in catalogue.plugins.values():
        click.echo(f"plugin {plugin.id} {plugin.version}: {'enabled' if plugin.enabled else 'DISABLED'}")
    for fault in kept_faults(catalogue):
        click.echo(f"{fault.plugin}: {fault.hook}: {fault.kind}, {fault.count} times, last {fault.last_at:%Y-%m-%d %H:%M} UTC")
        click.echo(textwrap.indent(fault.place, "  "))
    report_faults(catalogue)


def kept_faults(catalogue: loader.Catalogue) -> Sequence[plugin_faults.PluginFault]:
    """What went wrong while people worked; nothing where there is no database yet, as with a plugin's author."""
    try:
        return plugin_faults.known(catalogue.plugins.values())
    except SQLAlchemyError:
        return ()


def report_faults(catalogue: loader.Catalogue) -> None:
    faults = [str(fault) for fault in catalogue.faults]
    faults += [fault for plugin in catalogue.plugins.values() for fault in plugin.faults]
    for fault in faults:
        click.echo(fault, err=True)
    if faults:
        stop(f"{len(faults)} faults.")
    click.echo("No faults.")


# --- demo ----------------------------------------------------------------------------------------------------------


@demo_commands.command("create")
def create_demo() -> None:
    """Fill an empty demo installation: people, and dossiers in every route and stage."""
    if not here().settings.demo:
        stop("Demo data is only made in demo mode.")
    fill_demo()


def fill_demo() -> None:
    with plainly():
        done = demo.create(
            here(), say=click.echo, bar=lambda label, length: cast(Any, click.progressbar)(label=label, length=length)
        )
    if done:
        click.echo(f"The bundle of one of its dossiers: {done}")
