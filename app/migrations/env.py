"""Alembic's way in: the connection that ``app.migrations`` hands over, the tables of all rooms."""

from alembic import context

from app import audit, mail, mark, plugin_faults
from app.accounts import models as accounts
from app.assessment import models as assessment
from app.development import models as development
from app.documents import models as documents
from app.dossiers import models as dossiers
from app.extensions import Base
from app.register import models as register
from app.schemes import models as schemes

TABLES = (
    accounts,
    assessment,
    audit,
    development,
    documents,
    dossiers,
    mail,
    mark,
    plugin_faults,
    register,
    schemes,
)  # imported for their tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite changes a table by making it anew
    compare_type=False,
)
with context.begin_transaction():
    context.run_migrations()
