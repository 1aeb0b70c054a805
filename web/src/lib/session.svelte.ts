// Who is signed in: nothing is known at the start, then a user or nobody.
import { account, resume, signIn, signOut, whenSignedOut } from "./api";
import { learning } from "./learning.svelte";
import { outbox } from "./outbox.svelte";

class SessionState {
  state = $state<"starting" | "out" | "in" | "ended">("starting");
  name = $state("");

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
    learning.stop();
    await signOut().catch(() => undefined);
    this.state = "out";
    location.hash = "#/";
  }

  private async entered(): Promise<void> {
    const me = await account();
    this.name = me.name;
    this.state = "in";
    outbox.open(me.user_id);
    learning.start();
  }
}

export const session = new SessionState();
