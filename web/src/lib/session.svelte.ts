// Who is signed in: nothing is known at the start, then a user or nobody.
import { account, Problem, resume, signIn, signOut, whenSignedOut } from "./api";
import { sentence } from "./i18n.svelte";
import { jobs } from "./jobs.svelte";
import { learning } from "./learning.svelte";
import { outbox } from "./outbox.svelte";

class SessionState {
  state = $state<"starting" | "out" | "in" | "ended">("starting");
  name = $state("");
  /** Why the last sign-out failed. */
  problem = $state("");
  private userId = "";

  constructor() {
    whenSignedOut(() => {
      if (this.state === "in") this.state = "ended";
    });
  }

  async start(): Promise<void> {
    try {
      await resume();
      await this.entered();
    } catch {
      this.state = "out";
    }
  }

  async signIn(key: string): Promise<void> {
    await signIn(key);
    await this.entered();
  }

  /** End the session at the server, then leave the page; without an answer the user stays, because the cookie works on. */
  async signOut(): Promise<void> {
    this.problem = "";
    try {
      await signOut();
    } catch (problem) {
      if (!(problem instanceof Problem && problem.status === 401)) {
        this.problem = sentence(problem);
        return;
      }
    }
    learning.stop();
    jobs.stop();
    outbox.close();
    this.state = "out";
    location.hash = "#/";
  }

  private async entered(): Promise<void> {
    const me = await account();
    if (this.state === "ended" && me.user_id !== this.userId) {
      // Somebody else has signed in: nothing of the former user stays on the page.
      outbox.close();
      location.reload();
      return;
    }
    this.userId = me.user_id;
    this.name = me.name;
    this.state = "in";
    outbox.open(me.user_id);
    learning.start();
    jobs.start();
  }
}

export const session = new SessionState();
