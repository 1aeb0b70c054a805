// Positions of lines and words in pixels of the page.
import type { Line, Point, Word } from "./types";

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** Return the smallest box around points. */
export function boxOf(points: Point[]): Box {
  const xs = points.map((point) => point[0]);
  const ys = points.map((point) => point[1]);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

/** Return the corners of a box. */
export const corners = ({ left, top, right, bottom }: Box): Point[] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
];

/** Return whether a point is inside a polygon. */
export function inside([x, y]: Point, polygon: Point[]): boolean {
  let odd = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [xi, yi] = polygon[i]!;
    const [xj, yj] = polygon[j]!;
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

/** Return the texts right and left of a column of the page: words belong to the side of their middle.
 *
 * Where the positions of the words are unknown, the text is divided in proportion, at a space.
 */
export function textsAt(line: Line, text: string, x: number): [string, string] {
  const words = text === line.verified_text ? line.verified_words : text === line.text ? line.words : null;
  if (words && words.length > 0) {
    const right = words.filter((word: Word) => middle(boxOf(word.boundary)) > x).length;
    const parts = text.split(/\s+/).filter(Boolean);
    if (parts.length === words.length) return [parts.slice(0, right).join(" "), parts.slice(right).join(" ")];
  }
  const { left, right } = boxOf(line.boundary);
  const wanted = ((right - x) / Math.max(1, right - left)) * text.length;
  const spaces = [...text.matchAll(/\s/g)].map((match) => match.index);
  const position = spaces.sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted))[0] ?? Math.round(wanted);
  return [text.slice(0, position).trim(), text.slice(position).trim()];
}

const middle = ({ left, right }: Box): number => (left + right) / 2;

/** Return a box for a missing line below a line: the gap to the next one, or as high as the line itself. */
export function boxBelow(line: Line, next: Line | undefined, height: number): Box {
  const { left, right, top, bottom } = boxOf(line.boundary);
  const tall = bottom - top;
  const limit = next ? boxOf(next.boundary).top : height - 1;
  const gap = limit - bottom >= tall / 2 && limit - bottom <= 2 * tall;
  const end = gap ? limit : bottom + tall;
  return { left, right, top: Math.min(bottom, height - 1 - Math.ceil(tall / 2)), bottom: Math.min(end, height - 1) };
}
