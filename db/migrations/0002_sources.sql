-- Sources on the network: every request with its outcome, what other sources say in the data snapshot, restatements,
-- the quality report of a run, exported datasets.

-- ---------------------------------------------------------------- requests
CREATE TABLE price_fetches (
    fetch_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    round_id    uuid NOT NULL,
    source      text NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('bars', 'fixings', 'file')),
    symbol      text REFERENCES instruments,
    first       date,
    last        date,
    asked_at    timestamptz NOT NULL,
    requests    integer NOT NULL CHECK (requests >= 0),
    outcome     text NOT NULL CHECK (outcome ~ '^[A-Z_]+$'),
    sentence    text NOT NULL,
    body_name   text NOT NULL,
    body_sha256 text CHECK (body_sha256 ~ '^[0-9a-f]{64}$'),
    body_size   bigint CHECK (body_size >= 0),
    bars        bigint NOT NULL CHECK (bars >= 0),
    actions     bigint NOT NULL CHECK (actions >= 0),
    fixings     bigint NOT NULL CHECK (fixings >= 0),
    notes       jsonb NOT NULL,
    load_id     bigint REFERENCES price_loads,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'bars') = (symbol IS NOT NULL)),
    CHECK (outcome = 'OK' OR load_id IS NULL)
);
COMMENT ON TABLE price_fetches IS 'One row an answer: who was asked for what, what came, the hash of its body. A journal; what it brought is announced by its load.';
COMMENT ON COLUMN price_fetches.outcome IS 'OK, or why nothing came of it.';
COMMENT ON COLUMN price_fetches.body_name IS 'The URL without its key, or the file; empty when there was no body.';
CREATE INDEX price_fetches_source ON price_fetches (source, asked_at);
CREATE INDEX price_fetches_symbol ON price_fetches (symbol, source, asked_at);
CREATE INDEX price_fetches_load ON price_fetches (load_id);

-- ---------------------------------------------------------------- restated bars that tickets used
CREATE TABLE restatements (
    symbol       text NOT NULL REFERENCES instruments,
    session      date NOT NULL,
    source       text NOT NULL,
    revision     integer NOT NULL CHECK (revision > 1),
    differences  jsonb NOT NULL,
    tickets      jsonb NOT NULL,
    load_id      bigint NOT NULL REFERENCES price_loads,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (symbol, session, source, revision)
);
COMMENT ON TABLE restatements IS 'A raw bar that a ticket had used and that its source later changed. The ticket keeps its data snapshot.';

-- ---------------------------------------------------------------- what a run says of its data
CREATE TABLE quality_reports (
    run_id     uuid PRIMARY KEY REFERENCES runs,
    asof       date NOT NULL,
    body       jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE qlib_exports (
    snapshot_id    text NOT NULL REFERENCES data_snapshots,
    dataset_sha256 text NOT NULL CHECK (dataset_sha256 ~ '^[0-9a-f]{64}$'),
    symbols        integer NOT NULL CHECK (symbols > 0),
    rows           bigint NOT NULL CHECK (rows > 0),
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (snapshot_id, dataset_sha256)
);
COMMENT ON TABLE qlib_exports IS 'The datasets written of a data snapshot, by the hash of their manifest.';

-- ---------------------------------------------------------------- data snapshots with what other sources say
ALTER TABLE snapshot_parts DROP CONSTRAINT snapshot_parts_kind_check;
ALTER TABLE snapshot_parts ADD CONSTRAINT snapshot_parts_kind_check
    CHECK (kind IN ('bars', 'actions', 'fixings', 'witness_bars', 'witness_actions', 'witness_fixings'));
ALTER TABLE snapshot_parts ADD COLUMN layout integer NOT NULL DEFAULT 1 CHECK (layout > 0);
COMMENT ON COLUMN snapshot_parts.layout IS 'How the part''s text is written; the database can write every layout again.';

-- ---------------------------------------------------------------- append-only, for everyone
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['price_fetches', 'restatements', 'quality_reports', 'qlib_exports'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only', t);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER append_only_truncate', t);
    END LOOP;
END $$;

GRANT SELECT, INSERT ON price_fetches, restatements, quality_reports, qlib_exports TO app_writer;
GRANT SELECT ON price_fetches, restatements, quality_reports, qlib_exports TO backup;
