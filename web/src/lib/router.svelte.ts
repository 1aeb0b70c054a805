// Addresses after the #: the server serves one document.

class Router {
  parts = $state<string[]>([]);

  constructor() {
    this.read();
    addEventListener("hashchange", () => this.read());
  }

  private read(): void {
    this.parts = location.hash.replace(/^#\/?/, "").split("/").filter(Boolean).map(decodeURIComponent);
  }
}

export const router = new Router();

export const home = (): string => "#/";
export const projectAddress = (id: string): string => `#/project/${id}`;
export const pageAddress = (projectId: string, imageId: string, lineId = ""): string =>
  `#/project/${projectId}/page/${imageId}${lineId && `/line/${lineId}`}`;
export const nextAddress = (projectId: string): string => `#/project/${projectId}/next`;
export const learningAddress = (): string => "#/learning";
/** Address of a search in a project, or in all of the user's. */
export const searchAddress = (projectId: string | null, query: string): string =>
  `#/search/${projectId ?? "all"}/${encodeURIComponent(query)}`;
