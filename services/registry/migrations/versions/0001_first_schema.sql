-- The first schema. Statements are separated by empty lines.

CREATE TABLE account (
    id UUID NOT NULL,
    name TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_account PRIMARY KEY (id)
);

CREATE TABLE api_key (
    sha256 BYTEA NOT NULL,
    user_id UUID NOT NULL,
    prefix TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_key PRIMARY KEY (sha256),
    CONSTRAINT fk_api_key_user_id FOREIGN KEY(user_id) REFERENCES account (id)
);

CREATE INDEX ix_api_key_user_id ON api_key (user_id);

CREATE TABLE dataset (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    script VARCHAR(32) NOT NULL,
    manifest_sha256 BYTEA NOT NULL,
    training_lines INTEGER NOT NULL,
    holdout_lines INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_dataset PRIMARY KEY (id),
    CONSTRAINT uq_dataset_id_user_id UNIQUE (id, user_id),
    CONSTRAINT fk_dataset_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT ck_dataset_script CHECK (script IN ('modern_cursive', 'square', 'sephardi', 'ashkenazi', 'rashi'))
);

CREATE TABLE project (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    name TEXT NOT NULL,
    script VARCHAR(32) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_project PRIMARY KEY (id),
    CONSTRAINT uq_project_id_user_id UNIQUE (id, user_id),
    CONSTRAINT fk_project_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT ck_project_script CHECK (script IN ('modern_cursive', 'square', 'sephardi', 'ashkenazi', 'rashi'))
);

CREATE INDEX ix_project_user_id_created_at_id ON project (user_id, created_at, id);

CREATE TABLE page (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    project_id UUID NOT NULL,
    sha256 BYTEA NOT NULL,
    size_bytes BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    layout VARCHAR(32) NOT NULL,
    state VARCHAR(32) NOT NULL,
    readings INTEGER DEFAULT '0' NOT NULL,
    request_id TEXT,
    request_sha256 BYTEA,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_page PRIMARY KEY (id),
    CONSTRAINT fk_page_project_id_user_id FOREIGN KEY(project_id, user_id) REFERENCES project (id, user_id),
    CONSTRAINT uq_page_id_user_id UNIQUE (id, user_id),
    CONSTRAINT uq_page_id_project_id_user_id UNIQUE (id, project_id, user_id),
    CONSTRAINT fk_page_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT ck_page_layout CHECK (layout IN ('page', 'line')),
    CONSTRAINT ck_page_pagestate CHECK (state IN ('stored', 'read'))
);

CREATE INDEX ix_page_project_id_created_at_id ON page (project_id, created_at, id);

CREATE UNIQUE INDEX uq_page_request ON page (user_id, request_id) WHERE request_id IS NOT NULL;

CREATE TABLE training_run (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    dataset_id UUID NOT NULL,
    script VARCHAR(32) NOT NULL,
    state VARCHAR(32) NOT NULL,
    revision BIGINT DEFAULT '1' NOT NULL,
    fence BIGINT DEFAULT '0' NOT NULL,
    attempts INTEGER DEFAULT '0' NOT NULL,
    lease_until TIMESTAMP WITH TIME ZONE,
    worker TEXT,
    parent_version TEXT,
    cancel_requested BOOLEAN DEFAULT false NOT NULL,
    epoch INTEGER DEFAULT '0' NOT NULL,
    epochs INTEGER DEFAULT '0' NOT NULL,
    loss DOUBLE PRECISION,
    cer_base DOUBLE PRECISION,
    cer_candidate DOUBLE PRECISION,
    verdict TEXT DEFAULT '' NOT NULL,
    request_id TEXT,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_training_run PRIMARY KEY (id),
    CONSTRAINT fk_training_run_dataset_id_user_id FOREIGN KEY(dataset_id, user_id) REFERENCES dataset (id, user_id),
    CONSTRAINT uq_training_run_id_user_id UNIQUE (id, user_id),
    CONSTRAINT fk_training_run_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT ck_training_run_script CHECK (script IN ('modern_cursive', 'square', 'sephardi', 'ashkenazi', 'rashi')),
    CONSTRAINT ck_training_run_runstate CHECK (state IN ('queued', 'leased', 'evaluating', 'succeeded', 'rejected', 'failed', 'cancelled'))
);

CREATE INDEX ix_training_run_state ON training_run (state, lease_until) WHERE state IN ('queued', 'leased', 'evaluating');

CREATE INDEX ix_training_run_user_id_created_at ON training_run (user_id, created_at);

CREATE UNIQUE INDEX uq_training_run_active ON training_run (user_id) WHERE state IN ('queued', 'leased', 'evaluating');

CREATE UNIQUE INDEX uq_training_run_request ON training_run (user_id, request_id) WHERE request_id IS NOT NULL;

CREATE TABLE feedback (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    project_id UUID NOT NULL,
    page_id UUID NOT NULL,
    accepted_lines INTEGER NOT NULL,
    unaligned JSONB NOT NULL,
    ground_truth_lines INTEGER NOT NULL,
    request_id TEXT,
    request_sha256 BYTEA,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_feedback PRIMARY KEY (id),
    CONSTRAINT fk_feedback_page_id_project_id_user_id FOREIGN KEY(page_id, project_id, user_id) REFERENCES page (id, project_id, user_id),
    CONSTRAINT uq_feedback_id_page_id_user_id UNIQUE (id, page_id, user_id),
    CONSTRAINT fk_feedback_user_id FOREIGN KEY(user_id) REFERENCES account (id)
);

CREATE INDEX ix_feedback_user_id_created_at ON feedback (user_id, created_at);

CREATE UNIQUE INDEX uq_feedback_request ON feedback (user_id, request_id) WHERE request_id IS NOT NULL;

CREATE TABLE model_version (
    version TEXT NOT NULL,
    user_id UUID,
    script VARCHAR(32),
    name TEXT NOT NULL,
    sha256 BYTEA NOT NULL,
    size_bytes BIGINT NOT NULL,
    state VARCHAR(32) NOT NULL,
    parent_version TEXT,
    run_id UUID,
    cer_before DOUBLE PRECISION,
    cer_after DOUBLE PRECISION,
    training_lines INTEGER DEFAULT '0' NOT NULL,
    model_card JSONB DEFAULT '{}' NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_model_version PRIMARY KEY (version),
    CONSTRAINT fk_model_version_run_id_user_id FOREIGN KEY(run_id, user_id) REFERENCES training_run (id, user_id),
    CONSTRAINT ck_model_version_user_by_run CHECK ((user_id IS NULL) = (run_id IS NULL)),
    CONSTRAINT ck_model_version_user_script CHECK (user_id IS NULL OR script IS NOT NULL),
    CONSTRAINT fk_model_version_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT ck_model_version_script CHECK (script IN ('modern_cursive', 'square', 'sephardi', 'ashkenazi', 'rashi')),
    CONSTRAINT ck_model_version_modelstate CHECK (state IN ('active', 'available', 'retired')),
    CONSTRAINT fk_model_version_parent_version FOREIGN KEY(parent_version) REFERENCES model_version (version),
    CONSTRAINT uq_model_version_run_id UNIQUE (run_id)
);

CREATE INDEX ix_model_version_sha256 ON model_version (sha256);

CREATE INDEX ix_model_version_user_id_created_at ON model_version (user_id, created_at);

CREATE TABLE active_model (
    user_id UUID NOT NULL,
    script VARCHAR(32) NOT NULL,
    version TEXT NOT NULL,
    generation BIGINT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_active_model PRIMARY KEY (user_id, script),
    CONSTRAINT fk_active_model_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT ck_active_model_script CHECK (script IN ('modern_cursive', 'square', 'sephardi', 'ashkenazi', 'rashi')),
    CONSTRAINT fk_active_model_version FOREIGN KEY(version) REFERENCES model_version (version)
);

CREATE TABLE transcription (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    page_id UUID NOT NULL,
    number INTEGER NOT NULL,
    model_version TEXT NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_transcription PRIMARY KEY (id),
    CONSTRAINT fk_transcription_page_id_user_id FOREIGN KEY(page_id, user_id) REFERENCES page (id, user_id),
    CONSTRAINT uq_transcription_id_page_id_user_id UNIQUE (id, page_id, user_id),
    CONSTRAINT uq_transcription_page_id_number UNIQUE (page_id, number),
    CONSTRAINT fk_transcription_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT fk_transcription_model_version FOREIGN KEY(model_version) REFERENCES model_version (version)
);

CREATE TABLE line (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    page_id UUID NOT NULL,
    transcription_id UUID NOT NULL,
    "order" INTEGER NOT NULL,
    place BYTEA NOT NULL,
    baseline JSONB NOT NULL,
    boundary JSONB NOT NULL,
    text TEXT NOT NULL,
    confidence REAL NOT NULL,
    character_confidences REAL[] NOT NULL,
    words JSONB NOT NULL,
    CONSTRAINT pk_line PRIMARY KEY (id),
    CONSTRAINT fk_line_transcription_id_page_id_user_id FOREIGN KEY(transcription_id, page_id, user_id) REFERENCES transcription (id, page_id, user_id),
    CONSTRAINT uq_line_id_page_id_place_user_id UNIQUE (id, page_id, place, user_id),
    CONSTRAINT uq_line_transcription_id_order UNIQUE (transcription_id, "order"),
    CONSTRAINT fk_line_user_id FOREIGN KEY(user_id) REFERENCES account (id)
);

CREATE TABLE correction (
    id UUID NOT NULL,
    number BIGINT GENERATED ALWAYS AS IDENTITY,
    user_id UUID NOT NULL,
    project_id UUID NOT NULL,
    page_id UUID NOT NULL,
    feedback_id UUID NOT NULL,
    line_id UUID NOT NULL,
    place BYTEA NOT NULL,
    text TEXT NOT NULL,
    supersedes UUID,
    created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT pk_correction PRIMARY KEY (id),
    CONSTRAINT fk_correction_page_id_project_id_user_id FOREIGN KEY(page_id, project_id, user_id) REFERENCES page (id, project_id, user_id),
    CONSTRAINT fk_correction_feedback_id_page_id_user_id FOREIGN KEY(feedback_id, page_id, user_id) REFERENCES feedback (id, page_id, user_id),
    CONSTRAINT fk_correction_line_id_page_id_place_user_id FOREIGN KEY(line_id, page_id, place, user_id) REFERENCES line (id, page_id, place, user_id),
    CONSTRAINT uq_correction_id_line_id_page_id_user_id UNIQUE (id, line_id, page_id, user_id),
    CONSTRAINT uq_correction_number UNIQUE (number),
    CONSTRAINT fk_correction_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT uq_correction_supersedes UNIQUE (supersedes),
    CONSTRAINT fk_correction_supersedes FOREIGN KEY(supersedes) REFERENCES correction (id)
);

CREATE INDEX ix_correction_page_id_place_number ON correction (page_id, place, number);

CREATE INDEX ix_correction_user_id ON correction (user_id);

CREATE TABLE dataset_line (
    dataset_id UUID NOT NULL,
    line_id UUID NOT NULL,
    user_id UUID NOT NULL,
    page_id UUID NOT NULL,
    place BYTEA NOT NULL,
    correction_id UUID NOT NULL,
    text_sha256 BYTEA NOT NULL,
    split VARCHAR(32) NOT NULL,
    CONSTRAINT pk_dataset_line PRIMARY KEY (dataset_id, line_id),
    CONSTRAINT fk_dataset_line_dataset_id_user_id FOREIGN KEY(dataset_id, user_id) REFERENCES dataset (id, user_id),
    CONSTRAINT fk_dataset_line_correction_id_line_id_page_id_user_id FOREIGN KEY(correction_id, line_id, page_id, user_id) REFERENCES correction (id, line_id, page_id, user_id),
    CONSTRAINT fk_dataset_line_user_id FOREIGN KEY(user_id) REFERENCES account (id),
    CONSTRAINT ck_dataset_line_split CHECK (split IN ('train', 'holdout'))
);

CREATE INDEX ix_dataset_line_user_id_page_id_place ON dataset_line (user_id, page_id, place);
