"""Alembic runs the migrations; each revision executes one hand-written SQL file as the owner role."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text

LOCK = 7_301_002

# Without a pool, leaving the connection ends its session, and the lock goes with it: after an error, too.
engine = create_engine(context.config.attributes["url"], poolclass=NullPool)
with engine.connect() as connection:
    # Two upgrades at once would both see the old version; the second waits here and finds nothing to do.
    connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
    connection.execute(text("SET ROLE ops_owner"))
    connection.execute(text("SET search_path = ops, pg_catalog"))
    connection.commit()
    context.configure(
        connection=connection,
        version_table="schema_version",
        version_table_schema="ops_meta",
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    if context.get_context().get_current_heads():
        connection.execute(text("GRANT SELECT ON ops_meta.schema_version TO app_writer, backup"))
        connection.commit()
