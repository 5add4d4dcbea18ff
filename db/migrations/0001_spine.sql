-- The spine: configuration, market facts, plans, evidence, tickets, ledger, audit.
-- Facts are inserted, never changed. State is a view over them.

-- ---------------------------------------------------------------- audit chain
CREATE TABLE audit_log (
    seq        bigint PRIMARY KEY,
    created_at timestamptz NOT NULL,
    actor      text NOT NULL,
    kind       text NOT NULL CHECK (kind ~ '^[a-z_]+(\.[a-z_]+)*$'),
    subject    text NOT NULL CHECK (subject !~ '[\n\r]' AND length(subject) BETWEEN 1 AND 200),
    payload    text NOT NULL,
    prev_hash  text NOT NULL CHECK (prev_hash ~ '^[0-9a-f]{64}$'),
    hash       text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$')
);
COMMENT ON TABLE audit_log IS 'Gapless hash chain; every fact names the row that announced it.';

-- The canonical form is frozen: golden vectors in the tests pin it.
CREATE FUNCTION audit_hash(prev text, seq bigint, at timestamptz, actor text, kind text, subject text, payload text)
RETURNS text LANGUAGE sql STABLE STRICT SET search_path = pg_catalog SET timezone = 'UTC' AS $$
    SELECT encode(sha256(convert_to(
        prev || E'\n' || seq::text || E'\n' || to_char(at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || E'\n'
        || actor || E'\n' || kind || E'\n' || subject || E'\n' || payload, 'UTF8')), 'hex')
$$;

CREATE FUNCTION audit_append() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
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
    NEW.actor := session_user;
    NEW.hash := ops.audit_hash(NEW.prev_hash, NEW.seq, NEW.created_at, NEW.actor, NEW.kind, NEW.subject, NEW.payload);
    RETURN NEW;
END $$;
CREATE TRIGGER audit_append BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_append();

CREATE FUNCTION audit_broken() RETURNS TABLE (seq bigint, fault text)
LANGUAGE sql STABLE SET search_path = pg_catalog, ops AS $$
    SELECT c.seq,
           CASE WHEN c.seq <> c.expected_seq THEN 'sequence has a gap'
                WHEN c.prev_hash <> c.expected_prev THEN 'does not follow the row before it'
                ELSE 'content differs from its hash' END
    FROM (SELECT a.*, row_number() OVER (ORDER BY a.seq) AS expected_seq,
                 coalesce(lag(a.hash) OVER (ORDER BY a.seq), repeat('0', 64)) AS expected_prev
          FROM ops.audit_log a) c
    WHERE c.seq <> c.expected_seq OR c.prev_hash <> c.expected_prev
       OR c.hash <> ops.audit_hash(c.prev_hash, c.seq, c.created_at, c.actor, c.kind, c.subject, c.payload)
    ORDER BY c.seq
$$;

-- ---------------------------------------------------------------- the book and its configuration
CREATE TABLE books (
    singleton  boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    book       text NOT NULL CHECK (book IN ('live', 'paper', 'sim')),
    audit_seq  bigint NOT NULL REFERENCES audit_log,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE books IS 'One row: the book this home holds, fixed at init.';

CREATE TABLE config_policy (
    version     bigint PRIMARY KEY CHECK (version > 0),
    policy_hash text NOT NULL CHECK (policy_hash ~ '^[0-9a-f]{64}$'),
    body        text NOT NULL,
    canonical   text NOT NULL,
    source      text NOT NULL,
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN config_policy.body IS 'The file as imported; canonical is what is hashed.';

CREATE TABLE instruments (
    symbol     text PRIMARY KEY CHECK (symbol ~ '^[A-Z0-9.-]{1,12}$'),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE config_universe_versions (
    version       bigint PRIMARY KEY CHECK (version > 0),
    universe_hash text NOT NULL CHECK (universe_hash ~ '^[0-9a-f]{64}$'),
    valid_from    date NOT NULL CHECK (isfinite(valid_from)),
    source        text NOT NULL,
    body          text NOT NULL,
    audit_seq     bigint NOT NULL REFERENCES audit_log,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE config_universe (
    version             bigint NOT NULL REFERENCES config_universe_versions,
    internal_symbol     text NOT NULL REFERENCES instruments,
    stooq_symbol        text NOT NULL,
    yahoo_symbol        text NOT NULL,
    etoro_search_name   text NOT NULL,
    currency            text NOT NULL CHECK (currency = 'USD'),
    instrument_type     text NOT NULL CHECK (instrument_type IN ('stock', 'etf')),
    tradable_underlying boolean NOT NULL,
    enabled             boolean NOT NULL,
    listed_from         date,
    verified_on         date,
    notes               text NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (version, internal_symbol)
);

-- ---------------------------------------------------------------- market facts
CREATE TABLE price_loads (
    load_id        bigint PRIMARY KEY CHECK (load_id > 0),
    provider       text NOT NULL,
    origin         text NOT NULL,
    simulated      boolean NOT NULL,
    bars           bigint NOT NULL CHECK (bars >= 0),
    actions        bigint NOT NULL CHECK (actions >= 0),
    fixings        bigint NOT NULL CHECK (fixings >= 0),
    content_sha256 text NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    fetched_at     timestamptz NOT NULL,
    audit_seq      bigint NOT NULL REFERENCES audit_log,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE price_load_symbols (
    load_id    bigint NOT NULL REFERENCES price_loads,
    symbol     text NOT NULL REFERENCES instruments,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (load_id, symbol)
);
COMMENT ON TABLE price_load_symbols IS 'Which names a load brought: one foreign key a bar instead of two, over millions of bars.';
CREATE TABLE market_prices_eod (
    session    date NOT NULL CHECK (isfinite(session)),
    symbol     text NOT NULL,
    source     text NOT NULL,
    revision   integer NOT NULL CHECK (revision > 0),
    open       numeric(20, 8) NOT NULL CHECK (open <> 'NaN'),
    high       numeric(20, 8) NOT NULL CHECK (high <> 'NaN'),
    low        numeric(20, 8) NOT NULL CHECK (low <> 'NaN'),
    close      numeric(20, 8) NOT NULL CHECK (close <> 'NaN'),
    adj_close  numeric(20, 8) NOT NULL CHECK (adj_close <> 'NaN'),
    volume     numeric(20, 0) NOT NULL CHECK (volume <> 'NaN'),
    flags      text NOT NULL DEFAULT '',
    simulated  boolean NOT NULL,
    load_id    bigint NOT NULL,
    fetched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT market_prices_eod_pkey PRIMARY KEY (session, symbol, source, revision),
    FOREIGN KEY (load_id, symbol) REFERENCES price_load_symbols
);
COMMENT ON TABLE market_prices_eod IS 'Raw bars in USD as traded, adj_close beside them. A restated bar is a new revision.';
COMMENT ON COLUMN market_prices_eod.flags IS 'What is odd about the bar itself, comma separated; the data gate judges it.';
CREATE INDEX market_prices_eod_load ON market_prices_eod (load_id);

CREATE TABLE corporate_actions (
    symbol     text NOT NULL REFERENCES instruments,
    ex_date    date NOT NULL CHECK (isfinite(ex_date)),
    kind       text NOT NULL CHECK (kind IN ('split', 'dividend')),
    source     text NOT NULL,
    revision   integer NOT NULL CHECK (revision > 0),
    value      numeric(20, 10) NOT NULL CHECK (value >= 0 AND value <> 'NaN'),
    simulated  boolean NOT NULL,
    load_id    bigint NOT NULL REFERENCES price_loads,
    fetched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, ex_date, kind, source, revision)
);
COMMENT ON COLUMN corporate_actions.value IS 'Split: new units per old unit, 0 retracts it. Dividend: USD per share, 0 retracts it.';
CREATE INDEX corporate_actions_load ON corporate_actions (load_id);
CREATE TABLE fx_rates_eod (
    day        date NOT NULL CHECK (isfinite(day)),
    pair       text NOT NULL CHECK (pair = 'GBPUSD'),
    source     text NOT NULL,
    revision   integer NOT NULL CHECK (revision > 0),
    rate       numeric(20, 8) NOT NULL CHECK (rate > 0 AND rate <> 'NaN'),
    simulated  boolean NOT NULL,
    load_id    bigint NOT NULL REFERENCES price_loads,
    fetched_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (pair, day, source, revision)
);
COMMENT ON COLUMN fx_rates_eod.rate IS 'US dollars for one pound.';
CREATE INDEX fx_rates_eod_load ON fx_rates_eod (load_id);

CREATE TABLE quality_acceptances (
    symbol      text NOT NULL REFERENCES instruments,
    session     date NOT NULL,
    accepted_by text NOT NULL,
    why         text NOT NULL CHECK (length(why) > 0),
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, session)
);
CREATE TABLE name_freezes (
    symbol     text NOT NULL REFERENCES instruments,
    session    date NOT NULL,
    code       text NOT NULL CHECK (code ~ '^[A-Z_]+$'),
    sentence   text NOT NULL,
    audit_seq  bigint NOT NULL REFERENCES audit_log,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, session)
);
COMMENT ON TABLE name_freezes IS 'A suspicious session of a name; it stays frozen until the bar is corrected or a person accepts it.';
COMMENT ON TABLE quality_acceptances IS 'A person looked at what froze a name on that session and says the bar is right.';

-- ---------------------------------------------------------------- data snapshots
CREATE TABLE snapshot_parts (
    part_id        text PRIMARY KEY,
    kind           text NOT NULL CHECK (kind IN ('bars', 'actions', 'fixings')),
    month          date NOT NULL,
    through        date NOT NULL,
    rows           bigint NOT NULL CHECK (rows >= 0),
    content_sha256 text NOT NULL CHECK (content_sha256 ~ '^[0-9a-f]{64}$'),
    file_sha256    text NOT NULL CHECK (file_sha256 ~ '^[0-9a-f]{64}$'),
    source_order   text NOT NULL,
    load_watermark bigint NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE snapshot_parts IS 'Immutable Parquet files; one month of one kind as far as `through`, as known at a load.';
CREATE INDEX snapshot_parts_month ON snapshot_parts (kind, month, through);
CREATE TABLE data_snapshots (
    snapshot_id    text PRIMARY KEY CHECK (snapshot_id ~ '^[0-9a-f]{64}$'),
    asof           date NOT NULL,
    manifest       text NOT NULL,
    simulated      boolean NOT NULL,
    load_watermark bigint NOT NULL,
    audit_seq      bigint NOT NULL REFERENCES audit_log,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE data_snapshot_parts (
    snapshot_id text NOT NULL REFERENCES data_snapshots,
    part_id     text NOT NULL REFERENCES snapshot_parts,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (snapshot_id, part_id)
);

-- ---------------------------------------------------------------- plans, runs and their evidence
CREATE TABLE plans (
    plan_id    text PRIMARY KEY CHECK (plan_id ~ '^\d{4}-\d{2}-\d{2}$'),
    asof       date NOT NULL UNIQUE,
    week       text NOT NULL UNIQUE CHECK (week ~ '^\d{4}-W\d{2}$'),
    opens_at   timestamptz NOT NULL,
    decide_by  timestamptz NOT NULL CHECK (decide_by > opens_at),
    audit_seq  bigint NOT NULL REFERENCES audit_log,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (plan_id = to_char(asof, 'YYYY-MM-DD'))
);
COMMENT ON TABLE plans IS 'The schedule of record: which tickets must exist, written before they are due.';
CREATE TABLE plan_openings (
    plan_id          text PRIMARY KEY REFERENCES plans,
    policy_version   bigint NOT NULL REFERENCES config_policy,
    universe_version bigint NOT NULL REFERENCES config_universe_versions,
    config_hash      text NOT NULL CHECK (config_hash ~ '^[0-9a-f]{64}$'),
    audit_seq        bigint NOT NULL REFERENCES audit_log,
    created_at       timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE plan_openings IS 'The moment a plan began; from here its policy and universe are fixed.';
CREATE TABLE runs (
    run_id        uuid PRIMARY KEY,
    plan_id       text NOT NULL REFERENCES plan_openings,
    config_hash   text NOT NULL CHECK (config_hash ~ '^[0-9a-f]{64}$'),
    git_commit    text NOT NULL,
    git_dirty     boolean NOT NULL,
    signal_source text NOT NULL,
    model_version text NOT NULL,
    facts_seq     bigint NOT NULL REFERENCES audit_log,
    driver        text NOT NULL CHECK (driver IN ('direct', 'dagster')),
    dagster_run   text,
    created_at    timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN runs.facts_seq IS 'The run judges facts announced up to here; later ones need a new run.';
CREATE INDEX runs_plan ON runs (plan_id);
CREATE TABLE run_snapshots (
    run_id      uuid PRIMARY KEY REFERENCES runs,
    snapshot_id text NOT NULL REFERENCES data_snapshots,
    load_watermark bigint NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE VIEW run_manifests AS
    SELECT r.*, s.snapshot_id FROM runs r LEFT JOIN run_snapshots s USING (run_id);
COMMENT ON VIEW run_manifests IS 'A run with the data snapshot it was bound to once that existed.';

CREATE TABLE signals_ranked (
    run_id        uuid NOT NULL REFERENCES runs,
    symbol        text NOT NULL REFERENCES instruments,
    rank          integer NOT NULL CHECK (rank > 0),
    score         numeric NOT NULL CHECK (score <> 'NaN' AND abs(score) < 'Infinity'),
    source        text NOT NULL,
    model_version text NOT NULL,
    session       date NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, symbol),
    UNIQUE (run_id, rank)
);
CREATE TABLE portfolio_targets (
    run_id         uuid NOT NULL REFERENCES runs,
    symbol         text NOT NULL REFERENCES instruments,
    seat           boolean NOT NULL,
    rank           integer,
    weight         numeric NOT NULL CHECK (weight BETWEEN 0 AND 1),
    target_gbp     numeric NOT NULL CHECK (target_gbp >= 0 AND target_gbp < 'Infinity'),
    value_gbp      numeric NOT NULL CHECK (value_gbp >= 0 AND value_gbp < 'Infinity'),
    units          numeric(20, 6) NOT NULL CHECK (units >= 0 AND units <> 'NaN'),
    price_usd      numeric(20, 8) NOT NULL CHECK (price_usd > 0 AND price_usd <> 'NaN'),
    difference_gbp numeric NOT NULL CHECK (abs(difference_gbp) < 'Infinity'),
    note           text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, symbol)
);
CREATE TABLE portfolio_sizings (
    run_id      uuid PRIMARY KEY REFERENCES runs,
    equity_gbp  numeric NOT NULL CHECK (equity_gbp < 'Infinity'),
    cash_gbp    numeric NOT NULL CHECK (cash_gbp < 'Infinity'),
    usd_per_gbp numeric(20, 8) NOT NULL CHECK (usd_per_gbp > 0 AND usd_per_gbp <> 'NaN'),
    fx_day      date NOT NULL,
    deferred    jsonb NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE ledger_trades_intended (
    run_id        uuid NOT NULL REFERENCES runs,
    line          integer NOT NULL CHECK (line > 0),
    symbol        text NOT NULL REFERENCES instruments,
    side          text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    trade_group   text NOT NULL CHECK (trade_group IN ('must_sell', 'exit', 'trim', 'buy')),
    units         numeric(20, 6) NOT NULL CHECK (units > 0 AND units <> 'NaN'),
    amount_gbp    numeric NOT NULL CHECK (amount_gbp > 0 AND amount_gbp < 'Infinity'),
    price_usd     numeric(20, 8) NOT NULL CHECK (price_usd > 0 AND price_usd <> 'NaN'),
    price_session date NOT NULL,
    whole         boolean NOT NULL,
    lots          jsonb NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, line),
    UNIQUE (run_id, symbol)
);
CREATE TABLE risk_checks (
    run_id     uuid NOT NULL REFERENCES runs,
    code       text NOT NULL CHECK (code ~ '^[A-Z_]+$'),
    gate       text NOT NULL CHECK (gate IN ('data', 'signals', 'confirmation', 'reconciliation', 'risk', 'desk')),
    outcome    text NOT NULL CHECK (outcome IN ('PASS', 'FAIL', 'NOT_EVALUATED')),
    seen       text NOT NULL,
    allowed    text NOT NULL,
    sentence   text NOT NULL,
    remedy     text NOT NULL,
    subjects   jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, code)
);
COMMENT ON TABLE risk_checks IS 'The answer of every rule of every gate for one run.';
CREATE TABLE decisions (
    decision_id uuid PRIMARY KEY,
    plan_id     text NOT NULL REFERENCES plans,
    run_id      uuid REFERENCES runs,
    verdict     text NOT NULL CHECK (verdict IN ('TRADE', 'NO-TRADE')),
    reasons     jsonb NOT NULL,
    content     text NOT NULL,
    content_sha256 text NOT NULL CHECK (content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (plan_id, run_id, content_sha256)
);

-- ---------------------------------------------------------------- tickets and answers
CREATE TABLE tickets (
    plan_id        text PRIMARY KEY REFERENCES plans,
    ticket_id      text NOT NULL UNIQUE,
    decision_id    uuid NOT NULL UNIQUE REFERENCES decisions,
    run_id         uuid REFERENCES runs,
    verdict        text NOT NULL CHECK (verdict IN ('TRADE', 'NO-TRADE')),
    book           text NOT NULL CHECK (book IN ('live', 'paper', 'sim')),
    simulated      boolean NOT NULL,
    content        text NOT NULL,
    content_sha256 text NOT NULL CHECK (content_sha256 = encode(sha256(convert_to(content, 'UTF8')), 'hex')),
    envelope       text NOT NULL,
    markdown       text NOT NULL,
    issued_at      timestamptz NOT NULL,
    decided_as_of  timestamptz NOT NULL,
    evidence       jsonb NOT NULL,
    audit_seq      bigint NOT NULL REFERENCES audit_log,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CHECK (verdict = 'NO-TRADE' OR run_id IS NOT NULL)
);
COMMENT ON TABLE tickets IS 'Exactly one a plan: the plan is the primary key.';
COMMENT ON COLUMN tickets.evidence IS 'Rules of which the run had left evidence; replay recomputes these and no others.';
COMMENT ON COLUMN tickets.decided_as_of IS 'The clock the desk rules saw; the plan''s own clock when it was asked to decide at once.';
CREATE TABLE ticket_lines (
    plan_id             text NOT NULL REFERENCES tickets,
    line                integer NOT NULL CHECK (line > 0),
    symbol              text NOT NULL REFERENCES instruments,
    side                text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    amount_gbp          numeric(16, 2) NOT NULL CHECK (amount_gbp > 0 AND amount_gbp <> 'NaN'),
    units               numeric(20, 6) NOT NULL CHECK (units > 0 AND units <> 'NaN'),
    reference_price_usd numeric(20, 8) NOT NULL CHECK (reference_price_usd > 0 AND reference_price_usd <> 'NaN'),
    limit_price_usd     numeric(16, 2) NOT NULL CHECK (limit_price_usd > 0 AND limit_price_usd <> 'NaN'),
    min_available_gbp   numeric(16, 0) CHECK (min_available_gbp >= 0 AND min_available_gbp <> 'NaN'),
    whole               boolean NOT NULL,
    lots                jsonb NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (plan_id, line),
    UNIQUE (plan_id, symbol),
    CHECK ((side = 'BUY') = (min_available_gbp IS NOT NULL))
);
CREATE TABLE ticket_withdrawals (
    plan_id      text PRIMARY KEY REFERENCES tickets,
    reason       text NOT NULL CHECK (length(reason) > 0),
    withdrawn_by text NOT NULL,
    audit_seq    bigint NOT NULL REFERENCES audit_log,
    created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE confirmations (
    confirmation_id uuid PRIMARY KEY,
    plan_id         text NOT NULL,
    line            integer NOT NULL,
    revision        integer NOT NULL CHECK (revision > 0),
    status          text NOT NULL CHECK (status IN ('DONE', 'PARTIAL', 'SKIPPED', 'FAILED')),
    reason          text NOT NULL DEFAULT '',
    units           numeric(20, 6) CHECK (units > 0 AND units <> 'NaN'),
    price_usd       numeric(20, 8) CHECK (price_usd > 0 AND price_usd <> 'NaN'),
    value_gbp       numeric(16, 2) CHECK (value_gbp > 0 AND value_gbp <> 'NaN'),
    fee_gbp         numeric(16, 2) CHECK (fee_gbp >= 0 AND fee_gbp <> 'NaN'),
    executed_at     timestamptz CHECK (isfinite(executed_at)),
    position_id     text,
    overfilled      boolean NOT NULL,
    content_sha256  text NOT NULL,
    answered_by     text NOT NULL,
    corrects        uuid UNIQUE REFERENCES confirmations,
    audit_seq       bigint NOT NULL REFERENCES audit_log,
    created_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (plan_id, line, revision),
    FOREIGN KEY (plan_id, line) REFERENCES ticket_lines,
    CHECK ((revision = 1) = (corrects IS NULL)),
    CHECK (status IN ('SKIPPED', 'FAILED')
           OR (price_usd IS NOT NULL AND executed_at IS NOT NULL AND num_nonnulls(units, value_gbp) > 0)),
    CHECK (status IN ('DONE', 'PARTIAL') OR num_nonnulls(units, price_usd, value_gbp, fee_gbp, executed_at) = 0)
);

CREATE TABLE universe_disablements (
    symbol     text NOT NULL REFERENCES instruments,
    from_day   date NOT NULL,
    why        text NOT NULL,
    confirmation_id uuid NOT NULL REFERENCES confirmations,
    audit_seq  bigint PRIMARY KEY REFERENCES audit_log,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE universe_disablements IS 'A line answered FAILED as missing or CFD disables its name until a newer universe says otherwise.';

-- ---------------------------------------------------------------- ledger
CREATE TABLE ledger_trades_fills (
    fill_id         uuid PRIMARY KEY,
    symbol          text NOT NULL REFERENCES instruments,
    side            text NOT NULL CHECK (side IN ('BUY', 'SELL')),
    units           numeric(20, 6) NOT NULL CHECK (units > 0 AND units <> 'NaN'),
    price_usd       numeric(20, 8) NOT NULL CHECK (price_usd > 0 AND price_usd <> 'NaN'),
    value_gbp       numeric(16, 2) NOT NULL CHECK (value_gbp > 0 AND value_gbp <> 'NaN'),
    fee_gbp         numeric(16, 2) NOT NULL CHECK (fee_gbp >= 0 AND fee_gbp <> 'NaN'),
    filled_at       timestamptz NOT NULL CHECK (isfinite(filled_at)),
    session         date NOT NULL,
    estimated       boolean NOT NULL,
    position_id     text,
    lots            jsonb NOT NULL,
    plan_id         text,
    line            integer,
    confirmation_id uuid UNIQUE REFERENCES confirmations,
    recorded_by     text NOT NULL,
    why             text NOT NULL,
    audit_seq       bigint NOT NULL REFERENCES audit_log,
    created_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (plan_id, line) REFERENCES ticket_lines,
    CHECK (num_nonnulls(plan_id, line, confirmation_id) IN (0, 3))
);
CREATE TABLE ledger_cash_movements (
    movement_id uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('deposit', 'withdrawal', 'dividend', 'fee', 'interest', 'adjustment')),
    amount_gbp  numeric(16, 2) NOT NULL CHECK ((amount_gbp <> 0 OR kind = 'dividend') AND amount_gbp <> 'NaN'),
    day         date NOT NULL CHECK (isfinite(day)),
    at          timestamptz NOT NULL CHECK (isfinite(at)),
    symbol      text REFERENCES instruments,
    ex_date     date,
    recorded_by text NOT NULL,
    why         text NOT NULL CHECK (length(why) > 0),
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'dividend') = (symbol IS NOT NULL AND ex_date IS NOT NULL)),
    CHECK (kind <> 'deposit' OR amount_gbp > 0),
    CHECK (kind <> 'dividend' OR amount_gbp >= 0),
    CHECK (kind NOT IN ('withdrawal', 'fee') OR amount_gbp < 0)
);
CREATE TABLE ledger_voids (
    void_id     uuid PRIMARY KEY,
    fill_id     uuid UNIQUE REFERENCES ledger_trades_fills,
    movement_id uuid UNIQUE REFERENCES ledger_cash_movements,
    recorded_by text NOT NULL,
    why         text NOT NULL CHECK (length(why) > 0),
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(fill_id, movement_id) = 1)
);
COMMENT ON TABLE ledger_voids IS 'A mistake is corrected by an entry that names it; the wrong entry stays.';
CREATE TABLE broker_snapshots (
    snapshot_id    uuid PRIMARY KEY,
    taken_at       timestamptz NOT NULL CHECK (isfinite(taken_at)),
    session        date NOT NULL,
    cash_gbp       numeric(16, 2) NOT NULL CHECK (cash_gbp <> 'NaN'),
    content_sha256 text NOT NULL UNIQUE,
    origin         text NOT NULL,
    entered_by     text NOT NULL,
    audit_seq      bigint NOT NULL REFERENCES audit_log,
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE broker_snapshot_holdings (
    snapshot_id uuid NOT NULL REFERENCES broker_snapshots,
    symbol      text NOT NULL REFERENCES instruments,
    units       numeric(20, 6) NOT NULL CHECK (units > 0 AND units <> 'NaN'),
    places      integer NOT NULL CHECK (places BETWEEN 0 AND 6),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (snapshot_id, symbol)
);

-- ---------------------------------------------------------------- desk
CREATE TABLE kill_switch_events (
    audit_seq  bigint PRIMARY KEY REFERENCES audit_log,
    state      text NOT NULL CHECK (state IN ('ACTIVE', 'REDUCING', 'HALTED', 'PAUSED')),
    session    date NOT NULL,
    until      date,
    reason     text NOT NULL CHECK (length(reason) > 0),
    set_by     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'PAUSED') = (until IS NOT NULL))
);
COMMENT ON COLUMN kill_switch_events.session IS 'The session from which the state holds; re-arming starts a new running maximum here.';
CREATE TABLE incidents (
    incident_id uuid PRIMARY KEY,
    class       text NOT NULL CHECK (class ~ '^[A-Z_]+$'),
    blocking    boolean NOT NULL,
    title       text NOT NULL,
    details     jsonb NOT NULL,
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE incident_closures (
    incident_id uuid PRIMARY KEY REFERENCES incidents,
    closed_by   text NOT NULL,
    resolution  text NOT NULL CHECK (length(resolution) > 0),
    audit_seq   bigint NOT NULL REFERENCES audit_log,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE outbox (
    outbox_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedupe_key text NOT NULL UNIQUE,
    kind       text NOT NULL,
    plan_id    text REFERENCES plans,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE outbox IS 'What people must be told, written in the transaction of the fact it tells.';

-- ---------------------------------------------------------------- replay sees inputs only
CREATE FUNCTION lines_before(of_plan text, upto bigint)
RETURNS TABLE (plan_id text, line integer, symbol text, side text, units numeric, amount_gbp numeric)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
    SELECT l.plan_id, l.line, l.symbol, l.side, l.units, l.amount_gbp
    FROM ops.ticket_lines l
    WHERE l.plan_id = (SELECT t.plan_id FROM ops.tickets t
                       WHERE t.verdict = 'TRADE' AND t.plan_id < of_plan AND t.audit_seq <= upto ORDER BY t.plan_id DESC LIMIT 1)
    ORDER BY l.line
$$;
COMMENT ON FUNCTION lines_before(text, bigint) IS 'The lines of the newest TRADE ticket before a plan: all that replay may see of tickets.';
-- The newest earlier plan whose data was judged: sessions that nobody looked at are looked at by the next plan.
CREATE FUNCTION newest_plan_before(of_plan text, upto bigint) RETURNS date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, ops AS $$
    SELECT max(p.asof) FROM ops.tickets t JOIN ops.plans p USING (plan_id) WHERE t.plan_id < of_plan AND t.audit_seq <= upto
      AND t.evidence ? 'NAMES_FROZEN'
$$;

-- ---------------------------------------------------------------- append-only, for everyone
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '% on %: facts are never changed. Add a new entry that names the old one.', TG_OP, TG_TABLE_NAME
        USING ERRCODE = '42501';
END $$;
DO $$
DECLARE
    t text;
BEGIN
    FOR t IN SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'ops'::regnamespace AND c.relkind = 'r' LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_truncate', t);
    END LOOP;
END $$;

-- ---------------------------------------------------------------- what people and tools may read
CREATE VIEW desk_tickets AS
    SELECT t.plan_id, t.ticket_id, t.verdict, t.book, t.simulated, t.content_sha256, t.issued_at, t.markdown,
           w.reason AS withdrawn_because
    FROM tickets t LEFT JOIN ticket_withdrawals w USING (plan_id);
CREATE VIEW desk_gates AS
    SELECT r.plan_id, c.run_id, c.code, c.gate, c.outcome, c.seen, c.allowed, c.sentence, c.remedy, c.created_at
    FROM risk_checks c JOIN runs r USING (run_id);
CREATE VIEW desk_plans AS
    SELECT p.plan_id, p.asof, p.week, p.opens_at, p.decide_by, o.created_at AS opened_at, t.ticket_id, t.verdict
    FROM plans p LEFT JOIN plan_openings o USING (plan_id) LEFT JOIN tickets t USING (plan_id);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ops FROM PUBLIC;
GRANT USAGE ON SCHEMA ops TO app_writer, desk_reader, replayer, executor_ui, operator_ui, mcp_reader, mcp_fills_writer, backup;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ops TO app_writer;
GRANT EXECUTE ON FUNCTION audit_broken(), audit_hash(text, bigint, timestamptz, text, text, text, text), lines_before(text, bigint),
    newest_plan_before(text, bigint) TO app_writer;
REVOKE INSERT ON desk_tickets, desk_gates, desk_plans, run_manifests FROM app_writer;
GRANT SELECT ON desk_tickets, desk_gates, desk_plans TO desk_reader, executor_ui, operator_ui, mcp_reader;
GRANT SELECT ON audit_log, books, config_policy, instruments, config_universe_versions, config_universe, universe_disablements,
    price_loads, price_load_symbols, market_prices_eod, corporate_actions, fx_rates_eod, quality_acceptances, name_freezes,
    snapshot_parts, data_snapshots, data_snapshot_parts, plans, plan_openings, runs, run_snapshots, run_manifests,
    ticket_withdrawals, confirmations, ledger_trades_fills, ledger_cash_movements, ledger_voids,
    broker_snapshots, broker_snapshot_holdings, kill_switch_events, incidents, incident_closures TO replayer;
GRANT EXECUTE ON FUNCTION lines_before(text, bigint), newest_plan_before(text, bigint), audit_broken(),
    audit_hash(text, bigint, timestamptz, text, text, text, text) TO replayer;
GRANT SELECT ON ALL TABLES IN SCHEMA ops TO backup;
GRANT SELECT ON ALL SEQUENCES IN SCHEMA ops TO backup;
