import { Latencies, Throughput } from './measurements.js';
import type { Message } from './message.js';
import type { Candidate } from './strategies.js';

/** What a group needs of the call of a consumer. */
export interface Connection {
  /** The address of the client. */
  readonly from: string;
  readonly username: string;
  readonly name: string;
  /** How many events it takes before it has settled the first. */
  readonly size: number;
  /** @returns false when the client is slower than we are: then wait for `drained`. */
  send(message: Message): boolean;
  drained(): Promise<void>;
  end(reason: unknown): void;
}

/** One connected client of a group. */
export class Consumer implements Candidate {
  inFlight = 0;
  readonly throughput: Throughput;
  readonly latencies = new Latencies();
  private slow = false;

  constructor(
    readonly number: number,
    readonly connection: Connection,
    now: () => number,
  ) {
    this.throughput = new Throughput(now);
  }

  get free(): boolean {
    return !this.slow && this.inFlight < this.connection.size;
  }

  /** `ready` is called when a client that was too slow takes events again. */
  send(message: Message, ready: () => void): void {
    this.inFlight += 1;
    if (this.connection.send(message)) return;
    this.slow = true;
    void this.drained(ready);
  }

  private async drained(ready: () => void): Promise<void> {
    await this.connection.drained();
    this.slow = false;
    ready();
  }

  settled(ms: number): void {
    this.throughput.count();
    this.latencies.add(ms);
  }
}
