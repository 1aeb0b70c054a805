// The language of the page: the browser's, or the one that the user has chosen.
import { Problem } from "./api";
import { en, he, type Texts } from "./texts";

export type Language = "en" | "he";
const STORED = "ketav.language";

function initial(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "he") return stored;
  return navigator.languages.some((name) => name === "he" || name.startsWith("he-") || name.startsWith("iw")) ? "he" : "en";
}

class I18n {
  language = $state<Language>(initial());

  get t(): Texts {
    return this.language === "he" ? he : en;
  }

  get direction(): "rtl" | "ltr" {
    return this.language === "he" ? "rtl" : "ltr";
  }

  choose(language: Language): void {
    this.language = language;
    localStorage.setItem(STORED, language);
  }
}

export const i18n = new I18n();

/** Return a sentence with its values. */
export function fill(sentence: string, n: string | number, m: string | number = ""): string {
  return sentence.replace("{n}", String(n)).replace("{m}", String(m));
}

/** Return the sentence for an error: the page's own for a known code, else the one of the server. */
export function sentence(error: unknown): string {
  if (!(error instanceof Problem)) return i18n.t.unknownError;
  return sentenceOf(error.code, error.errors[0]?.message || error.detail);
}

/** Return the sentence for the code of a problem; `detail` is the one of the server. */
export function sentenceOf(code: string, detail: string): string {
  return i18n.t.errors[code] ?? (detail || i18n.t.unknownError);
}

export function when(iso: string): string {
  return new Date(iso).toLocaleString(i18n.language, { dateStyle: "medium", timeStyle: "short" });
}
