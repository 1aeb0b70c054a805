// Calls of the REST API with the session's cookie; errors are the problem documents of the server.
import type {
  Account,
  CorrectLineResponse,
  Job,
  JobSummary,
  ModelCard,
  ModelVersion,
  NextLine,
  OcrResponse,
  Page,
  PageProgress,
  Point,
  Project,
  ProjectWithImages,
  Readiness,
  Run,
  Script,
  SearchHit,
  Session,
  StoredCorrection,
} from "./types";

const TIMEOUT_MS = 30_000;
const UPLOAD_TIMEOUT_MS = 330_000; // the gateway's deadline for a document of 20 pages is 300 s

/** A problem document (RFC 9457); status 0: no answer, the connection is lost. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly errors: { field: string; message: string }[] = [],
    readonly retryAfterS = 0,
  ) {
    super(detail);
  }

  get lost(): boolean {
    return this.status === 0 || this.status === 503 || this.status === 429;
  }
}

let token = "";
let onSignedOut: () => void = () => undefined;

export function whenSignedOut(callback: () => void): void {
  onSignedOut = callback;
}

function lostConnection(): Problem {
  return new Problem(0, "offline", "");
}

async function problemOf(response: Response): Promise<Problem> {
  const retry = Number(response.headers.get("Retry-After") ?? 0);
  try {
    const body = await response.json();
    return new Problem(response.status, body.code ?? "unknown", body.detail ?? "", body.errors ?? [], retry);
  } catch {
    return new Problem(response.status, "unknown", response.statusText, [], retry);
  }
}

interface Options {
  method?: string;
  json?: unknown;
  headers?: Record<string, string>;
}

async function answer(path: string, options: Options = {}): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...options.headers };
  const init: RequestInit = { method: options.method ?? "GET", headers, signal: AbortSignal.timeout(TIMEOUT_MS) };
  if (options.json !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(options.json);
  }
  if (init.method !== "GET" && token) headers["X-CSRF-Token"] = token;
  let response: Response;
  try {
    response = await fetch(`.${path}`, init);
  } catch {
    throw lostConnection();
  }
  if (response.ok || response.status === 304) return response;
  const problem = await problemOf(response);
  if (problem.status === 401 && !headers["Authorization"]) onSignedOut();
  throw problem;
}

export async function call<T>(path: string, options: Options = {}): Promise<T> {
  const response = await answer(path, options);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

export async function signIn(key: string): Promise<void> {
  const headers = { Authorization: `Bearer ${key}` };
  token = (await call<Session>("/session", { method: "POST", headers })).csrf_token;
}

/** Continue the session of the cookie; a Problem with status 401: there is none. */
export async function resume(): Promise<void> {
  const response = await fetch("./session", { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => {
    throw lostConnection();
  });
  if (!response.ok) throw await problemOf(response);
  token = ((await response.json()) as Session).csrf_token;
}

export async function signOut(): Promise<void> {
  await call("/session", { method: "DELETE" });
  token = "";
}

export const account = (): Promise<Account> => call("/me");

export const projects = (cursor = ""): Promise<{ projects: Project[]; next_cursor: string | null }> =>
  call(`/projects/?limit=50${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

export const createProject = (name: string, script: Script | null, hand: string | null): Promise<Project> =>
  call("/projects/", { method: "POST", json: { name, script, hand } });

export const changeProject = (id: string, change: { name?: string; hand?: string; script?: string }): Promise<Project> =>
  call(`/projects/${id}`, { method: "PATCH", json: change });

export const renameHand = (name: string, newName: string): Promise<{ name: string }> =>
  call(`/hands/${encodeURIComponent(name)}`, { method: "PATCH", json: { name: newName } });

export const deleteProject = (id: string): Promise<unknown> => call(`/projects/${id}`, { method: "DELETE" });

/** Return a project with a part of its pages; `fields` "images": without their texts. */
export const project = (
  id: string,
  fields: "text" | "images",
  limit: number,
  cursor = "",
): Promise<ProjectWithImages> =>
  call(`/projects/${id}?fields=${fields}&limit=${limit}${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

/** Return a project with all its pages, without their texts. */
export async function projectPages(id: string): Promise<ProjectWithImages> {
  const whole = await project(id, "images", 500);
  while (whole.next_cursor) {
    const part = await project(id, "images", 500, whole.next_cursor);
    whole.images.push(...part.images);
    whole.next_cursor = part.next_cursor;
  }
  return whole;
}

/** A page, or null if it is the one with this ETag. */
export async function page(projectId: string, imageId: string, etag = ""): Promise<{ page: Page; etag: string } | null> {
  const headers: Record<string, string> = etag ? { "If-None-Match": etag } : {};
  const response = await answer(`/projects/${projectId}/images/${imageId}`, { headers });
  if (response.status === 304 || (etag && response.headers.get("ETag") === etag)) return null;
  return { page: (await response.json()) as Page, etag: response.headers.get("ETag") ?? "" };
}

export const deletePage = (projectId: string, imageId: string): Promise<unknown> =>
  call(`/projects/${projectId}/images/${imageId}`, { method: "DELETE" });

export const readAgain = (projectId: string, imageId: string): Promise<unknown> =>
  call(`/projects/${projectId}/images/${imageId}/ocr`, { method: "POST" });

export const jobs = (cursor = ""): Promise<{ jobs: JobSummary[]; next_cursor: string | null }> =>
  call(`/jobs/?limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);

export const job = (id: string): Promise<Job> => call(`/jobs/${id}`);

export const createJob = (projectId: string, imageIds: string[]): Promise<Job> =>
  call("/jobs/", { method: "POST", json: { project_id: projectId, image_ids: imageIds } });

export const cancelJob = (id: string): Promise<JobSummary> => call(`/jobs/${id}/cancel`, { method: "POST" });

export const search = (
  query: string,
  projectId: string | null,
  cursor: string,
): Promise<{ hits: SearchHit[]; next_cursor: string | null }> => {
  const parameters = new URLSearchParams({ q: query });
  if (projectId) parameters.set("project_id", projectId);
  if (cursor) parameters.set("cursor", cursor);
  return call(`/search?${parameters}`);
};

export const pageFile = (projectId: string, imageId: string): string => `./projects/${projectId}/images/${imageId}/file`;

export const lineImage = (projectId: string, imageId: string, lineId: string, height = 112): string =>
  `./projects/${projectId}/images/${imageId}/lines/${lineId}/image?height=${height}`;

export const exportFile = (projectId: string, imageId: string, format: string): string =>
  `./projects/${projectId}/images/${imageId}/export?format=${format}`;

/** Address of an export of a project, or of some of its pages. */
export const exportProject = (projectId: string, format: string, imageIds: string[] = []): string =>
  `./projects/${projectId}/export?format=${format}${imageIds.map((id) => `&image_id=${id}`).join("")}`;

/** Have a job write an export of a project, or of some of its pages. */
export const exportInBackground = (projectId: string, format: string, imageIds: string[]): Promise<Job> =>
  call(exportProject(projectId, format, imageIds).slice(1), { headers: { Prefer: "respond-async" } });

/** Address of what an export job has written. */
export const exportedFile = (jobId: string): string => `./jobs/${jobId}/export`;

export interface Correction {
  projectId: string;
  imageId: string;
  lineId: string;
  text: string;
  confirm: boolean;
  seen: string | null;
  key: string;
}

export const correct = (c: Correction): Promise<CorrectLineResponse> =>
  call(`/projects/${c.projectId}/images/${c.imageId}/lines/${c.lineId}/correction`, {
    method: "PUT",
    json: { text: c.text, confirm: c.confirm },
    headers: { "If-Match": `"${c.seen ?? "none"}"`, "Idempotency-Key": c.key },
  });

export const withdraw = (projectId: string, imageId: string, lineId: string): Promise<unknown> =>
  call(`/projects/${projectId}/images/${imageId}/lines/${lineId}/correction`, { method: "DELETE" });

export const history = (projectId: string, imageId: string, lineId: string): Promise<{ corrections: StoredCorrection[] }> =>
  call(`/projects/${projectId}/images/${imageId}/lines/${lineId}/corrections`);

const edit = (projectId: string, imageId: string, method: string, path: string, json?: unknown): Promise<Page> =>
  call(`/projects/${projectId}/images/${imageId}/lines${path}`, { method, json });

export const mergeLines = (projectId: string, imageId: string, lineIds: string[]): Promise<Page> =>
  edit(projectId, imageId, "POST", "/merge", { line_ids: lineIds });

/** Divide a line into the texts of its right and left part, at a column of the image or in proportion to them. */
export const splitLine = (
  projectId: string,
  imageId: string,
  lineId: string,
  texts: [string, string],
  x: number | null = null,
): Promise<Page> => edit(projectId, imageId, "POST", `/${lineId}/split`, { texts, x });

export const moveLine = (projectId: string, imageId: string, lineId: string, order: number): Promise<Page> =>
  edit(projectId, imageId, "PATCH", `/${lineId}`, { order });

export const deleteLine = (projectId: string, imageId: string, lineId: string): Promise<Page> =>
  edit(projectId, imageId, "DELETE", `/${lineId}`);

export const addLine = (projectId: string, imageId: string, boundary: Point[], after: string | null): Promise<Page> =>
  edit(projectId, imageId, "POST", "", { boundary, after });

export const undoLines = (projectId: string, imageId: string): Promise<Page> =>
  edit(projectId, imageId, "POST", "/undo");

export const nextLines = (projectId: string): Promise<{ lines: NextLine[]; candidates: number }> =>
  call(`/projects/${projectId}/next-lines?limit=20`);

export const readiness = (): Promise<Readiness> => call("/models/readiness");

export const runs = (): Promise<{ runs: Run[] }> => call("/train/?limit=20");

export const train = (hand: string | null): Promise<{ run_id: string }> =>
  call("/train/", { method: "POST", json: { hand } });

export const cancelRun = (id: string): Promise<Run> => call(`/train/${id}/cancel`, { method: "POST" });

export const models = (): Promise<{ models: ModelVersion[] }> => call("/models/?limit=50");

export const modelCard = (version: string): Promise<{ card: ModelCard }> => call(`/models/${encodeURIComponent(version)}`);

export const activate = (version: string, hand: string | null): Promise<ModelVersion> =>
  call(`/models/${encodeURIComponent(version)}/activate${hand ? `?hand=${encodeURIComponent(hand)}` : ""}`, {
    method: "POST",
  });

export const progress = (): Promise<{ images: PageProgress[] }> => call("/models/progress?limit=100");

/** Upload an image or a document; `onProgress` gets the share that was sent, 0 to 1.
 *
 * In the background, a job reads it; otherwise the response comes when it is read.
 */
export function upload(
  file: File,
  projectId: string,
  key: string,
  inBackground: boolean,
  onProgress: (share: number) => void,
): Promise<OcrResponse> {
  const form = new FormData();
  form.append("project_id", projectId);
  form.append("file", file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "./ocr/");
    request.timeout = UPLOAD_TIMEOUT_MS;
    request.setRequestHeader("X-CSRF-Token", token);
    request.setRequestHeader("Idempotency-Key", key);
    if (inBackground) request.setRequestHeader("Prefer", "respond-async");
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(1, event.total));
    request.onerror = request.ontimeout = () => reject(lostConnection());
    request.onload = () => {
      const headers = { "Retry-After": request.getResponseHeader("Retry-After") ?? "0" };
      const response = new Response(request.responseText, { status: request.status, headers });
      if (response.ok) return void response.json().then(resolve, reject);
      if (response.status === 401) onSignedOut();
      void problemOf(response).then(reject);
    };
    request.send(form);
  });
}
