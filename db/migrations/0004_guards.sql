-- Guards: whose answers a plan waits for, in which order answers and voids follow each other, which audit row a fact
-- names, and what the roles of the pages may announce and tell.

-- ---------------------------------------------------------------- no confirm: no trade
-- The newest weekly TRADE ticket before a plan, and every TRADE test ticket that this one did not wait for itself: those
-- of its session or a later one, and those of which its run could not know. A test of an earlier session counts as soon
-- as the plan's run may know of it; one of the plan's own session or a later one when it was there before the plan began.
-- Runs of before this migration waited for the newest TRADE ticket alone, and are replayed by that rule.
CREATE TABLE tests_waited_for_since (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    facts_seq bigint NOT NULL
);
COMMENT ON TABLE tests_waited_for_since IS 'The end of the chain when lines_before began to look at tests; runs whose facts end here or before wait by the rule of then.';
LOCK TABLE audit_log IN SHARE MODE;  -- whoever is announcing ends first: no run can be of an end that is not the last
INSERT INTO tests_waited_for_since (facts_seq) SELECT coalesce(max(seq), 0) FROM audit_log;
CREATE OR REPLACE FUNCTION lines_before(of_plan text, upto bigint)
RETURNS TABLE (plan_id text, line integer, symbol text, side text, units numeric, amount_gbp numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
    WITH asking AS (
        SELECT p.plan_id, p.asof, p.kind, o.audit_seq AS opened,
               upto <= (SELECT facts_seq FROM ops.tests_waited_for_since) AS of_then
        FROM ops.plans p LEFT JOIN ops.plan_openings o USING (plan_id) WHERE p.plan_id = of_plan
    ), known AS (
        SELECT t.plan_id, t.run_id, t.audit_seq, p.asof, p.kind
        FROM ops.tickets t JOIN ops.plans p USING (plan_id) WHERE t.verdict = 'TRADE' AND t.audit_seq <= upto
    ), earlier AS (
        SELECT k.* FROM asking a JOIN known k ON k.asof < a.asof OR (k.asof = a.asof AND k.kind = 'weekly' AND a.kind = 'test')
    ), newest AS (
        SELECT e.plan_id, e.asof FROM earlier e ORDER BY e.asof DESC, e.kind = 'test' DESC LIMIT 1
    ), week AS (
        SELECT e.plan_id, e.asof, r.facts_seq
        FROM earlier e JOIN ops.runs r USING (run_id) WHERE e.kind = 'weekly'
        ORDER BY e.asof DESC LIMIT 1
    ), wanted AS (
        SELECT n.plan_id, n.asof, false AS is_test FROM newest n JOIN asking a ON a.of_then
        UNION ALL
        SELECT w.plan_id, w.asof, false FROM week w JOIN asking a ON NOT a.of_then
        UNION ALL
        SELECT k.plan_id, k.asof, true
        FROM asking a JOIN known k ON NOT a.of_then AND k.kind = 'test' AND k.plan_id <> a.plan_id
             AND (k.asof < a.asof OR k.audit_seq < a.opened)
        LEFT JOIN week w ON true
        WHERE w.plan_id IS NULL OR k.asof >= w.asof OR k.audit_seq > w.facts_seq
    )
    SELECT l.plan_id, l.line, l.symbol, l.side, l.units, l.amount_gbp
    FROM wanted w JOIN ops.ticket_lines l USING (plan_id)
    ORDER BY w.asof, w.is_test, l.line
$$;
COMMENT ON FUNCTION lines_before(text, bigint) IS 'The lines whose answers a plan waits for, all that replay may see of tickets: the newest weekly TRADE ticket''s, and those of the tests since.';

-- ---------------------------------------------------------------- an answer follows the newest of its own line
CREATE OR REPLACE FUNCTION guard_confirmation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
DECLARE
    ticket record;
    newest record;
BEGIN
    SELECT * INTO ticket FROM ops.lock_ticket(NEW.plan_id);
    SELECT c.revision, c.confirmation_id INTO newest FROM ops.confirmations c
        WHERE c.plan_id = NEW.plan_id AND c.line = NEW.line ORDER BY c.revision DESC LIMIT 1;
    IF ticket.withdrawn AND NEW.status NOT IN ('DONE', 'PARTIAL') AND newest.revision IS NULL THEN
        RAISE EXCEPTION 'ticket % was withdrawn: only what was already done can be entered', ticket.ticket_id
            USING ERRCODE = '23514';
    END IF;
    IF NEW.ticket_sha256 IS DISTINCT FROM ticket.content_sha256 THEN
        RAISE EXCEPTION 'ticket % is not the one that was shown', ticket.ticket_id USING ERRCODE = '23514';
    END IF;
    IF newest.revision >= NEW.revision THEN
        RAISE EXCEPTION 'line % of ticket % was answered meanwhile', NEW.line, ticket.ticket_id USING ERRCODE = '23505';
    END IF;
    IF NEW.revision <> coalesce(newest.revision, 0) + 1 OR NEW.corrects IS DISTINCT FROM newest.confirmation_id THEN
        RAISE EXCEPTION 'an answer to line % of ticket % corrects the newest answer of that line, and has the revision after it',
            NEW.line, ticket.ticket_id USING ERRCODE = '23514';
    END IF;
    RETURN NEW;
END $$;

-- The executor takes a fill out of force only by answering its line anew.
CREATE OR REPLACE FUNCTION guard_void() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
BEGIN
    IF session_user = 'executor_ui' AND NOT EXISTS (
        SELECT 1 FROM ops.ledger_trades_fills f JOIN ops.confirmations c
            ON c.corrects = f.confirmation_id AND c.plan_id = f.plan_id AND c.line = f.line
        WHERE f.fill_id = NEW.fill_id) THEN
        RAISE EXCEPTION 'the executor takes a fill out of force only by correcting its answer' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;

-- ---------------------------------------------------------------- a fact names the row that announced it, and no other
-- Of this very transaction: xmin of the row is its own xid, or that of a savepoint in it, which is never below.
-- A row that can be seen and whose xid is still in progress is one's own: others' rows are seen only once they are
-- committed. The clock would not do, as others announce meanwhile; nor a setting, which whoever writes can set.
CREATE FUNCTION of_this_transaction(made_by xid) RETURNS boolean LANGUAGE plpgsql COST 1000
SET search_path = pg_catalog AS $$
DECLARE
    here bigint := pg_current_xact_id()::text::bigint;
    since bigint := (made_by::text::bigint - here) & 4294967295;  -- xmin has 32 bits; what began before ends up above 2^31
BEGIN
    RETURN CASE WHEN since < 2147483648 THEN pg_xact_status((here + since)::text::xid8) = 'in progress' ELSE false END;
END $$;

-- It costs a look-up by key for each fact. Bars have no number of their own: their load has it, once.
CREATE FUNCTION names_announcement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops SET datestyle = 'ISO, YMD' AS $$
DECLARE
    wanted text;
    said record;
BEGIN
    EXECUTE format('SELECT %s FROM (SELECT ($1).*) AS fact', TG_ARGV[1]) INTO wanted USING NEW;
    SELECT a.kind, a.subject, a.xmin INTO said FROM ops.audit_log a WHERE a.seq = NEW.audit_seq;
    IF said.kind = TG_ARGV[0] AND said.subject = wanted AND ops.of_this_transaction(said.xmin) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a row of % names audit row %, which does not announce % of % in the same transaction',
        TG_TABLE_NAME, coalesce(NEW.audit_seq::text, 'none'), TG_ARGV[0], coalesce(wanted, 'nothing')
        USING ERRCODE = '23514';
END $$;
COMMENT ON FUNCTION names_announcement() IS 'Arguments: the kind of the announcement, and its subject as an expression over the row.';
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('books', 'book.created', 'book'),
        ('broker_snapshots', 'broker.snapshot', 'snapshot_id::text'),
        ('broker_statements', 'broker.statement', 'sha256'),
        ('config_policy', 'config.policy', 'version::text'),
        ('config_universe_versions', 'config.universe', 'version::text'),
        ('confirmations', 'answers.confirmation', 'concat_ws(''/'', plan_id, line, revision)'),
        ('data_snapshots', 'market.snapshot', 'snapshot_id'),
        ('decisions', 'plan.decision', 'plan_id'),
        ('drift_resolutions', 'ledger.resolution', 'resolution_id::text'),
        ('incident_closures', 'desk.incident_closed', 'incident_id::text'),
        ('incidents', 'desk.incident', 'incident_id::text'),
        ('kill_switch_events', 'desk.kill_switch', 'state'),
        ('ledger_cash_movements', 'ledger.movement', 'movement_id::text'),
        ('ledger_events', 'ledger.event', 'event_id::text'),
        ('ledger_trades_fills', 'ledger.fill', 'fill_id::text'),
        ('ledger_voids', 'ledger.void', 'coalesce(fill_id, movement_id, event_id)::text'),
        ('name_checks', 'universe.checked', 'symbol'),
        ('name_freezes', 'quality.frozen', 'concat_ws('' '', symbol, session)'),
        ('people', 'people.set', 'username'),
        ('plan_openings', 'plan.opened', 'plan_id'),
        ('plans', 'plan.registered', 'plan_id'),
        ('price_loads', 'market.load', 'provider'),
        ('quality_acceptances', 'quality.accepted', 'concat_ws('' '', symbol, session)'),
        ('sign_ins', 'people.signed_in', 'username'),
        ('ticket_withdrawals', 'ticket.withdrawn', 'plan_id'),
        ('tickets', 'ticket.issued', 'plan_id'),
        ('universe_disablements', 'universe.disabled', 'symbol')
    ) AS listed(name, kind, subject) LOOP
        -- BEFORE, and behind guard_*: what a person can put right is told first.
        EXECUTE format('CREATE TRIGGER names_announcement BEFORE INSERT ON %I FOR EACH ROW EXECUTE FUNCTION names_announcement(%L, %L)',
                       t.name, t.kind, t.subject);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER names_announcement', t.name);
    END LOOP;
END $$;
ALTER TABLE price_loads ADD CONSTRAINT price_loads_known_by_its_announcement CHECK (load_id = audit_seq);

-- Rows without a number of their own are part of the fact they belong to, and come with it: a holding added to an account
-- check later, or a split to a load, would change the past without an announcement. Once a statement, not once a row.
CREATE FUNCTION comes_with_its_fact() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
DECLARE
    older text;
BEGIN
    EXECUTE format('SELECT f.%1$I::text FROM ops.%2$I f WHERE f.%1$I IN (SELECT n.%1$I FROM added n) '
                   'AND NOT ops.of_this_transaction(f.xmin) LIMIT 1', TG_ARGV[1], TG_ARGV[0]) INTO older;
    IF older IS NOT NULL THEN
        RAISE EXCEPTION 'a row of % belongs to % of %, which was there before this transaction',
            TG_TABLE_NAME, older, TG_ARGV[0] USING ERRCODE = '23514';
    END IF;
    RETURN NULL;
END $$;
COMMENT ON FUNCTION comes_with_its_fact() IS 'Arguments: the table of the fact, and the key that both have.';
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('broker_snapshot_holdings', 'broker_snapshots', 'snapshot_id'),
        ('broker_statement_rows', 'broker_statements', 'sha256'),
        ('confirmation_parts', 'confirmations', 'confirmation_id'),
        ('corporate_actions', 'price_loads', 'load_id'),
        ('data_snapshot_parts', 'data_snapshots', 'snapshot_id'),
        ('price_load_symbols', 'price_loads', 'load_id')
    ) AS listed(name, fact, key) LOOP
        EXECUTE format('CREATE TRIGGER comes_with_its_fact AFTER INSERT ON %I REFERENCING NEW TABLE AS added '
                       'FOR EACH STATEMENT EXECUTE FUNCTION comes_with_its_fact(%L, %L)', t.name, t.fact, t.key);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER comes_with_its_fact', t.name);
    END LOOP;
END $$;

-- ---------------------------------------------------------------- what a page's role may announce and tell
-- Whoever holds the password of a page's role can write what its person may say, and nothing else: no ticket, plan or
-- policy, no message that says something happened which did not, and none whose key keeps the true one from being sent.
CREATE FUNCTION guard_announcement() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, ops AS $$
DECLARE
    door text[] := ARRAY['people.set', 'people.signed_in', 'people.signed_out'];
    executor text[] := ARRAY['answers.confirmation', 'broker.snapshot', 'broker.statement', 'desk.incident', 'ledger.fill',
                             'ledger.void', 'market.snapshot', 'universe.checked', 'universe.disabled'];
    operator text[] := executor || ARRAY['desk.incident_closed', 'desk.kill_switch', 'ledger.event', 'ledger.movement',
                                         'ledger.resolution', 'market.load', 'outbox.requeued', 'quality.accepted',
                                         'ticket.withdrawn'];
BEGIN
    IF NEW.kind <> ALL (CASE session_user WHEN 'executor_ui' THEN executor WHEN 'operator_ui' THEN operator
                                          WHEN 'sign_in' THEN door ELSE ARRAY[NEW.kind] END) THEN
        RAISE EXCEPTION '% does not announce %', session_user, NEW.kind USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_announcement BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION guard_announcement();

CREATE FUNCTION guard_incident() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
BEGIN
    IF session_user IN ('executor_ui', 'operator_ui') AND NOT (
        NEW.class = 'UNKNOWN_NAME' OR (NEW.class = 'UNBOOKED_TRADE' AND NEW.blocking)
        OR (NEW.class IN ('OVERFILLED', 'UNTRADABLE_SYMBOL') AND NOT NEW.blocking)) THEN
        RAISE EXCEPTION '% opens no incident % that %', session_user, NEW.class,
            CASE WHEN NEW.blocking THEN 'blocks' ELSE 'does not block' END USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_incident BEFORE INSERT ON incidents FOR EACH ROW EXECUTE FUNCTION guard_incident();

-- A message is kept once for its key: a false one under the key of a true one would keep that from being written.
CREATE FUNCTION guard_message() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
BEGIN
    IF session_user = 'executor_ui' OR (session_user = 'operator_ui' AND NOT (
        NEW.kind = 'ticket.withdrawn' AND NEW.dedupe_key = 'withdrawn:' || NEW.plan_id AND EXISTS (
            SELECT 1 FROM ops.ticket_withdrawals w JOIN ops.tickets t USING (plan_id)
            WHERE w.plan_id = NEW.plan_id AND w.reason = NEW.payload->>'reason' AND t.ticket_id = NEW.payload->>'ticket_id'))
    ) IS NOT FALSE THEN
        RAISE EXCEPTION '% tells nobody of % under the key %', session_user, NEW.kind, NEW.dedupe_key
            USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_message BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION guard_message();

-- The operator's page puts what was given up back in the queue; that something was sent is said by who sends it.
CREATE FUNCTION guard_delivery() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
DECLARE
    newest record;
BEGIN
    IF session_user IN ('executor_ui', 'operator_ui') THEN
        SELECT d.attempt, d.outcome INTO newest FROM ops.outbox_deliveries d WHERE d.outbox_id = NEW.outbox_id
            AND d.channel = NEW.channel AND d.address = NEW.address ORDER BY d.attempt DESC LIMIT 1;
        IF (NEW.outcome = 'requeued' AND newest.outcome = 'dead' AND NEW.attempt = newest.attempt + 1) IS NOT TRUE THEN
            RAISE EXCEPTION '% only puts back in the queue what was given up', session_user USING ERRCODE = '42501';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_delivery BEFORE INSERT ON outbox_deliveries FOR EACH ROW EXECUTE FUNCTION guard_delivery();
ALTER TABLE audit_log ENABLE ALWAYS TRIGGER guard_announcement;
ALTER TABLE incidents ENABLE ALWAYS TRIGGER guard_incident;
ALTER TABLE outbox ENABLE ALWAYS TRIGGER guard_message;
ALTER TABLE outbox_deliveries ENABLE ALWAYS TRIGGER guard_delivery;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON tests_waited_for_since FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON tests_waited_for_since FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE tests_waited_for_since ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE tests_waited_for_since ENABLE ALWAYS TRIGGER append_only_truncate;

-- ---------------------------------------------------------------- who may do what
REVOKE ALL ON FUNCTION of_this_transaction(xid), names_announcement(), comes_with_its_fact(),
    guard_announcement(), guard_incident(), guard_message(), guard_delivery() FROM PUBLIC;
REVOKE INSERT ON outbox FROM executor_ui;
GRANT SELECT ON tests_waited_for_since TO backup;
