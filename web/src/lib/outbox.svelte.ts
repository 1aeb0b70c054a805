// Corrections until the server has acknowledged them: each is stored in this browser first, then sent, and sent
// again with the same Idempotency-Key until an answer arrives. A closed window, a lost connection or an ended
// session loses none.
import { SvelteMap } from "svelte/reactivity";
import { correct, Problem, resume, type Correction } from "./api";
import type { CorrectLineResponse } from "./types";

const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const AT_ONCE = 3;

export interface Entry extends Correction {
  /** Why the server refused it; the user decides. */
  refused: { code: string; detail: string } | null;
}

/** What is done with an acknowledged correction; `text` is the one that was sent. */
export type Outcome = (response: CorrectLineResponse, text: string) => void;

class Outbox {
  /** The latest text of each line that is not acknowledged. */
  entries = new SvelteMap<string, Entry>();
  offline = $state(false);
  private user = "";
  /** The text of a line that is sent, or sent again, before a later one: its answer decides what follows. */
  private first = new Map<string, Entry>();
  private sending = new Set<string>();
  private failures = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private outcomes = new Set<Outcome>();

  constructor() {
    addEventListener("online", () => this.retryNow());
  }

  /** Load what an earlier window of this user has left, and send it. */
  open(user: string): void {
    this.user = user;
    for (const name of Object.keys(localStorage)) {
      if (!name.startsWith(this.prefix)) continue;
      try {
        const entry = JSON.parse(localStorage.getItem(name) ?? "") as Entry;
        if (!this.entries.has(entry.lineId)) this.entries.set(entry.lineId, entry);
      } catch {
        localStorage.removeItem(name);
      }
    }
    this.retryNow();
  }

  /** Forget the user; what is not acknowledged stays stored until the user signs in again. */
  close(): void {
    clearTimeout(this.timer);
    this.entries.clear();
    this.first.clear();
    this.offline = false;
    this.user = "";
  }

  get unsent(): number {
    return [...this.entries.values()].filter((entry) => !entry.refused).length;
  }

  get size(): number {
    return this.entries.size;
  }

  /** Call a function for each acknowledged correction; returns the function that ends it. */
  onOutcome(outcome: Outcome): () => void {
    this.outcomes.add(outcome);
    return () => this.outcomes.delete(outcome);
  }

  push(correction: Omit<Correction, "key">): void {
    const entry: Entry = { ...correction, key: crypto.randomUUID(), refused: null };
    this.store(entry);
    this.entries.set(entry.lineId, entry);
    this.pump();
  }

  /** Give up the text of a line; a later one that another window has stored stays. */
  drop(lineId: string): void {
    const entry = this.entries.get(lineId);
    const stored = localStorage.getItem(this.prefix + lineId);
    if (stored && entry && (JSON.parse(stored) as Entry).key === entry.key) {
      localStorage.removeItem(this.prefix + lineId);
    }
    this.entries.delete(lineId);
    this.first.delete(lineId);
  }

  /** Wait until all corrections are acknowledged or refused, at most ten seconds. */
  async settled(): Promise<void> {
    for (let attempt = 0; attempt < 200 && this.unsent > 0; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  retryNow(): void {
    this.failures = 0;
    this.pump();
  }

  private get prefix(): string {
    return `ketav.outbox.${this.user}.`;
  }

  private store(entry: Entry): void {
    localStorage.setItem(this.prefix + entry.lineId, JSON.stringify(entry));
  }

  private pump(): void {
    clearTimeout(this.timer);
    for (const latest of this.entries.values()) {
      if (this.sending.size >= AT_ONCE) return;
      const entry = this.first.get(latest.lineId) ?? latest;
      if (!entry.refused && !this.sending.has(entry.lineId)) void this.send(entry);
    }
  }

  private async send(entry: Entry): Promise<void> {
    const user = this.user;
    this.first.set(entry.lineId, entry);
    this.sending.add(entry.lineId);
    let response: CorrectLineResponse | null = null;
    try {
      response = await correct(entry);
    } catch (error) {
      if (user === this.user) await this.fail(entry, error);
    } finally {
      this.sending.delete(entry.lineId);
    }
    if (response && user === this.user) this.acknowledge(entry, response);
    if (this.failures === 0) this.pump();
  }

  private acknowledge(entry: Entry, response: CorrectLineResponse): void {
    this.offline = false;
    this.failures = 0;
    this.first.delete(entry.lineId);
    const latest = this.entries.get(entry.lineId);
    if (latest && latest.key !== entry.key) {
      // The user has written more since: that text follows the one that was just stored.
      const following = { ...latest, seen: response.line.correction_id };
      this.store(following);
      this.entries.set(following.lineId, following);
    } else if (latest) {
      this.drop(entry.lineId);
    }
    for (const outcome of this.outcomes) outcome(response, entry.text);
  }

  private async fail(entry: Entry, error: unknown): Promise<void> {
    const problem = error instanceof Problem ? error : new Problem(0, "offline", "");
    const stale = problem.code === "csrf-token";
    if (problem.lost || problem.status >= 500 || problem.status === 401 || stale) {
      this.offline = problem.status === 0;
      const wait = Math.max(problem.retryAfterS * 1000, RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]!);
      this.failures += 1;
      clearTimeout(this.timer);
      // After 401 the user signs in again, which sends everything.
      if (problem.status !== 401) this.timer = setTimeout(() => this.pump(), wait);
      // Another window has signed in: this one needs the token of that session.
      if (stale) await resume().catch(() => undefined);
      return;
    }
    this.first.delete(entry.lineId);
    const latest = this.entries.get(entry.lineId);
    if (!latest || (latest.key !== entry.key && problem.code !== "line-changed")) return;
    const detail = problem.errors[0]?.message || problem.detail;
    const refused = { ...latest, refused: { code: problem.code, detail } };
    this.store(refused);
    this.entries.set(entry.lineId, refused);
  }
}

export const outbox = new Outbox();
