// Files that are uploaded to a project: two at a time, repeated with the same key when the connection is lost.
import { Problem, upload } from "./api";
import { fill, i18n, sentence } from "./i18n.svelte";
import type { OcrResponse } from "./types";

const AT_ONCE = 2;
const ATTEMPTS = 4;

export class Upload {
  share = $state(0);
  state = $state<"waiting" | "sending" | "reading" | "done" | "failed">("waiting");
  detail = $state("");
  readonly key = crypto.randomUUID();

  constructor(readonly file: File) {}

  get label(): string {
    const t = i18n.t;
    if (this.state === "sending") return fill(t.uploading, Math.round(this.share * 100));
    return { waiting: t.waiting, reading: t.reading, done: t.done, failed: t.failed }[this.state];
  }
}

export class Uploads {
  list = $state<Upload[]>([]);
  private running = 0;

  constructor(
    private readonly projectId: string,
    private readonly onRead: () => void,
  ) {}

  get busy(): boolean {
    return this.list.some((item) => item.state !== "done" && item.state !== "failed");
  }

  add(files: File[]): void {
    const names = new Intl.Collator(undefined, { numeric: true });
    const sorted = files.filter((file) => !file.name.startsWith(".")).sort((a, b) => names.compare(path(a), path(b)));
    this.list.push(...sorted.map((file) => new Upload(file)));
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
    for (let attempt = 1; ; attempt++) {
      try {
        this.finish(item, await upload(item.file, this.projectId, item.key, (share) => progress(item, share)));
        return;
      } catch (error) {
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
    const bad = response.pages?.filter((page) => page.error) ?? [];
    item.state = bad.length > 0 ? "failed" : "done";
    item.detail = bad.map((page) => `${fill(i18n.t.pageNumber, page.position)}: ${page.error!.detail}`).join(" ");
    this.onRead();
  }
}

function progress(item: Upload, share: number): void {
  item.share = share;
  item.state = share >= 1 ? "reading" : "sending";
}

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
