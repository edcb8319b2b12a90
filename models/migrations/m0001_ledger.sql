-- The ledger: jobs and everything that is known about how they ran.

CREATE TABLE progressive_capture_jobs (
    id uuid PRIMARY KEY,
    actor text NOT NULL,
    processor_type text NOT NULL,
    payload_version integer NOT NULL DEFAULT 1,
    args jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(args) = 'array'),
    kwargs jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(kwargs) = 'object'),
    repository text,
    capture_run_id uuid,
    status text NOT NULL
        CHECK (status IN ('blocked', 'pending', 'processing', 'retrying', 'completed', 'failed', 'cancelled')),
    epoch integer NOT NULL DEFAULT 0,
    -- Waiting: either ready_rank (the job is due; less is sooner) or due_at (it will be due then).
    ready_rank double precision,
    ready_at timestamptz,
    due_at timestamptz,
    -- The fingerprint, while the job is alive and its type is unique.
    unique_key text,
    again boolean NOT NULL DEFAULT false,
    blocked_by uuid[],
    worker_id uuid,
    stop_requested text,
    attempts integer NOT NULL DEFAULT 0,
    failures_in_a_row integer NOT NULL DEFAULT 0,
    faults_in_a_row integer NOT NULL DEFAULT 0,
    crashes integer NOT NULL DEFAULT 0,
    runs integer NOT NULL DEFAULT 0,
    error text,
    error_kind text,
    metadata jsonb NOT NULL DEFAULT '{}',
    -- Of the last move: read by the transition log.
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    moved_by text,
    moved_why text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    completed_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT waiting_has_a_time CHECK (status NOT IN ('pending', 'retrying') OR ready_rank IS NOT NULL OR due_at IS NOT NULL),
    CONSTRAINT blocked_has_a_blocker CHECK (status <> 'blocked' OR blocked_by IS NOT NULL),
    CONSTRAINT processing_has_a_worker CHECK (status <> 'processing' OR worker_id IS NOT NULL)
);
-- No index mentions status: a guarded update must never be planned through one that does.
CREATE UNIQUE INDEX progressive_capture_jobs_unique ON progressive_capture_jobs (unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX progressive_capture_jobs_ready ON progressive_capture_jobs (processor_type, actor, ready_rank) WHERE ready_rank IS NOT NULL;
CREATE INDEX progressive_capture_jobs_due ON progressive_capture_jobs (due_at) WHERE ready_rank IS NULL AND due_at IS NOT NULL;
CREATE INDEX progressive_capture_jobs_held ON progressive_capture_jobs (worker_id) WHERE worker_id IS NOT NULL;
CREATE INDEX progressive_capture_jobs_blocked ON progressive_capture_jobs (id) WHERE blocked_by IS NOT NULL;
CREATE INDEX progressive_capture_jobs_of_run ON progressive_capture_jobs (capture_run_id) WHERE capture_run_id IS NOT NULL;
CREATE INDEX progressive_capture_jobs_of_repository ON progressive_capture_jobs (lower(repository), id);

-- The score of a job; metadata that was edited by hand into something else counts as none, and holds nothing up.
CREATE FUNCTION progressive_capture_priority(metadata jsonb) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN metadata ->> 'priority' ~ '^-?[0-9]{1,6}$' THEN (metadata ->> 'priority')::integer ELSE 0 END
$$;

CREATE TABLE progressive_capture_transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL,
    from_status text,
    to_status text NOT NULL,
    epoch integer NOT NULL,
    at timestamptz NOT NULL,
    who text NOT NULL,
    why text
);
CREATE INDEX progressive_capture_transitions_of_job ON progressive_capture_transitions (job_id, id);

CREATE FUNCTION progressive_capture_refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        RAISE EXCEPTION 'job % cannot begin as % with epoch %', NEW.id, NEW.status, NEW.epoch USING ERRCODE = 'check_violation';
    END IF;
    RAISE EXCEPTION 'job % cannot move from % (epoch %) to % (epoch %)', NEW.id, OLD.status, OLD.epoch, NEW.status, NEW.epoch
        USING ERRCODE = 'check_violation';
END $$;

CREATE TRIGGER legal_move BEFORE UPDATE ON progressive_capture_jobs FOR EACH ROW
WHEN (OLD.status IS DISTINCT FROM NEW.status AND (OLD.status, NEW.status) NOT IN (
    ('blocked', 'pending'), ('blocked', 'cancelled'), ('blocked', 'failed'),
    ('pending', 'processing'), ('pending', 'cancelled'),
    ('processing', 'completed'), ('processing', 'retrying'), ('processing', 'failed'), ('processing', 'pending'), ('processing', 'cancelled'),
    ('retrying', 'processing'), ('retrying', 'cancelled'), ('retrying', 'pending'),
    ('failed', 'pending'), ('failed', 'blocked'),
    ('cancelled', 'pending'), ('cancelled', 'blocked')))
EXECUTE FUNCTION progressive_capture_refuse_move();

CREATE TRIGGER legal_epoch BEFORE UPDATE ON progressive_capture_jobs FOR EACH ROW
WHEN (NEW.epoch < OLD.epoch OR (OLD.status <> 'processing' AND NEW.status = 'processing' AND NEW.epoch <> OLD.epoch + 1))
EXECUTE FUNCTION progressive_capture_refuse_move();

CREATE TRIGGER legal_beginning BEFORE INSERT ON progressive_capture_jobs FOR EACH ROW
WHEN (NEW.status NOT IN ('blocked', 'pending') OR NEW.epoch <> 0)
EXECUTE FUNCTION progressive_capture_refuse_move();

CREATE FUNCTION progressive_capture_log_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO progressive_capture_transitions (job_id, from_status, to_status, epoch, at, who, why)
    SELECT id, NULL, status, epoch, moved_at, coalesce(moved_by, session_user), moved_why FROM new_rows;
    RETURN NULL;
END $$;

-- A hand at psql does not touch moved_at: its moves are logged under its own name and without a reason.
CREATE FUNCTION progressive_capture_log_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO progressive_capture_transitions (job_id, from_status, to_status, epoch, at, who, why)
    SELECT n.id, o.status, n.status, n.epoch,
           CASE WHEN n.moved_at = o.moved_at THEN clock_timestamp() ELSE n.moved_at END,
           CASE WHEN n.moved_at = o.moved_at THEN session_user ELSE coalesce(n.moved_by, session_user) END,
           CASE WHEN n.moved_at = o.moved_at THEN NULL ELSE n.moved_why END
    FROM new_rows n JOIN old_rows o ON o.id = n.id WHERE o.status IS DISTINCT FROM n.status ORDER BY n.id;
    RETURN NULL;
END $$;

CREATE TRIGGER log_insert AFTER INSERT ON progressive_capture_jobs
REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION progressive_capture_log_insert();
CREATE TRIGGER log_update AFTER UPDATE ON progressive_capture_jobs
REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION progressive_capture_log_update();

CREATE TABLE progressive_capture_progress (
    job_id uuid PRIMARY KEY REFERENCES progressive_capture_jobs ON DELETE CASCADE,
    total_items bigint,
    processed_items bigint NOT NULL DEFAULT 0,
    failed_items bigint NOT NULL DEFAULT 0,
    last_processed_id text,
    checkpoint_data jsonb NOT NULL DEFAULT '{}',
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One row per page commit: what "no page twice" is counted from, and the distinct ids that a pass has seen.
CREATE TABLE progressive_capture_page_commits (
    job_id uuid NOT NULL REFERENCES progressive_capture_jobs ON DELETE CASCADE,
    step text NOT NULL,
    walk integer NOT NULL,
    page integer NOT NULL,
    epoch integer NOT NULL,
    cursor text,
    items integer NOT NULL,
    ids text[] NOT NULL DEFAULT '{}',
    committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job_id, step, walk, page)
);

CREATE TABLE progressive_capture_failures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES progressive_capture_jobs ON DELETE CASCADE,
    epoch integer NOT NULL,
    kind text NOT NULL,
    error_class text NOT NULL,
    message text NOT NULL,
    trace text,
    fingerprint text NOT NULL,
    worker_id uuid,
    checkpoint jsonb,
    next_status text NOT NULL,
    started_at timestamptz,
    failed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (job_id, epoch)
);
CREATE INDEX progressive_capture_failures_recent ON progressive_capture_failures (failed_at);

CREATE TABLE progressive_capture_dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES progressive_capture_jobs ON DELETE CASCADE,
    epoch integer NOT NULL,
    kind text NOT NULL,
    message text NOT NULL,
    fingerprint text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    closed_by text,
    resolution text CHECK (resolution IN ('replayed', 'discarded'))
);
CREATE UNIQUE INDEX progressive_capture_dead_letters_open ON progressive_capture_dead_letters (job_id) WHERE closed_at IS NULL;

CREATE TABLE progressive_capture_capture_runs (
    id uuid PRIMARY KEY,
    repository text NOT NULL,
    repository_id bigint,
    since_days integer,
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'completed', 'failed')),
    error text,
    opened_by uuid NOT NULL,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz
);
CREATE UNIQUE INDEX progressive_capture_capture_runs_open ON progressive_capture_capture_runs (lower(repository)) WHERE closed_at IS NULL;
CREATE INDEX progressive_capture_capture_runs_of_repository ON progressive_capture_capture_runs (lower(repository), opened_at);

CREATE TABLE progressive_capture_identities (
    name text PRIMARY KEY,
    blocked_until timestamptz,
    reason text,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE progressive_capture_workers (
    id uuid PRIMARY KEY,
    host text NOT NULL,
    pid integer NOT NULL,
    version text NOT NULL,
    queues text[] NOT NULL,
    actors jsonb NOT NULL,
    knowledge text NOT NULL,
    threads integer NOT NULL,
    lease_until timestamptz NOT NULL,
    backend_pid integer NOT NULL,
    backend_start timestamptz NOT NULL,
    running uuid[] NOT NULL DEFAULT '{}',
    draining boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    registered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    renewed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    stopped_at timestamptz,
    end_cause text
);
CREATE INDEX progressive_capture_workers_live ON progressive_capture_workers (lease_until) WHERE stopped_at IS NULL;

CREATE TABLE progressive_capture_leases (
    name text PRIMARY KEY,
    holder uuid NOT NULL,
    term bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE progressive_capture_schedules (
    name text PRIMARY KEY,
    actor text NOT NULL,
    args jsonb NOT NULL DEFAULT '[]',
    kwargs jsonb NOT NULL DEFAULT '{}',
    cron text,
    every_seconds integer CHECK (every_seconds > 0),
    enabled boolean NOT NULL DEFAULT true,
    catch_up text NOT NULL DEFAULT 'latest' CHECK (catch_up IN ('latest', 'all', 'none')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((cron IS NULL) <> (every_seconds IS NULL))
);
