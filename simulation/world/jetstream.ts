import {
  type Arrival,
  type ConsumerState,
  type Headers,
  type Published,
  type PublishOptions,
  type StoredMessage,
  WrongLastSequence,
} from '#bus';
import type { Process, World } from './world.js';

/** As the real consumers have it, in milliseconds. */
const BACKOFF_MS = [200, 1_000, 5_000, 15_000, 60_000];
const MAX_DELIVER = 20;
const DUPLICATES_MS = 120_000;
const DELAYED_MS = 4_000;

/** Someone who takes messages of a durable consumer. */
export interface Taker {
  readonly process: Process;
  /** After this long without a word a message goes to somebody else, milliseconds. */
  readonly ackWaitMs: number;
  /** How many more messages it could begin now. */
  readonly free: () => number;
  readonly take: (message: StoredMessage, arrival: Arrival, delivered: Delivered) => void;
}

/** One delivery, and what may be said about it. */
export interface Delivered {
  readonly ack: () => void;
  readonly nak: () => void;
  readonly working: () => void;
  /** It was handed to its handler: the slot is counted there from now on. */
  readonly begun: () => void;
}

interface Entry {
  readonly message: StoredMessage;
  state: 'waiting' | 'out' | 'done';
  deliveries: number;
  /** Counts what was said, so that an old timer finds that it is old. */
  turn: number;
}

interface Durable {
  readonly filter: string;
  readonly entries: Entry[];
  readonly takers: Map<Taker, number>;
}

/** The work stream and its durable consumers. It keeps what JetStream promises, and may be wiped. */
export class JetStream {
  private messages: StoredMessage[] = [];
  private sequence = 0;
  private readonly ids = new Map<string, { readonly at: number; readonly sequence: number }>();
  private readonly durables = new Map<string, Durable>();
  /** Messages that nobody could handle. */
  readonly parked: StoredMessage[] = [];

  constructor(private readonly world: World) {}

  publish(
    subject: string,
    body: unknown,
    { messageId, expectedLastSequence, headers = {} }: PublishOptions,
  ): Published {
    const stream = 'BATON_WORK';
    const known = messageId === undefined ? undefined : this.ids.get(messageId);
    if (known && this.world.now - known.at < DUPLICATES_MS)
      return { stream, sequence: known.sequence, duplicate: true };
    if (expectedLastSequence !== undefined && expectedLastSequence !== this.sequence) {
      throw new WrongLastSequence(`the stream is at ${this.sequence}, not at ${expectedLastSequence}`, this.sequence);
    }
    this.sequence += 1;
    const message = { sequence: this.sequence, subject, headers, body };
    this.messages = [message];
    if (messageId !== undefined) this.ids.set(messageId, { at: this.world.now, sequence: this.sequence });
    this.world.tell('bus', `message ${this.sequence} on ${subject}`);
    for (const durable of this.durables.values()) this.offer(durable, message);
    return { stream, sequence: this.sequence, duplicate: false };
  }

  last(): StoredMessage | undefined {
    return this.messages.at(-1);
  }

  lastSequence(): number {
    return this.sequence;
  }

  state(name: string): ConsumerState | undefined {
    const durable = this.durables.get(name);
    if (!durable) return undefined;
    const count = (state: Entry['state']): number => durable.entries.filter((entry) => entry.state === state).length;
    const free = [...durable.takers].map(([taker, coming]) => (taker.process.alive ? taker.free() - coming : 0));
    const waiting = free.reduce((sum, slots) => sum + Math.max(0, slots), 0);
    return { pending: count('waiting'), ackPending: count('out'), waiting };
  }

  /** The storage is gone. */
  wipe(): void {
    this.world.tell('bus', 'WIPED');
    this.messages = [];
    this.sequence = 0;
    this.ids.clear();
    for (const durable of this.durables.values()) durable.entries.length = 0;
  }

  join(name: string, filter: string, taker: Taker): () => void {
    const durable = this.durables.get(name) ?? { filter, entries: [], takers: new Map() };
    this.durables.set(name, durable);
    durable.takers.set(taker, 0);
    this.kick(durable);
    return () => void durable.takers.delete(taker);
  }

  /** Somebody has a free slot. */
  kickAll(): void {
    for (const durable of this.durables.values()) this.kick(durable);
  }

  private offer(durable: Durable, message: StoredMessage): void {
    if (!message.subject.startsWith(durable.filter)) return;
    durable.entries.push({ message, state: 'waiting', deliveries: 0, turn: 0 });
    this.kick(durable);
  }

  private kick(durable: Durable): void {
    if (this.world.isBusAway()) return;
    for (const entry of durable.entries) {
      if (entry.state !== 'waiting') continue;
      const free = [...durable.takers].filter(([taker, coming]) => taker.process.alive && taker.free() - coming > 0);
      const [taker] = this.world.pick(free) ?? [];
      if (!taker) return;
      this.deliver(durable, entry, taker);
    }
  }

  private deliver(durable: Durable, entry: Entry, taker: Taker): void {
    const { world } = this;
    entry.state = 'out';
    entry.deliveries += 1;
    this.wait(durable, entry, taker.ackWaitMs);
    const { turn } = entry;
    const arrival = { deliveryCount: entry.deliveries, ...entry.message } satisfies Arrival & { headers: Headers };
    const heard = (say: () => void) => (): void => {
      if (entry.state === 'out' && durable.entries.includes(entry)) say();
    };
    const words = {
      ack: heard(() => this.done(durable, entry)),
      nak: heard(() => this.again(durable, entry)),
      working: heard(() => entry.turn === turn && this.wait(durable, entry, taker.ackWaitMs)),
    };
    const hand = (to: Taker, delayMs: number): void => {
      const count = (by: number): void => void durable.takers.set(to, (durable.takers.get(to) ?? 0) + by);
      count(1);
      const begun = (): void => {
        if (durable.takers.has(to)) count(-1);
      };
      world.post(to.process, delayMs, () => to.take(entry.message, arrival, { begun, ...words }));
    };
    const fate = world.takeDeliveryFate(entry.message.subject);
    // What is sent to a machine that is cut off is out until nobody has said a word for too long.
    if (fate === 'lost' || world.isCutOff(taker.process)) return;
    hand(taker, fate === 'delayed' ? DELAYED_MS : world.trip());
    if (fate !== 'doubled') return;
    // Somebody else has it too, as after a word that came too late.
    const others = [...durable.takers.keys()].filter(({ process }) => process !== taker.process && process.alive);
    hand(world.pick(others) ?? taker, world.trip());
  }

  private done(durable: Durable, entry: Entry): void {
    entry.state = 'done';
    entry.turn += 1;
    durable.entries.splice(durable.entries.indexOf(entry), 1);
  }

  private again(durable: Durable, entry: Entry): void {
    entry.turn += 1;
    if (entry.deliveries >= MAX_DELIVER) {
      this.parked.push(entry.message);
      return this.done(durable, entry);
    }
    const backoff = BACKOFF_MS[Math.min(entry.deliveries, BACKOFF_MS.length) - 1] ?? 0;
    this.world.post(undefined, backoff, () => {
      if (entry.state !== 'out') return;
      entry.state = 'waiting';
      this.kick(durable);
    });
  }

  /** Nobody said anything in time: it goes to somebody else. */
  private wait(durable: Durable, entry: Entry, forMs: number): void {
    const turn = (entry.turn += 1);
    this.world.post(undefined, forMs, () => {
      if (entry.turn !== turn || entry.state !== 'out') return;
      entry.state = 'waiting';
      this.kick(durable);
    });
  }
}
