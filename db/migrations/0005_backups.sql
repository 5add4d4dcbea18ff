-- Backups that were made, and the restores that proved them.

CREATE TABLE backups (
    backup_id       text PRIMARY KEY CHECK (backup_id ~ '^\d{8}T\d{6}Z-[0-9a-f]{8}$'),
    made_at         timestamptz NOT NULL CHECK (isfinite(made_at)),
    manifest_sha256 text NOT NULL CHECK (manifest_sha256 ~ '^[0-9a-f]{64}$'),
    bytes           bigint NOT NULL CHECK (bytes > 0),
    audit_seq       bigint NOT NULL UNIQUE REFERENCES audit_log,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE backups IS 'A backup that was made. It counts once a proof names it.';
COMMENT ON COLUMN backups.made_at IS 'The moment of the database that it holds.';
CREATE TABLE backup_proofs (
    proof_id   uuid PRIMARY KEY,
    backup_id  text NOT NULL REFERENCES backups,
    proven_at  timestamptz NOT NULL CHECK (isfinite(proven_at)),
    audit_seq  bigint NOT NULL UNIQUE REFERENCES audit_log,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE backup_proofs IS 'A restore of a backup in which every table, the schema and the audit head came out equal.';
CREATE INDEX backup_proofs_backup ON backup_proofs (backup_id);

-- A restore is compared with its source word by word, and PostgreSQL words BETWEEN beside AND otherwise the second time.
ALTER TABLE people DROP CONSTRAINT people_display_name_check;
ALTER TABLE people ADD CONSTRAINT people_display_name_check
    CHECK (length(display_name) >= 1 AND length(display_name) <= 60 AND display_name !~ '[\n\r]');

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['backups', 'backup_proofs'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_truncate', t);
    END LOOP;
END $$;
CREATE TRIGGER names_announcement BEFORE INSERT ON backups FOR EACH ROW
    EXECUTE FUNCTION names_announcement('backup.made', 'backup_id');
CREATE TRIGGER names_announcement BEFORE INSERT ON backup_proofs FOR EACH ROW
    EXECUTE FUNCTION names_announcement('backup.proven', 'backup_id');
ALTER TABLE backups ENABLE ALWAYS TRIGGER names_announcement;
ALTER TABLE backup_proofs ENABLE ALWAYS TRIGGER names_announcement;

GRANT SELECT, INSERT ON backups, backup_proofs TO app_writer;
GRANT SELECT ON backups, backup_proofs TO executor_ui, operator_ui, replayer, backup;
