-- Roles without passwords; safe to run again. Passwords are set by `trading-ops init` and live in the home's secrets.
DO $$
DECLARE
    name text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'ops_owner') THEN
        CREATE ROLE ops_owner NOLOGIN;
    END IF;
    FOREACH name IN ARRAY ARRAY['migrator', 'app_writer', 'desk_reader', 'replayer', 'executor_ui', 'operator_ui',
                                'mcp_reader', 'mcp_fills_writer', 'backup', 'dagster', 'sign_in'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        END IF;
    END LOOP;
END $$;
GRANT ops_owner TO migrator WITH INHERIT FALSE, SET TRUE;
ALTER ROLE desk_reader SET default_transaction_read_only = on;
ALTER ROLE mcp_reader SET default_transaction_read_only = on;
ALTER ROLE replayer SET default_transaction_read_only = on;
ALTER ROLE backup SET default_transaction_read_only = on;
