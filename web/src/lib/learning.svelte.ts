// The next training of a hand, and the run that is in progress with its epochs.
import { readiness } from "./api";
import type { Run, RunState, ScriptReadiness } from "./types";

const POLL_MS = 15_000;
const STATES: RunState[] = ["queued", "running", "evaluating", "succeeded", "rejected", "failed", "cancelled"];
const ENDED = new Set<RunState>(["succeeded", "rejected", "failed", "cancelled"]);

export interface Epoch {
  epoch: number;
  loss: number | null;
  cer: number | null;
}

class Learning {
  rows = $state.raw<ScriptReadiness[]>([]);
  run = $state.raw<Run | null>(null);
  epochs = $state.raw<Epoch[]>([]);
  /** Incremented when a run ends, so that views load what has changed. */
  ended = $state(0);
  private started = false;
  private events: EventSource | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private soon: ReturnType<typeof setTimeout> | undefined;

  start(): void {
    this.started = true;
    void this.load();
  }

  /** Stop and forget the user's trainings. */
  stop(): void {
    this.started = false;
    clearTimeout(this.timer);
    clearTimeout(this.soon);
    this.events?.close();
    this.events = null;
    this.rows = [];
    this.run = null;
    this.epochs = [];
  }

  /** Load again after a correction: several of them wait for one request. */
  touched(): void {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => void this.load(), 700);
  }

  get active(): boolean {
    return this.run !== null && !ENDED.has(this.run.state);
  }

  dismiss(): void {
    if (!this.active) this.run = null;
  }

  follow(runId: string): void {
    const open = this.events !== null && this.events.readyState !== EventSource.CLOSED;
    if (this.run?.run_id === runId && open) return;
    this.events?.close();
    this.epochs = [];
    this.events = new EventSource(`./train/${runId}/events`);
    for (const state of STATES) {
      this.events.addEventListener(state, (event) => this.take(JSON.parse((event as MessageEvent<string>).data) as Run));
    }
  }

  private take(run: Run): void {
    this.run = run;
    const known = this.epochs.filter((item) => item.epoch !== run.epoch);
    if (run.epoch > 0) this.epochs = [...known, { epoch: run.epoch, loss: run.loss, cer: run.cer_candidate }];
    if (ENDED.has(run.state)) {
      this.events?.close();
      this.events = null;
      this.ended += 1;
      void this.load();
    }
  }

  private async load(): Promise<void> {
    clearTimeout(this.timer);
    try {
      const answer = await readiness();
      if (!this.started) return;
      this.rows = answer.scripts;
      // A run that has ended while nothing was followed sends its last event.
      const followed = answer.active_run_id ?? (this.active ? this.run?.run_id : null);
      if (followed) this.follow(followed);
    } catch {
      // The next attempt follows; the banner of the connection says the rest.
    }
    if (this.started) this.timer = setTimeout(() => void this.load(), POLL_MS);
  }
}

export const learning = new Learning();
