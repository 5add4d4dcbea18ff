-- Who has taken an incident on, and how often it was told of again because nobody had.

CREATE TABLE incident_acknowledgements (
    incident_id     uuid PRIMARY KEY REFERENCES incidents,
    acknowledged_by text NOT NULL CHECK (length(acknowledged_by) > 0),
    note            text NOT NULL CHECK (length(note) > 0),
    audit_seq       bigint NOT NULL UNIQUE REFERENCES audit_log,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE incident_acknowledgements IS 'A named person works on it, once an incident. It is told of no more, and stays open.';
CREATE TABLE incident_escalations (
    incident_id uuid NOT NULL REFERENCES incidents,
    level       integer NOT NULL CHECK (level >= 1),
    audit_seq   bigint NOT NULL UNIQUE REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (incident_id, level)
);
COMMENT ON TABLE incident_escalations IS 'An incident that nobody had acknowledged was told of again.';

DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('incident_acknowledgements', 'desk.incident_acknowledged'),
        ('incident_escalations', 'desk.incident_escalated')
    ) AS listed(name, kind) LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', t.name);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t.name);
        EXECUTE format('CREATE TRIGGER names_announcement BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION names_announcement(%L, %L)',
                       t.name, t.kind, 'incident_id::text');
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t.name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_truncate', t.name);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER names_announcement', t.name);
    END LOOP;
END $$;

-- The operator's page acknowledges as well as it closes.
CREATE OR REPLACE FUNCTION guard_announcement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
DECLARE
    door text[] := ARRAY['people.set', 'people.signed_in', 'people.signed_out'];
    executor text[] := ARRAY['answers.confirmation', 'broker.snapshot', 'broker.statement', 'desk.incident', 'ledger.fill',
                             'ledger.void', 'market.snapshot', 'universe.checked', 'universe.disabled'];
    operator text[] := executor || ARRAY['desk.incident_acknowledged', 'desk.incident_closed', 'desk.kill_switch',
                                         'ledger.event', 'ledger.movement', 'ledger.resolution', 'market.load',
                                         'outbox.requeued', 'quality.accepted', 'ticket.withdrawn'];
BEGIN
    IF NEW.kind <> ALL (CASE session_user WHEN 'executor_ui' THEN executor WHEN 'operator_ui' THEN operator
                                          WHEN 'sign_in' THEN door ELSE ARRAY[NEW.kind] END) THEN
        RAISE EXCEPTION '% does not announce %', session_user, NEW.kind USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

-- A page's role closes and acknowledges in the name of who sits there: the person of the announcement, never the watch.
CREATE FUNCTION guard_incident_person() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
DECLARE
    named text := to_jsonb(NEW) ->> TG_ARGV[0];
BEGIN
    IF session_user = 'operator_ui' AND named IS DISTINCT FROM
       (SELECT substr(a.actor, length('operator_ui:') + 1) FROM ops.audit_log a WHERE a.seq = NEW.audit_seq) THEN
        RAISE EXCEPTION '% is not who sits at the page of the operator', coalesce(named, 'nobody')
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
COMMENT ON FUNCTION guard_incident_person() IS 'Argument: the column that names the person.';
CREATE TRIGGER guard_incident_person BEFORE INSERT ON incident_acknowledgements FOR EACH ROW
    EXECUTE FUNCTION guard_incident_person('acknowledged_by');
CREATE TRIGGER guard_incident_person BEFORE INSERT ON incident_closures FOR EACH ROW
    EXECUTE FUNCTION guard_incident_person('closed_by');
ALTER TABLE incident_acknowledgements ENABLE ALWAYS TRIGGER guard_incident_person;
ALTER TABLE incident_closures ENABLE ALWAYS TRIGGER guard_incident_person;
REVOKE ALL ON FUNCTION guard_incident_person() FROM PUBLIC;

GRANT SELECT, INSERT ON incident_acknowledgements, incident_escalations TO app_writer;
GRANT SELECT ON incident_acknowledgements, incident_escalations TO executor_ui, operator_ui, backup;
GRANT INSERT ON incident_acknowledgements TO operator_ui;
