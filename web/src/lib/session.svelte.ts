// Who is signed in: nothing is known at the start, then a user or nobody.
import { account, resume, signIn, signOut, whenSignedOut } from "./api";
import { jobs } from "./jobs.svelte";
import { learning } from "./learning.svelte";
import { outbox } from "./outbox.svelte";

class SessionState {
  state = $state<"starting" | "out" | "in" | "ended">("starting");
  name = $state("");
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

  async signOut(): Promise<void> {
    await signOut().catch(() => undefined);
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
