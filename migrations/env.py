"""Runs Alembic's migrations on the connection that the server hands over, or on the URL of `alembic -x url=…`."""

from alembic import context
from sqlalchemy import Connection

from fermata.storage.connect import connect
from fermata.storage.tables import metadata


def run(connection: Connection) -> None:
    """Runs what was asked for, in the transaction that is open on the connection."""
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.get_x_argument(as_dictionary=True).get("url", "sqlite:///var/fermata.db")
    engine = connect(url, "process")
    with engine.connect() as connection:
        run(connection)
    engine.dispose()
