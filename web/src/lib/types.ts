// The JSON of the REST API, as far as the page uses it (openapi.json describes it).

export type Point = [number, number];

export interface Word {
  text: string;
  confidence: number;
  start: number;
  end: number;
  boundary: Point[];
}

export interface Quarantine {
  code: string;
  reason: string;
}

export interface Line {
  line_id: string;
  order: number;
  text: string;
  confidence: number;
  baseline: Point[];
  boundary: Point[];
  words: Word[];
  corrected_text: string | null;
  verified_text: string | null;
  verified_words: Word[] | null;
  quarantine: Quarantine | null;
  correction_id: string | null;
  author: string | null;
}

export interface Model {
  version: string;
  kind: "base" | "user";
}

export interface Transcription {
  transcription_id: string;
  model: Model | null;
  created_at: string;
  confidence: number | null;
  lines: Line[];
  edited: boolean;
}

export interface Page {
  image_id: string;
  project_id: string;
  state: "stored" | "read";
  created_at: string;
  image: { width: number; height: number; media_type: string };
  transcription: Transcription | null;
}

export const SCRIPTS = ["modern_cursive", "square", "sephardi", "ashkenazi", "rashi"] as const;
export type Script = (typeof SCRIPTS)[number];

export interface Project {
  project_id: string;
  name: string;
  script: Script;
  hand: string | null;
  created_at: string;
  owner: string;
  role: "viewer" | "editor" | "owner";
}

export interface ProjectWithImages extends Project {
  images: Page[];
  next_cursor: string | null;
}

export interface Session {
  csrf_token: string;
  expires_at: string;
}

export interface Account {
  user_id: string;
  name: string;
  limits: { max_upload_bytes: number };
}

export interface CorrectLineResponse {
  line: Line;
  untrained: { line_id: string; reason: string } | null;
  ground_truth_lines: number;
}

export interface StoredCorrection {
  text: string;
  origin: "user" | "imported";
  confirmed: boolean;
  withdrawn: boolean;
  quarantine: Quarantine | null;
  created_at: string;
  author: string | null;
  restored_by: string | null;
}

export interface NextLine {
  line_id: string;
  image_id: string;
  order: number;
  text: string;
  reason: string;
}

export interface ScriptReadiness {
  script: Script;
  hand: string | null;
  verified_lines: number;
  quarantined_lines: number;
  last_run_lines: number;
  next_run_lines: number;
  missing_lines: number;
  waits_for: string | null;
  reason: string;
}

export interface Readiness {
  active_run_id: string | null;
  scripts: ScriptReadiness[];
}

export type RunState = "queued" | "running" | "evaluating" | "succeeded" | "rejected" | "failed" | "cancelled";

export interface Run {
  run_id: string;
  state: RunState;
  script: Script;
  hand: string | null;
  revision: number;
  epoch: number;
  epochs: number | null;
  loss: number | null;
  cer_base: number | null;
  cer_candidate: number | null;
  verdict: string | null;
  model_version: string | null;
  training_lines: number;
  holdout_lines: number;
  remaining_seconds: number | null;
  created_at: string;
  updated_at: string;
}

export interface ModelVersion extends Model {
  script: Script | null;
  hand: string | null;
  state: "active" | "available" | "retired" | "tainted";
  cer_before: number | null;
  cer_after: number | null;
  training_lines: number;
  created_at: string;
}

export interface PageProgress {
  image_id: string;
  project_id: string;
  hand: string | null;
  lines: number;
  cer: number | null;
  model: Model;
  read_at: string;
}

export interface DocumentPage {
  position: number;
  image_id: string | null;
  state: "read" | "stored" | "failed";
  error: { code: string; detail: string } | null;
}

export interface OcrResponse {
  project_id: string;
  image_id?: string;
  /** Of a response before the pages are read; `pages` are those of the job then. */
  job_id?: string;
  pages?: DocumentPage[];
}

export interface JobExport {
  format: string;
  size_bytes: number | null;
  /** When the file is removed; null without a file. */
  expires_at: string | null;
  error: { code: string; detail: string } | null;
}

export interface JobSummary {
  job_id: string;
  kind: "reading" | "export";
  export: JobExport | null;
  project_id: string;
  state: "queued" | "running" | "succeeded" | "partly_failed" | "failed" | "cancelled";
  revision: number;
  page_count: number;
  pages_read: number;
  pages_failed: number;
  cancel_requested: boolean;
  updated_at: string;
}

export interface JobPage {
  position: number;
  image_id: string | null;
  state: "queued" | "running" | "read" | "failed" | "cancelled";
  error: { code: string; detail: string } | null;
}

export interface Job extends JobSummary {
  pages: JobPage[];
}

export interface SearchHit {
  project_id: string;
  image_id: string;
  line_id: string;
  order: number;
  text: string;
  matches: { start: number; end: number }[];
}

/** The figures of a model card that word a verdict; CERs and probabilities are from 0 to 1. */
export interface ModelCard {
  /** Absent in cards of earlier versions of Ketav. */
  reason?: string;
  measured_lines: number;
  cross_validated_lines: number;
  improved_lines?: number;
  probability_better?: number;
  cer_before: number;
  cer_after: number;
  general_cer_before: number | null;
  general_cer_after: number | null;
  general_cer_limit?: number | null;
}
