// Corrections until the server has acknowledged them: each is stored in this browser first, then sent, and sent
// again with the same Idempotency-Key until an answer arrives. A closed window, a lost connection or an ended
// session loses none.
import { SvelteMap } from "svelte/reactivity";
import { correct, Problem, type Correction } from "./api";
import type { CorrectLineResponse } from "./types";

const RETRY_MS = [1000, 2000, 4000, 8000, 15000];
const AT_ONCE = 3;

export interface Entry extends Correction {
  /** Why the server refused it; the user decides. */
  refused: { code: string; detail: string } | null;
}

export type Outcome = (response: CorrectLineResponse) => void;

class Outbox {
  entries = new SvelteMap<string, Entry>();
  offline = $state(false);
  private user = "";
  private sending = new Set<string>();
  private waiting = new Map<string, Entry>();
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
        this.entries.set(entry.lineId, entry);
      } catch {
        localStorage.removeItem(name);
      }
    }
    this.retryNow();
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
    if (this.sending.has(entry.lineId)) this.waiting.set(entry.lineId, entry);
    this.entries.set(entry.lineId, entry);
    this.pump();
  }

  drop(lineId: string): void {
    this.entries.delete(lineId);
    this.waiting.delete(lineId);
    localStorage.removeItem(this.prefix + lineId);
  }

  /** Wait until all corrections are acknowledged or refused, at most ten seconds. */
  async settled(): Promise<void> {
    for (let attempt = 0; attempt < 200; attempt++) {
      if ([...this.entries.values()].every((entry) => entry.refused)) return;
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
    for (const entry of this.entries.values()) {
      if (this.sending.size >= AT_ONCE) return;
      if (!entry.refused && !this.sending.has(entry.lineId)) void this.send(entry);
    }
  }

  private async send(entry: Entry): Promise<void> {
    this.sending.add(entry.lineId);
    try {
      const response = await correct(entry);
      this.offline = false;
      this.failures = 0;
      this.acknowledge(entry, response);
    } catch (error) {
      this.fail(entry, error);
    } finally {
      this.sending.delete(entry.lineId);
    }
    if (!this.timer || this.failures === 0) this.pump();
  }

  private acknowledge(entry: Entry, response: CorrectLineResponse): void {
    const next = this.waiting.get(entry.lineId);
    this.waiting.delete(entry.lineId);
    if (next) {
      // The user has written more since: that text follows the one that was just stored.
      const following = { ...next, seen: response.line.correction_id };
      this.store(following);
      this.entries.set(following.lineId, following);
    } else {
      this.drop(entry.lineId);
    }
    for (const outcome of this.outcomes) outcome(response);
  }

  private fail(entry: Entry, error: unknown): void {
    const problem = error instanceof Problem ? error : new Problem(0, "offline", "");
    if (problem.lost || problem.status >= 500 || problem.status === 401 || problem.code === "csrf-token") {
      this.offline = problem.status === 0;
      const wait = Math.max(problem.retryAfterS * 1000, RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]!);
      this.failures += 1;
      clearTimeout(this.timer);
      if (problem.status !== 401) this.timer = setTimeout(() => this.pump(), wait);
      return;
    }
    const latest = this.waiting.get(entry.lineId) ?? entry;
    this.waiting.delete(entry.lineId);
    const detail = problem.errors[0]?.message || problem.detail;
    const refused = { ...latest, refused: { code: problem.code, detail } };
    this.store(refused);
    this.entries.set(entry.lineId, refused);
  }
}

export const outbox = new Outbox();
