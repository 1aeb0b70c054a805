// The lines of a page while they are corrected.
import { withdraw } from "./api";
import { outbox } from "./outbox.svelte";
import type { Line, Quarantine, Word } from "./types";

export type Status =
  | "unconfirmed"
  | "draft"
  | "sending"
  | "unsent"
  | "corrected"
  | "question"
  | "conflict"
  | "refused";

/** A word is marked when the probability that all its letters are right is below. */
const UNSURE = 0.8;

export interface Mark {
  start: number;
  end: number;
}

export class LineState {
  line = $state.raw<Line>() as Line;
  text = $state("");
  theirs = $state<string | null>(null);
  untrained = $state(false);
  changedElsewhere = $state(false);
  readonly status: Status = $derived.by(() => this.currentStatus());
  readonly marks: Mark[] = $derived.by(() => unsureMarks(this.line, this.text));

  private ownChange = false;

  constructor(
    readonly projectId: string,
    readonly imageId: string,
    line: Line,
  ) {
    this.line = line;
    const entry = outbox.entries.get(line.line_id);
    this.text = entry?.text ?? localStorage.getItem(this.draftName) ?? this.stored;
  }

  /** The text that the server has: the latest correction, or the reading. */
  get stored(): string {
    return this.line.corrected_text ?? this.line.text;
  }

  /** Why the stored text does not train; null when it does, or when the user has confirmed an empty line. */
  get question(): Quarantine | null {
    const { quarantine, verified_text, corrected_text } = this.line;
    return corrected_text === "" && verified_text === "" ? null : quarantine;
  }

  get refusal(): { code: string; detail: string } | null {
    return outbox.entries.get(this.line.line_id)?.refused ?? null;
  }

  /** Width of the line in pixels of the page. */
  get width(): number {
    const xs = this.line.boundary.map((point) => point[0]);
    return Math.max(...xs) - Math.min(...xs);
  }

  /** Upper edge of the line in pixels of the page. */
  get top(): number {
    return Math.min(...this.line.boundary.map((point) => point[1]));
  }

  /** Geometry of the line: the same line of another transcription has the same. */
  get geometry(): string {
    return JSON.stringify([this.line.baseline, this.line.boundary]);
  }

  type(text: string): void {
    this.text = text;
    this.changedElsewhere = false;
    if (text === this.stored) localStorage.removeItem(this.draftName);
    else localStorage.setItem(this.draftName, text);
  }

  /** The user says that the text is right; a second time for a text that looks wrong. */
  confirm(): void {
    const text = this.text.trim();
    const settled = this.line.corrected_text === text;
    if (this.status === "corrected" || this.status === "conflict") return;
    this.send(text, settled && this.question !== null);
  }

  /** Save a text that the user has changed and left; nothing happens to an unchanged one. */
  save(): void {
    if (this.status === "draft") this.send(this.text.trim(), false);
  }

  confirmQuestion(): void {
    this.send(this.stored, true);
  }

  reset(): void {
    this.type(this.line.text);
  }

  takeTheirs(): void {
    outbox.drop(this.line.line_id);
    this.type(this.theirs ?? this.stored);
    this.theirs = null;
  }

  keepMine(): void {
    this.theirs = null;
    this.send(this.text.trim(), false);
  }

  /** Return the line to what Ketav read: it counts as uncorrected. */
  async withdraw(): Promise<void> {
    await withdraw(this.projectId, this.imageId, this.line.line_id);
    outbox.drop(this.line.line_id);
    localStorage.removeItem(this.draftName);
    this.line = { ...this.line, corrected_text: null, verified_text: null, quarantine: null };
    this.text = this.line.text;
    this.ownChange = true;
  }

  /** Take the acknowledged line; text that was typed since stays. */
  acknowledged(line: Line, untrained: boolean, sent: string): void {
    this.line = line;
    this.theirs = null;
    this.untrained = untrained;
    if (this.text.trim() === sent) {
      // The server stores a text in normal form: letters with marks may have other code points.
      this.text = line.corrected_text ?? this.text;
      localStorage.removeItem(this.draftName);
    }
  }

  /** Take the line as it is on the server now, perhaps corrected in another window. */
  refresh(line: Line): void {
    const changed = line.correction_id !== this.line.correction_id;
    const typed = this.text !== this.stored;
    const entry = outbox.entries.get(line.line_id);
    this.line = line;
    if (!changed) {
      if (entry?.refused?.code === "line-changed" && this.theirs === null) this.theirs = this.stored;
      return;
    }
    if (entry && !entry.refused) return; // the answer to it decides
    if ((typed || entry) && this.text.trim() !== this.stored) {
      this.theirs = this.stored;
    } else {
      if (entry) outbox.drop(line.line_id);
      this.text = this.stored;
      this.changedElsewhere = !this.ownChange;
      this.ownChange = false;
      localStorage.removeItem(this.draftName);
    }
  }

  private get draftName(): string {
    return `ketav.draft.${this.line.line_id}`;
  }

  private send(text: string, confirm: boolean): void {
    this.text = text;
    this.changedElsewhere = false;
    localStorage.removeItem(this.draftName);
    outbox.push({
      projectId: this.projectId,
      imageId: this.imageId,
      lineId: this.line.line_id,
      text,
      confirm,
      seen: this.line.correction_id,
    });
  }

  private currentStatus(): Status {
    const entry = outbox.entries.get(this.line.line_id);
    if (this.theirs !== null || entry?.refused?.code === "line-changed") return "conflict";
    if (entry?.refused) return "refused";
    if (entry) return outbox.offline ? "unsent" : "sending";
    if (this.text !== this.stored) return "draft";
    if (this.question) return "question";
    return this.line.corrected_text === null ? "unconfirmed" : "corrected";
  }
}

/** Return the unsure words of a reading that a text still has, by their positions in the text. */
export function unsureMarks(line: Line, text: string): Mark[] {
  if (line.corrected_text !== null) return [];
  const reading = line.text;
  const units = codeUnits(reading);
  let prefix = 0;
  while (prefix < reading.length && reading[prefix] === text[prefix]) prefix++;
  let suffix = 0;
  const rest = Math.min(reading.length, text.length) - prefix;
  while (suffix < rest && reading.at(-1 - suffix) === text.at(-1 - suffix)) suffix++;
  const shift = text.length - reading.length;
  const marks = (line.words ?? []).filter((word: Word) => word.confidence ** (word.end - word.start) < UNSURE);
  return marks.flatMap((word) => {
    const start = units[word.start] ?? 0;
    const end = units[word.end] ?? reading.length;
    if (end <= prefix) return [{ start, end }];
    if (start >= reading.length - suffix) return [{ start: start + shift, end: end + shift }];
    return [];
  });
}

/** Return the index in UTF-16 units of each code point, and of the end. */
export function codeUnits(text: string): number[] {
  const indexes = [0];
  for (const character of text) indexes.push(indexes.at(-1)! + character.length);
  return indexes;
}
