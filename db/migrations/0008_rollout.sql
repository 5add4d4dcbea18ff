-- The roll-out: which phase the book is in, who led it on or back, and on what evidence. And reports of months.

CREATE TABLE rollout_acts (
    act_id          uuid PRIMARY KEY,
    act             text NOT NULL CHECK (act IN ('begun', 'promoted', 'returned', 'certified')),
    phase           text NOT NULL CHECK (phase IN ('preflight', 'dry_run', 'small_capital', 'scale')),
    share           numeric(5, 4) NOT NULL CHECK (share >= 0 AND share <= 1),
    reason          text NOT NULL CHECK (length(reason) > 0),
    set_by          text NOT NULL CHECK (length(set_by) > 0),
    document        text NOT NULL,
    document_sha256 text NOT NULL CHECK (document_sha256 = encode(sha256(convert_to(document, 'UTF8')), 'hex')),
    audit_seq       bigint NOT NULL UNIQUE REFERENCES audit_log,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE rollout_acts IS 'The newest one that is no certificate says which phase the book is in. A way back is a new act.';
COMMENT ON COLUMN rollout_acts.share IS 'Share of full size that the phase trades; 0 in a phase that trades nothing.';
COMMENT ON COLUMN rollout_acts.document IS 'Canonical JSON: what was judged, and how. Of a certificate: the certificate.';

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON rollout_acts FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON rollout_acts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER names_announcement BEFORE INSERT ON rollout_acts FOR EACH ROW
    EXECUTE FUNCTION names_announcement('rollout.act', 'act_id::text');
ALTER TABLE rollout_acts ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE rollout_acts ENABLE ALWAYS TRIGGER append_only_truncate;
ALTER TABLE rollout_acts ENABLE ALWAYS TRIGGER names_announcement;

GRANT SELECT, INSERT ON rollout_acts TO app_writer;
GRANT SELECT ON rollout_acts TO operator_ui, backup;

ALTER TABLE reports DROP CONSTRAINT reports_kind_check;
ALTER TABLE reports ADD CONSTRAINT reports_kind_check CHECK (kind IN ('daily', 'weekly', 'monthly'));
COMMENT ON COLUMN reports.day IS 'Daily: the session. Weekly: the as-of session of the week''s plan. Monthly: the last session of the month.';
