"""What the schema is and who may do what, as text that a reviewer reads and a test compares.

`db/schema.sha256` is the hash of the normalised schema, `db/privileges.txt` the matrix of role, object and privilege.
Both are made on the PostgreSQL that the wheel brings: another version words the same schema differently.
"""

from collections.abc import Iterator

import psycopg

from trading_ops.domain.canonical import sha256_hex
from trading_ops.settings import Settings
from trading_ops.store import endpoint, programs
from trading_ops.store.errors import ServerFailed

SCHEMAS = ("ops",)
DUMP_SECONDS = 300

_MATRIX = """
WITH role AS (
    SELECT oid, rolname FROM pg_roles
    WHERE rolname IN ('migrator', 'app_writer', 'desk_reader', 'replayer', 'executor_ui', 'operator_ui', 'mcp_reader',
                      'mcp_fills_writer', 'backup', 'dagster', 'sign_in')
    UNION ALL SELECT 0, 'PUBLIC'
), space AS (
    SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('ops', 'ops_meta', 'public')
), relation AS (
    SELECT c.oid, n.nspname || '.' || c.relname AS name, c.relkind,
           CASE WHEN c.relkind = 'S' THEN 'sequence' WHEN c.relkind IN ('v', 'm') THEN 'view' ELSE 'table' END AS kind
    FROM pg_class c JOIN space n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
), routine AS (
    SELECT p.oid, n.nspname || '.' || p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')' AS name
    FROM pg_proc p JOIN space n ON n.oid = p.pronamespace
), may (subject, object, privilege) AS (
    SELECT rolname, 'database', p FROM role, unnest(ARRAY['CONNECT', 'CREATE', 'TEMPORARY']) p
    WHERE has_database_privilege(role.oid, current_database(), p)
    UNION ALL
    SELECT rolname, 'schema ' || nspname, p FROM role, space, unnest(ARRAY['USAGE', 'CREATE']) p
    WHERE has_schema_privilege(role.oid, space.oid, p)
    UNION ALL
    SELECT rolname, kind || ' ' || name, p FROM role, relation,
           unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'] || {maintain}) p
    WHERE relkind <> 'S' AND has_table_privilege(role.oid, relation.oid, p)
    UNION ALL
    SELECT rolname, kind || ' ' || name, p FROM role, relation, unnest(ARRAY['USAGE', 'SELECT', 'UPDATE']) p
    WHERE relkind = 'S' AND has_sequence_privilege(role.oid, relation.oid, p)
    UNION ALL
    SELECT rolname, 'column ' || name || '.' || attname, p
    FROM role, relation, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p, pg_attribute a
    WHERE relkind <> 'S' AND a.attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
      AND has_column_privilege(role.oid, relation.oid, attnum, p) AND NOT has_table_privilege(role.oid, relation.oid, p)
    UNION ALL
    SELECT rolname, 'function ' || name, 'EXECUTE' FROM role, routine
    WHERE has_function_privilege(role.oid, routine.oid, 'EXECUTE')
)
SELECT format('%s  %s  %s', subject, object, string_agg(privilege, ',' ORDER BY privilege COLLATE "C"))
FROM may GROUP BY subject, object
UNION ALL
SELECT format('role %s  %s', rolname, array_to_string(array_remove(ARRAY[
           CASE WHEN rolcanlogin THEN 'LOGIN' ELSE 'NOLOGIN' END, CASE WHEN rolsuper THEN 'SUPERUSER' END,
           CASE WHEN rolcreatedb THEN 'CREATEDB' END, CASE WHEN rolcreaterole THEN 'CREATEROLE' END,
           CASE WHEN rolreplication THEN 'REPLICATION' END, CASE WHEN rolbypassrls THEN 'BYPASSRLS' END,
           array_to_string(rolconfig, ',')], NULL), ','))
FROM pg_roles WHERE rolname = 'ops_owner' OR rolname IN (SELECT rolname FROM role)
UNION ALL
SELECT format('member %s  of %s  %s', u.rolname, g.rolname, concat_ws(',', CASE WHEN inherit_option THEN 'INHERIT' END,
              CASE WHEN set_option THEN 'SET' END, CASE WHEN m.admin_option THEN 'ADMIN' END))
FROM pg_auth_members m JOIN pg_roles u ON u.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
WHERE u.rolname IN (SELECT rolname FROM role)
UNION ALL
SELECT format('owner %s  %s', r.rolname, o.object) FROM (
    SELECT relowner AS owner, kind || ' ' || name AS object FROM relation JOIN pg_class USING (oid)
    UNION ALL SELECT proowner, 'function ' || name || CASE WHEN prosecdef THEN ' security definer' ELSE '' END
    FROM routine JOIN pg_proc USING (oid)
    UNION ALL SELECT nspowner, 'schema ' || nspname FROM pg_namespace WHERE nspname IN ('ops', 'ops_meta')
) o JOIN pg_roles r ON r.oid = o.owner
"""


def schema_text(settings: Settings) -> str:
    """The schema as SQL, without comments, blank lines and everything that differs between two equal databases.

    Raises:
        ServerFailed: pg_dump refuses.
    """
    named = [word for schema in SCHEMAS for word in ("--schema", schema)]
    url = endpoint.admin_url(settings, settings.database)
    dumped = programs.run("pg_dump", url, ["--schema-only", "--restrict-key=x", *named], DUMP_SECONDS)
    if dumped.returncode != 0:
        where = endpoint.of(settings)
        raise ServerFailed(f"pg_dump at {where.host}:{where.port} failed: {dumped.stderr.strip()}")
    return "\n".join(_statements(dumped.stdout)) + "\n"


def schema_hash(settings: Settings) -> str:
    """sha256 of `schema_text`."""
    return sha256_hex(schema_text(settings).encode())


def privileges_text(settings: Settings) -> str:
    """Who may do what: one sorted line a role and object, effective privileges, inherited ones included."""
    with psycopg.connect(endpoint.admin_url(settings, settings.database)) as conn:
        maintain = "ARRAY['MAINTAIN']" if conn.info.server_version >= 170_000 else "ARRAY[]::text[]"
        lines = {str(row[0]).rstrip() for row in conn.execute(_MATRIX.replace("{maintain}", maintain)).fetchall()}
    return "\n".join(sorted(lines)) + "\n"


def _statements(dump: str) -> Iterator[str]:
    for line in dump.splitlines():
        # pg_dump's own remarks begin a line; a comment inside a function's body is part of the function.
        if line.strip() and not line.startswith(("--", "\\restrict", "\\unrestrict")):
            yield line.rstrip()
