-- The history of repositories. Keys are GitHub's numbers; authors may be unknown (deleted accounts); logins and names may pass to others.
-- No column that changes with every look at a row: an unchanged row is never written again.

CREATE TABLE repositories (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    github_id bigint NOT NULL UNIQUE,
    node_id text NOT NULL,
    owner text NOT NULL,
    name text NOT NULL,
    default_branch text,
    -- How many pull requests GitHub declares; the size that a job's score depends on.
    pull_request_count integer NOT NULL,
    created_at timestamptz NOT NULL,
    -- updated_at up to which the history is known to be complete; moves forward only.
    watermark timestamptz,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- Not unique: a name that was given up may be taken by another repository.
CREATE INDEX repositories_name ON repositories (lower(owner), lower(name));

CREATE TABLE contributors (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    github_id bigint NOT NULL UNIQUE,
    node_id text NOT NULL,
    login text NOT NULL,
    type text NOT NULL,
    name text,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE pull_requests (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    github_id bigint NOT NULL UNIQUE,
    node_id text NOT NULL,
    repository_id bigint NOT NULL REFERENCES repositories,
    number integer NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    state text NOT NULL CHECK (state IN ('OPEN', 'CLOSED', 'MERGED')),
    draft boolean NOT NULL,
    author_id bigint REFERENCES contributors,
    merged_by_id bigint REFERENCES contributors,
    base_ref text NOT NULL,
    head_ref text NOT NULL,
    head_sha text NOT NULL,
    merge_commit_sha text,
    additions integer NOT NULL,
    deletions integer NOT NULL,
    changed_files integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    closed_at timestamptz,
    merged_at timestamptz,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (repository_id, number)
);

CREATE TABLE reviews (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    github_id bigint NOT NULL UNIQUE,
    pull_request_id bigint NOT NULL REFERENCES pull_requests,
    author_id bigint REFERENCES contributors,
    state text NOT NULL,
    body text NOT NULL,
    submitted_at timestamptz,
    commit_sha text,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX reviews_of_pull_request ON reviews (pull_request_id);

CREATE TABLE review_comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    github_id bigint NOT NULL UNIQUE,
    pull_request_id bigint NOT NULL REFERENCES pull_requests,
    review_id bigint REFERENCES reviews,
    author_id bigint REFERENCES contributors,
    path text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX review_comments_of_pull_request ON review_comments (pull_request_id);

CREATE TABLE comments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    github_id bigint NOT NULL UNIQUE,
    pull_request_id bigint NOT NULL REFERENCES pull_requests,
    author_id bigint REFERENCES contributors,
    body text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX comments_of_pull_request ON comments (pull_request_id);

CREATE TABLE commits (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repositories,
    sha text NOT NULL,
    message text NOT NULL,
    author_id bigint REFERENCES contributors,
    author_name text NOT NULL,
    authored_at timestamptz NOT NULL,
    committed_at timestamptz NOT NULL,
    additions integer NOT NULL,
    deletions integer NOT NULL,
    -- Both NULL until decided for the whole repository.
    is_direct_commit boolean,
    pull_request_id bigint REFERENCES pull_requests,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (repository_id, sha)
);

-- A commit stays linked when a force-push takes it out of the list: history is kept.
CREATE TABLE pull_request_commits (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pull_request_id bigint NOT NULL REFERENCES pull_requests,
    commit_id bigint NOT NULL REFERENCES commits,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (pull_request_id, commit_id)
);

-- Lists that were longer than their first page: where to go on asking.
CREATE TABLE progressive_capture_list_tails (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repositories,
    pull_request_id bigint NOT NULL REFERENCES pull_requests,
    list_name text NOT NULL CHECK (list_name IN ('reviews', 'commits', 'comments')),
    node_id text NOT NULL,
    cursor text NOT NULL,
    total integer NOT NULL,
    -- Items stored from the tail, those of the first page apart.
    seen integer NOT NULL DEFAULT 0,
    done boolean NOT NULL DEFAULT false,
    stored_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (pull_request_id, list_name)
);
CREATE INDEX progressive_capture_list_tails_open ON progressive_capture_list_tails (repository_id, id) WHERE NOT done;

-- The page size that last went well, by owner/name in small letters.
CREATE TABLE progressive_capture_page_sizes (
    repository text PRIMARY KEY,
    size integer NOT NULL CHECK (size > 0),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
