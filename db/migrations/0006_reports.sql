-- Daily and weekly reports: their facts, and the texts that people read, each with its hash.

CREATE TABLE reports (
    kind            text NOT NULL CHECK (kind IN ('daily', 'weekly')),
    day             date NOT NULL CHECK (isfinite(day)),
    revision        integer NOT NULL CHECK (revision > 0),
    replaces        text CHECK (replaces ~ '^[0-9a-f]{64}$'),
    facts           text NOT NULL,
    markdown        text NOT NULL,
    html            text NOT NULL,
    facts_sha256    text NOT NULL CHECK (facts_sha256 = encode(sha256(convert_to(facts, 'UTF8')), 'hex')),
    markdown_sha256 text NOT NULL CHECK (markdown_sha256 = encode(sha256(convert_to(markdown, 'UTF8')), 'hex')),
    html_sha256     text NOT NULL CHECK (html_sha256 = encode(sha256(convert_to(html, 'UTF8')), 'hex')),
    audit_seq       bigint NOT NULL UNIQUE REFERENCES audit_log,
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (kind, day, revision),
    CHECK ((revision = 1) = (replaces IS NULL))
);
COMMENT ON TABLE reports IS 'What people were told of a day or a week. A corrected report is a new revision that names the hash of the one before.';
COMMENT ON COLUMN reports.day IS 'Daily: the session. Weekly: the as-of session of the week''s plan.';
COMMENT ON COLUMN reports.facts IS 'Canonical JSON; Markdown and HTML follow from it alone.';

CREATE FUNCTION guard_report() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
DECLARE
    before text;
BEGIN
    IF NEW.revision > 1 THEN
        SELECT r.facts_sha256 INTO before FROM ops.reports r
            WHERE r.kind = NEW.kind AND r.day = NEW.day AND r.revision = NEW.revision - 1;
        IF before IS DISTINCT FROM NEW.replaces THEN
            RAISE EXCEPTION 'revision % of the % report of % does not name the one before', NEW.revision, NEW.kind, NEW.day
                USING ERRCODE = '23514';
        END IF;
    END IF;
    RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION guard_report() FROM PUBLIC;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON reports FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON reports FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER guard_report BEFORE INSERT ON reports FOR EACH ROW EXECUTE FUNCTION guard_report();
CREATE TRIGGER names_announcement BEFORE INSERT ON reports FOR EACH ROW
    EXECUTE FUNCTION names_announcement('report.written', 'concat_ws(''/'', kind, day, revision)');
ALTER TABLE reports ENABLE ALWAYS TRIGGER names_announcement;
ALTER TABLE reports ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE reports ENABLE ALWAYS TRIGGER append_only_truncate;
ALTER TABLE reports ENABLE ALWAYS TRIGGER guard_report;

GRANT SELECT, INSERT ON reports TO app_writer;
GRANT SELECT ON reports TO operator_ui, backup;
