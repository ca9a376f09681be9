import type { Consumer } from './consumer.js';
import type { Message } from './message.js';

interface Sent {
  readonly message: Message;
  readonly consumer: Consumer;
  readonly at: number;
}

/** What was sent and not settled yet, in the order of sending, which is that of timing out. */
export class InFlight {
  private readonly sent = new Map<string, Sent>();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly now: () => number,
    /** Milliseconds; 0: for ever. */
    private readonly timeout: number,
    private readonly late: (messages: readonly Message[]) => void,
  ) {}

  get size(): number {
    return this.sent.size;
  }

  has(id: string): boolean {
    return this.sent.has(id);
  }

  add(message: Message, consumer: Consumer): void {
    this.sent.set(message.id, { message, consumer, at: this.now() });
    this.watch();
  }

  /** The consumer's slot is free again; undefined when it was not sent, or is settled or late already. */
  take(id: string): (Sent & { readonly ms: number }) | undefined {
    const found = this.sent.get(id);
    if (!found) return undefined;
    this.sent.delete(id);
    found.consumer.inFlight -= 1;
    return { ...found, ms: this.now() - found.at };
  }

  /** All that a consumer has. */
  takeFrom(consumer: Consumer): Message[] {
    const mine = [...this.sent.values()].filter((sent) => sent.consumer === consumer).map(({ message }) => message);
    for (const { id } of mine) this.take(id);
    return mine;
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private watch(): void {
    if (this.timer || this.timeout === 0) return;
    const [first] = this.sent.values();
    if (!first) return;
    this.timer = setTimeout(() => this.expire(), Math.max(1, first.at + this.timeout - this.now()));
    this.timer.unref();
  }

  private expire(): void {
    this.timer = undefined;
    const before = this.now() - this.timeout;
    const late: Message[] = [];
    for (const { message, at } of this.sent.values()) {
      if (at > before) break;
      late.push(message);
    }
    for (const { id } of late) this.take(id);
    if (late.length > 0) this.late(late);
    this.watch();
  }
}
