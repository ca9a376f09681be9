/** An effect in the world outside: a command of a workspace that was really carried out. */
export interface Effect {
  readonly at: number;
  readonly callId: string;
  readonly attempt: number;
  readonly tool: string;
  readonly input: string;
  /** The segment that asked for it first. */
  readonly segment: number;
}

/** A word of acknowledgement that the bus has heard, and how long the log was then. */
export interface Ack {
  readonly at: number;
  readonly subject: string;
  readonly body: unknown;
  /** How many events the run's stream held. */
  readonly logLength: number;
}

/** A request that a workspace has taken. */
export interface Asked {
  readonly at: number;
  readonly verb: string;
  readonly segment: number;
}

/** What was done to the world and what went wrong in it, whichever run was at work. */
export class Chronicle {
  /** What was done to the world, and until when it lasted. */
  readonly disturbances: { readonly at: number; readonly until: number; readonly kind: string }[] = [];
  /** What no part of the system may do: an error that nobody expected. */
  readonly surprises: string[] = [];
}

/** What has really happened to one run outside the log, as nobody in the world can see it. */
export class Ledger {
  readonly effects: Effect[] = [];
  readonly acks: Ack[] = [];
  readonly asked: Asked[] = [];
  /** Calls that a machine lost while they ran: nobody can know how they ended. */
  readonly unknowable = new Set<string>();
  /** What people have said, in their words. */
  readonly said = new Set<string>();

  constructor(
    private readonly now: () => number,
    private readonly chronicle: Chronicle,
  ) {}

  get disturbances(): Chronicle['disturbances'] {
    return this.chronicle.disturbances;
  }

  effect(effect: Omit<Effect, 'at'>): void {
    this.effects.push({ at: this.now(), ...effect });
  }

  ack(ack: Omit<Ack, 'at'>): void {
    this.acks.push({ at: this.now(), ...ack });
  }

  ask(asked: Omit<Asked, 'at'>): void {
    this.asked.push({ at: this.now(), ...asked });
  }
}
