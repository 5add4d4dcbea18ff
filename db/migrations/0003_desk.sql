-- The desk: who may sign in, answers in parts, what people type and file, name checks, corporate events, statements,
-- accepted corrections, and the delivery of messages.

-- ---------------------------------------------------------------- the person behind a database role
-- The database role says which part of the product wrote; the person is the one who is signed in, or at the terminal.
CREATE OR REPLACE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
DECLARE
    last record;
BEGIN
    -- One writer at a time until commit: sequence order is commit order, so a sequence number is a watermark.
    PERFORM pg_advisory_xact_lock(7301001);
    SELECT a.seq, a.hash INTO last FROM ops.audit_log a ORDER BY a.seq DESC LIMIT 1;
    NEW.seq := coalesce(last.seq, 0) + 1;
    NEW.prev_hash := coalesce(last.hash, repeat('0', 64));
    NEW.created_at := clock_timestamp();
    NEW.actor := session_user || coalesce(':' || nullif(current_setting('ops.person', true), ''), '');
    NEW.hash := ops.audit_hash(NEW.prev_hash, NEW.seq, NEW.created_at, NEW.actor, NEW.kind, NEW.subject, NEW.payload);
    RETURN NEW;
END $$;

-- ---------------------------------------------------------------- people and their sessions
CREATE TABLE people (
    username      text NOT NULL CHECK (username ~ '^[a-z][a-z0-9_.-]{0,31}$'),
    revision      integer NOT NULL CHECK (revision > 0),
    role          text NOT NULL CHECK (role IN ('executor', 'operator')),
    display_name  text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 60 AND display_name !~ '[\n\r]'),
    email         text NOT NULL CHECK (email = '' OR email ~ '^[^@\s<>,;]+@[^@\s<>,;]+$'),
    password_hash text NOT NULL,
    active        boolean NOT NULL,
    audit_seq     bigint NOT NULL REFERENCES audit_log,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (username, revision)
);
COMMENT ON TABLE people IS 'Who may sign in; the newest revision counts. A newer one ends the sessions of the older.';
CREATE TABLE sign_ins (
    session_sha256 text PRIMARY KEY CHECK (session_sha256 ~ '^[0-9a-f]{64}$'),
    username       text NOT NULL,
    revision       integer NOT NULL,
    device         text NOT NULL,
    remote         text NOT NULL,
    expires_at     timestamptz NOT NULL CHECK (isfinite(expires_at)),
    audit_seq      bigint NOT NULL REFERENCES audit_log,
    created_at     timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (username, revision) REFERENCES people
);
COMMENT ON COLUMN sign_ins.session_sha256 IS 'Hash of the token that the browser holds; the token itself is stored nowhere.';
CREATE INDEX sign_ins_username ON sign_ins (username);
CREATE TABLE sign_outs (
    session_sha256 text PRIMARY KEY REFERENCES sign_ins,
    why            text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sign_in_attempts (
    attempt_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username   text NOT NULL,
    remote     text NOT NULL,
    outcome    text NOT NULL CHECK (outcome IN ('ok', 'wrong', 'locked')),
    at         timestamptz NOT NULL
);
CREATE INDEX sign_in_attempts_username ON sign_in_attempts (username, at);
CREATE VIEW desk_people AS
    SELECT DISTINCT ON (username) username, role, display_name, email, active
    FROM people ORDER BY username, revision DESC;

-- ---------------------------------------------------------------- what people type
CREATE TABLE page_drafts (
    draft_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username   text NOT NULL,
    page       text NOT NULL,
    subject    text NOT NULL,
    body       jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE page_drafts IS 'What was typed and not yet sent, so that a closed browser loses nothing. The newest counts; no fact.';
CREATE INDEX page_drafts_newest ON page_drafts (page, subject, username, draft_id);
CREATE TABLE submissions (
    submission_id  uuid PRIMARY KEY,
    kind           text NOT NULL,
    subject        text NOT NULL,
    content_sha256 text NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    username       text NOT NULL,
    result         jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE submissions IS 'A form sent once, however often its button is pressed: the page makes the key before it shows the button.';

-- ---------------------------------------------------------------- answers in parts, guarded by what was shown
ALTER TABLE confirmations ADD COLUMN ticket_sha256 text CHECK (ticket_sha256 ~ '^[0-9a-f]{64}$');
ALTER TABLE confirmations ADD COLUMN note text NOT NULL DEFAULT '';
ALTER TABLE confirmations ADD COLUMN typed jsonb;
ALTER TABLE confirmations ADD COLUMN questions jsonb NOT NULL DEFAULT '[]';
COMMENT ON COLUMN confirmations.ticket_sha256 IS 'The ticket as it was shown when this was answered.';
COMMENT ON COLUMN confirmations.typed IS 'Letter by letter what the person typed; the other columns are how it was read.';
COMMENT ON COLUMN confirmations.questions IS 'What the form asked again, and the person said it is right.';
CREATE TABLE confirmation_parts (
    confirmation_id uuid NOT NULL REFERENCES confirmations,
    part            integer NOT NULL CHECK (part > 0),
    position_id     text,
    lot_id          text,
    units           numeric(20, 6) CHECK (units > 0 AND units <> 'NaN'),
    price_usd       numeric(20, 8) NOT NULL CHECK (price_usd > 0 AND price_usd <> 'NaN'),
    value_gbp       numeric(16, 2) CHECK (value_gbp > 0 AND value_gbp <> 'NaN'),
    executed_at     timestamptz NOT NULL CHECK (isfinite(executed_at)),
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (confirmation_id, part),
    CHECK (num_nonnulls(units, value_gbp) > 0)
);
COMMENT ON TABLE confirmation_parts IS 'A line that closed several positions, or was filled in several pieces: each as the screen shows it.';
ALTER TABLE ledger_trades_fills ADD COLUMN part integer NOT NULL DEFAULT 1 CHECK (part > 0);
ALTER TABLE ledger_trades_fills DROP CONSTRAINT ledger_trades_fills_confirmation_id_key;
ALTER TABLE ledger_trades_fills ADD CONSTRAINT ledger_trades_fills_confirmation_part UNIQUE (confirmation_id, part);

CREATE FUNCTION lock_ticket(of_plan text) RETURNS TABLE (ticket_id text, verdict text, content_sha256 text, withdrawn boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
BEGIN
    PERFORM 1 FROM ops.tickets t WHERE t.plan_id = of_plan FOR NO KEY UPDATE;
    RETURN QUERY SELECT t.ticket_id, t.verdict, t.content_sha256,
                        EXISTS (SELECT 1 FROM ops.ticket_withdrawals w WHERE w.plan_id = t.plan_id)
                 FROM ops.tickets t WHERE t.plan_id = of_plan;
END $$;
COMMENT ON FUNCTION lock_ticket(text) IS 'One writer of answers, or one withdrawal, at a time for a ticket.';

CREATE FUNCTION guard_confirmation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
DECLARE
    ticket record;
BEGIN
    SELECT * INTO ticket FROM ops.lock_ticket(NEW.plan_id);
    IF ticket.withdrawn AND NEW.status NOT IN ('DONE', 'PARTIAL') AND NOT EXISTS (
        SELECT 1 FROM ops.confirmations c WHERE c.plan_id = NEW.plan_id AND c.line = NEW.line) THEN
        RAISE EXCEPTION 'ticket % was withdrawn: only what was already done can be entered', ticket.ticket_id
            USING ERRCODE = '23514';
    END IF;
    IF NEW.ticket_sha256 IS DISTINCT FROM ticket.content_sha256 THEN
        RAISE EXCEPTION 'ticket % is not the one that was shown', ticket.ticket_id USING ERRCODE = '23514';
    END IF;
    IF EXISTS (SELECT 1 FROM ops.confirmations c WHERE c.plan_id = NEW.plan_id AND c.line = NEW.line
               AND c.revision >= NEW.revision) THEN
        RAISE EXCEPTION 'line % of ticket % was answered meanwhile', NEW.line, ticket.ticket_id USING ERRCODE = '23505';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_confirmation BEFORE INSERT ON confirmations FOR EACH ROW EXECUTE FUNCTION guard_confirmation();

-- The executor takes a fill out of force only by answering its line anew.
CREATE FUNCTION guard_void() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
BEGIN
    IF session_user = 'executor_ui' AND NOT EXISTS (
        SELECT 1 FROM ops.ledger_trades_fills f JOIN ops.confirmations c ON c.corrects = f.confirmation_id
        WHERE f.fill_id = NEW.fill_id) THEN
        RAISE EXCEPTION 'the executor takes a fill out of force only by correcting its answer' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_void BEFORE INSERT ON ledger_voids FOR EACH ROW EXECUTE FUNCTION guard_void();

-- ---------------------------------------------------------------- names looked up at the broker
CREATE TABLE name_checks (
    check_id   uuid PRIMARY KEY,
    symbol     text NOT NULL REFERENCES instruments,
    outcome    text NOT NULL CHECK (outcome IN ('found', 'cfd', 'missing')),
    lookalikes text NOT NULL CHECK (length(lookalikes) <= 400),
    day        date NOT NULL CHECK (isfinite(day)),
    checked_by text NOT NULL,
    audit_seq  bigint NOT NULL UNIQUE REFERENCES audit_log,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE name_checks IS 'A person searched a name on eToro: found as a stock, only as a CFD, or not at all. The newest counts.';
CREATE INDEX name_checks_symbol ON name_checks (symbol, audit_seq);

-- ---------------------------------------------------------------- corporate events
CREATE TABLE ledger_events (
    event_id    uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('spin_off', 'merger', 'delisting', 'name_change')),
    symbol      text NOT NULL REFERENCES instruments,
    day         date NOT NULL CHECK (isfinite(day)),
    new_symbol  text REFERENCES instruments CHECK (new_symbol <> symbol),
    new_units   numeric(20, 6) NOT NULL CHECK (new_units >= 0 AND new_units <> 'NaN'),
    cost_share  numeric(10, 9) NOT NULL CHECK (cost_share BETWEEN 0 AND 1),
    cash_gbp    numeric(16, 2) NOT NULL CHECK (cash_gbp >= 0 AND cash_gbp <> 'NaN'),
    recorded_by text NOT NULL,
    why         text NOT NULL CHECK (length(why) > 0),
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE ledger_voids ADD COLUMN event_id uuid UNIQUE REFERENCES ledger_events;
ALTER TABLE ledger_voids DROP CONSTRAINT ledger_voids_check;
ALTER TABLE ledger_voids ADD CONSTRAINT ledger_voids_names_one CHECK (num_nonnulls(fill_id, movement_id, event_id) = 1);

-- ---------------------------------------------------------------- the broker's own statements
CREATE TABLE broker_statements (
    sha256     text PRIMARY KEY CHECK (sha256 = encode(sha256(body), 'hex')),
    name       text NOT NULL,
    versions   jsonb NOT NULL,
    currency   text NOT NULL CHECK (currency IN ('GBP', 'USD', 'EUR')),
    body       bytea NOT NULL,
    entered_by text NOT NULL,
    audit_seq  bigint NOT NULL REFERENCES audit_log,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE broker_statement_rows (
    row_key     text PRIMARY KEY CHECK (row_key ~ '^[0-9a-f]{64}$'),
    sha256      text NOT NULL REFERENCES broker_statements,
    sheet       text NOT NULL,
    row_number  integer NOT NULL CHECK (row_number > 0),
    kind        text NOT NULL,
    at          timestamptz NOT NULL CHECK (isfinite(at)),
    symbol      text,
    units       numeric(20, 6) CHECK (units <> 'NaN'),
    amount_gbp  numeric(16, 2) CHECK (amount_gbp <> 'NaN'),
    position_id text,
    body        jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN broker_statement_rows.row_key IS 'Hash of the row''s content: the same row in another statement is the same fact.';
CREATE INDEX broker_statement_rows_at ON broker_statement_rows (at);

-- ---------------------------------------------------------------- differences that a person resolved
CREATE TABLE drift_resolutions (
    resolution_id uuid PRIMARY KEY,
    snapshot_id   uuid NOT NULL REFERENCES broker_snapshots,
    class         text NOT NULL CHECK (class ~ '^[A-Z_]+$'),
    subject       text NOT NULL,
    sentence      text NOT NULL,
    entries       jsonb NOT NULL,
    accepted_by   text NOT NULL,
    note          text NOT NULL,
    audit_seq     bigint NOT NULL REFERENCES audit_log,
    created_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE drift_resolutions IS 'A proposed correction that a person accepted, and the ledger entries it made. Accepting twice adds nothing.';

-- ---------------------------------------------------------------- delivery of messages
CREATE TABLE outbox_deliveries (
    outbox_id  bigint NOT NULL REFERENCES outbox,
    channel    text NOT NULL CHECK (channel IN ('mail', 'push')),
    address    text NOT NULL,
    attempt    integer NOT NULL CHECK (attempt > 0),
    outcome    text NOT NULL CHECK (outcome IN ('sent', 'deferred', 'dead', 'requeued')),
    message_id text NOT NULL,
    detail     text NOT NULL,
    next_at    timestamptz,
    at         timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (outbox_id, channel, address, attempt),
    CHECK ((outcome IN ('deferred', 'requeued')) = (next_at IS NOT NULL))
);
COMMENT ON TABLE outbox_deliveries IS 'Every try to tell someone, and how it ended. A message is waiting until it is sent or dead.';
CREATE FUNCTION outbox_lock(of_id bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
BEGIN
    PERFORM 1 FROM ops.outbox o WHERE o.outbox_id = of_id FOR NO KEY UPDATE SKIP LOCKED;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION outbox_lock(bigint) IS 'Takes a message for the rest of the transaction; false when another sender has it.';

-- ---------------------------------------------------------------- test tickets: one small order through the whole path
ALTER TABLE plans ADD COLUMN kind text NOT NULL DEFAULT 'weekly' CHECK (kind IN ('weekly', 'test'));
ALTER TABLE plans DROP CONSTRAINT plans_plan_id_check;
ALTER TABLE plans DROP CONSTRAINT plans_week_check;
ALTER TABLE plans DROP CONSTRAINT plans_check1;
ALTER TABLE plans DROP CONSTRAINT plans_asof_key;
ALTER TABLE plans ADD CONSTRAINT plans_names_fit CHECK (CASE kind
    WHEN 'weekly' THEN plan_id = to_char(asof, 'YYYY-MM-DD') AND week ~ '^\d{4}-W\d{2}$'
    ELSE plan_id = 'test-' || to_char(asof, 'YYYY-MM-DD') AND week = plan_id END);
CREATE UNIQUE INDEX plans_one_a_session ON plans (asof, kind);
COMMENT ON COLUMN plans.kind IS 'weekly: the schedule of record. test: one small order that tries the whole path, judged by the same rules.';
CREATE OR REPLACE FUNCTION lines_before(of_plan text, upto bigint)
RETURNS TABLE (plan_id text, line integer, symbol text, side text, units numeric, amount_gbp numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
    SELECT l.plan_id, l.line, l.symbol, l.side, l.units, l.amount_gbp
    FROM ops.ticket_lines l
    WHERE l.plan_id = (SELECT t.plan_id FROM ops.tickets t JOIN ops.plans p USING (plan_id), ops.plans o
                       WHERE o.plan_id = of_plan AND t.verdict = 'TRADE' AND t.audit_seq <= upto
                         AND (p.asof < o.asof OR (p.asof = o.asof AND p.kind = 'weekly' AND o.kind = 'test'))
                       ORDER BY p.asof DESC, p.kind = 'test' DESC LIMIT 1)
    ORDER BY l.line
$$;
CREATE OR REPLACE FUNCTION newest_plan_before(of_plan text, upto bigint) RETURNS date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
    SELECT max(p.asof) FROM ops.tickets t JOIN ops.plans p USING (plan_id), ops.plans o
    WHERE o.plan_id = of_plan AND p.kind = 'weekly' AND p.asof < o.asof AND t.audit_seq <= upto
      AND t.evidence ? 'NAMES_FROZEN'
$$;

-- ---------------------------------------------------------------- append-only, for everyone
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['people', 'sign_ins', 'sign_outs', 'sign_in_attempts', 'page_drafts', 'submissions',
                             'confirmation_parts', 'name_checks', 'ledger_events', 'broker_statements',
                             'broker_statement_rows', 'drift_resolutions', 'outbox_deliveries'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_truncate', t);
    END LOOP;
END $$;
ALTER TABLE confirmations ENABLE ALWAYS TRIGGER guard_confirmation;
ALTER TABLE ledger_voids ENABLE ALWAYS TRIGGER guard_void;

-- ---------------------------------------------------------------- who may do what
REVOKE ALL ON FUNCTION lock_ticket(text), outbox_lock(bigint), guard_confirmation(), guard_void() FROM PUBLIC;
GRANT USAGE ON SCHEMA ops TO sign_in;
-- Passwords and sessions are seen by the one who guards the door, and by nobody else.
GRANT SELECT, INSERT ON people, sign_ins, sign_outs, sign_in_attempts TO sign_in;
GRANT SELECT (seq), INSERT ON audit_log TO sign_in;
GRANT SELECT ON desk_people TO app_writer, executor_ui, operator_ui, sign_in;
GRANT SELECT, INSERT ON page_drafts, submissions, confirmation_parts, name_checks, ledger_events, broker_statements,
    broker_statement_rows, drift_resolutions, outbox_deliveries TO app_writer;
GRANT EXECUTE ON FUNCTION lock_ticket(text), outbox_lock(bigint) TO app_writer;
-- The pages read what the desk knows; each writes only what its person may say.
GRANT SELECT ON audit_log, books, config_policy, instruments, config_universe_versions, config_universe, universe_disablements,
    price_loads, price_load_symbols, market_prices_eod, corporate_actions, fx_rates_eod, quality_acceptances, name_freezes,
    snapshot_parts, data_snapshots, data_snapshot_parts, plans, plan_openings, runs, run_snapshots, run_manifests,
    risk_checks, decisions, tickets, ticket_lines, ticket_withdrawals, confirmations, confirmation_parts,
    ledger_trades_intended, ledger_trades_fills, ledger_cash_movements, ledger_voids, ledger_events,
    broker_snapshots, broker_snapshot_holdings, broker_statements, broker_statement_rows, drift_resolutions,
    kill_switch_events, incidents, incident_closures, outbox, outbox_deliveries, name_checks, page_drafts, submissions
    TO executor_ui, operator_ui;
GRANT INSERT ON audit_log, submissions, page_drafts, confirmations, confirmation_parts, ledger_trades_fills, ledger_voids,
    universe_disablements, name_checks, incidents, outbox, broker_snapshots, broker_snapshot_holdings, broker_statements,
    broker_statement_rows TO executor_ui, operator_ui;
GRANT INSERT ON ledger_cash_movements, ledger_events, drift_resolutions, ticket_withdrawals, kill_switch_events,
    incident_closures, quality_acceptances, price_loads, price_load_symbols, corporate_actions, snapshot_parts,
    data_snapshots, data_snapshot_parts, outbox_deliveries TO operator_ui;
GRANT INSERT ON snapshot_parts, data_snapshots, data_snapshot_parts TO executor_ui;
GRANT EXECUTE ON FUNCTION lock_ticket(text), lines_before(text, bigint), newest_plan_before(text, bigint) TO executor_ui, operator_ui;
GRANT EXECUTE ON FUNCTION audit_broken(), audit_hash(text, bigint, timestamptz, text, text, text, text) TO operator_ui;
GRANT SELECT ON ledger_events, name_checks, confirmation_parts TO replayer;
GRANT SELECT ON people, sign_ins, sign_outs, sign_in_attempts, desk_people, page_drafts, submissions, confirmation_parts,
    name_checks, ledger_events, broker_statements, broker_statement_rows, drift_resolutions, outbox_deliveries TO backup;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA ops TO backup;
