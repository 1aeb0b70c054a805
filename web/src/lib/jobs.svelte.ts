// The user's jobs: they are on the server, so that a reload of the page loses none of them.
import { job as getJob, jobs as getJobs } from "./api";
import type { Job, JobSummary } from "./types";

const FAST_MS = 2_000;
const SLOW_MS = 20_000;
const PARTS = 10;
/** Jobs whose pages are loaded in one turn. */
const DETAILS_AT_ONCE = 4;
/** Milliseconds for which the outcome of a job is shown unless the user hides it. */
const SHOWN_MS = 7 * 24 * 3600 * 1000;
/** The same for an export: its file stays for a day. */
const EXPORT_SHOWN_MS = 24 * 3600 * 1000;
const REMEMBERED = 300;
const STORED = "ketav.jobs";

interface Memory {
  id: string;
  name?: string;
  hidden?: boolean;
}

export const isActive = (job: JobSummary): boolean => job.state === "queued" || job.state === "running";

class Jobs {
  list = $state.raw<JobSummary[]>([]);
  /** Jobs with their pages: those of several pages, and those that failed. */
  details = $state.raw<Record<string, Job>>({});
  /** Incremented when a job has read or failed something, so that views load their pages again. */
  changed = $state(0);
  private memory = $state.raw<Memory[]>(remembered());
  private started = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    this.started = true;
    void this.load();
  }

  stop(): void {
    this.started = false;
    clearTimeout(this.timer);
    this.list = [];
    this.details = {};
  }

  /** Follow a job that was just created; `name` is that of its file. */
  follow(id: string, name: string): void {
    this.remember({ id, name });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), 300);
  }

  /** Load the jobs now: one was cancelled. */
  touched(): void {
    void this.load();
  }

  /** Do not show the outcome of jobs any longer. */
  hide(jobs: JobSummary[]): void {
    for (const job of jobs) this.remember({ id: job.job_id, hidden: true });
  }

  name(job: JobSummary): string | undefined {
    return this.memory.find((item) => item.id === job.job_id)?.name;
  }

  /** Return the jobs of a project that are shown: active ones, and outcomes that the user has not hidden. */
  of(projectId: string): JobSummary[] {
    const hidden = new Set(this.memory.filter((item) => item.hidden).map((item) => item.id));
    const since = Date.now() - SHOWN_MS;
    return this.list.filter(
      (job) =>
        job.kind === "reading" &&
        job.project_id === projectId &&
        (isActive(job) || (!hidden.has(job.job_id) && Date.parse(job.updated_at) > since && tells(job))),
    );
  }

  /** Return the exports of a project that are shown, in the same way. */
  exportsOf(projectId: string): JobSummary[] {
    const hidden = new Set(this.memory.filter((item) => item.hidden).map((item) => item.id));
    const since = Date.now() - EXPORT_SHOWN_MS;
    return this.list.filter(
      (job) =>
        job.export !== null &&
        job.project_id === projectId &&
        (isActive(job) || (!hidden.has(job.job_id) && Date.parse(job.updated_at) > since)),
    );
  }

  private remember(item: Memory): void {
    const others = this.memory.filter((one) => one.id !== item.id);
    const known = this.memory.find((one) => one.id === item.id);
    this.memory = [...others, { ...known, ...item }].slice(-REMEMBERED);
    localStorage.setItem(STORED, JSON.stringify(this.memory));
  }

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    let active = false;
    try {
      const before = new Map(this.list.map((job) => [job.job_id, job.revision]));
      const loaded = await this.loadAll();
      if (!this.started) return;
      await this.loadDetails(loaded);
      const first = this.list.length === 0;
      this.list = loaded;
      active = loaded.some(isActive);
      if (!first && loaded.some((job) => before.get(job.job_id) !== job.revision)) this.changed += 1;
    } catch {
      // The next attempt follows; the banner of the connection says the rest.
    }
    clearTimeout(this.timer);
    if (this.started) this.timer = setTimeout(() => void this.load(), active ? FAST_MS : SLOW_MS);
  }

  /** Return the newest jobs and all active ones: a job is read before those that were created later. */
  private async loadAll(): Promise<JobSummary[]> {
    const all: JobSummary[] = [];
    let cursor = "";
    for (let part = 0; part < PARTS; part++) {
      const answer = await getJobs(cursor);
      all.push(...answer.jobs);
      cursor = answer.next_cursor ?? "";
      const last = answer.jobs.at(-1);
      if (!cursor || !last || !isActive(last)) break;
    }
    return all;
  }

  private async loadDetails(jobs: JobSummary[]): Promise<void> {
    const wanted = jobs.filter((job) => job.kind === "reading").filter((job) => job.page_count > 1 || job.pages_failed > 0);
    const stale = wanted.filter((job) => this.details[job.job_id]?.revision !== job.revision);
    const known = wanted.flatMap((job) => this.details[job.job_id] ?? []);
    const fresh = await Promise.all(stale.slice(0, DETAILS_AT_ONCE).map((job) => getJob(job.job_id).catch(() => null)));
    this.details = Object.fromEntries([...known, ...fresh.filter((job) => job !== null)].map((job) => [job.job_id, job]));
  }
}

/** Return whether the outcome of a job says more than the pages of the project do. */
function tells(job: JobSummary): boolean {
  return job.page_count > 1 || job.pages_failed > 0;
}

function remembered(): Memory[] {
  try {
    return JSON.parse(localStorage.getItem(STORED) ?? "[]") as Memory[];
  } catch {
    return [];
  }
}

export const jobs = new Jobs();
