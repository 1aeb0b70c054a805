// Files that are uploaded to a project: two at a time, repeated with the same key when the connection is lost.
// Documents and many images are read by jobs: nothing is lost when the page is closed after they were sent.
import { Problem, upload } from "./api";
import { jobs } from "./jobs.svelte";
import { fill, i18n, sentence } from "./i18n.svelte";
import type { OcrResponse } from "./types";

const AT_ONCE = 2;
const ATTEMPTS = 4;
/** Waits for the limit of readings a minute: a folder may have hundreds of images. */
const RATE_WAITS = 200;
/** Images that are read while the user waits; more of them are read in the background. */
const READ_AT_ONCE = 3;

export class Upload {
  share = $state(0);
  state = $state<"waiting" | "sending" | "reading" | "sent" | "done" | "failed">("waiting");
  detail = $state("");
  readonly key = crypto.randomUUID();

  constructor(
    readonly file: File,
    readonly inBackground: boolean,
  ) {}

  get label(): string {
    const t = i18n.t;
    if (this.state === "sending") return fill(t.uploading, Math.round(this.share * 100));
    return { waiting: t.waiting, reading: t.reading, sent: t.sent, done: t.done, failed: t.failed }[this.state];
  }
}

export class Uploads {
  list = $state<Upload[]>([]);
  private running = 0;

  /** Called when pages were stored or read. */
  onRead: () => void = () => undefined;

  constructor(private readonly projectId: string) {}

  /** Whether files would be lost if the page were closed. */
  get busy(): boolean {
    return this.list.some((item) => item.state === "waiting" || item.state === "sending");
  }

  add(files: File[]): void {
    const names = new Intl.Collator(undefined, { numeric: true });
    const sorted = files.filter((file) => !file.name.startsWith(".")).sort((a, b) => names.compare(path(a), path(b)));
    const many = sorted.length > READ_AT_ONCE;
    this.list.push(...sorted.map((file) => new Upload(file, many || isDocument(file))));
    this.pump();
  }

  repeat(item: Upload): void {
    item.state = "waiting";
    item.detail = "";
    this.pump();
  }

  private pump(): void {
    while (this.running < AT_ONCE) {
      const next = this.list.find((item) => item.state === "waiting");
      if (!next) return;
      this.running += 1;
      void this.send(next).finally(() => {
        this.running -= 1;
        this.pump();
      });
    }
  }

  private async send(item: Upload): Promise<void> {
    item.state = "sending";
    let waits = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        const onProgress = (share: number): void => progress(item, share);
        this.finish(item, await upload(item.file, this.projectId, item.key, item.inBackground, onProgress));
        return;
      } catch (error) {
        if (error instanceof Problem && error.code === "rate-limited" && waits++ < RATE_WAITS) attempt -= 1;
        if (error instanceof Problem && error.lost && attempt < ATTEMPTS) {
          await new Promise((resolve) => setTimeout(resolve, Math.max(2, error.retryAfterS) * 1000));
          continue;
        }
        item.state = "failed";
        item.detail = sentence(error);
        this.onRead(); // the page may be stored although it was not read
        return;
      }
    }
  }

  private finish(item: Upload, response: OcrResponse): void {
    if (response.job_id) {
      item.state = "sent";
      jobs.follow(response.job_id, item.file.name);
      this.onRead();
      return;
    }
    const bad = response.pages?.filter((page) => page.error) ?? [];
    item.state = bad.length > 0 ? "failed" : "done";
    item.detail = bad.map((page) => `${fill(i18n.t.pageNumber, page.position)}: ${page.error!.detail}`).join(" ");
    this.onRead();
  }
}

function progress(item: Upload, share: number): void {
  item.share = share;
  item.state = share >= 1 && !item.inBackground ? "reading" : "sending";
}

/** Return whether a file may have several pages. */
function isDocument(file: File): boolean {
  return file.type === "application/pdf" || file.type === "image/tiff" || /\.(pdf|tiff?)$/i.test(file.name);
}

const byProject = new Map<string, Uploads>();

/** Return the uploads of a project; they go on while other views are shown. */
export function uploadsOf(projectId: string): Uploads {
  const known = byProject.get(projectId) ?? new Uploads(projectId);
  byProject.set(projectId, known);
  return known;
}

/** Return whether files of any project are not sent yet. */
export const uploading = (): boolean => [...byProject.values()].some((uploads) => uploads.busy);

function path(file: File): string {
  return file.webkitRelativePath || file.name;
}

/** Return the files of a drop, those in folders included. */
export async function droppedFiles(items: DataTransferItemList): Promise<File[]> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const all: File[] = [];
  for (;;) {
    const part = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) return all;
    all.push(...(await Promise.all(part.map(filesOf))).flat());
  }
}
