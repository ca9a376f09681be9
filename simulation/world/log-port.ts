import type {
  Appended,
  Delivery,
  EventLog,
  Expected,
  NewEvent,
  Position,
  StoredEvent,
  StreamLimits,
  Subscription,
} from '#log';
import { Unavailable } from '#platform';
import type { Process, World } from './world.js';

/** How long a client waits before it says that the log does not answer, in milliseconds. */
const GIVES_UP_MS = 3_000;

const DELAYED_MS = 1_500;

/** The log as one process sees it: far away, and not always there. */
export class LogPort implements EventLog {
  constructor(
    private readonly world: World,
    private readonly process: Process,
  ) {}

  append(stream: string, events: readonly NewEvent[], expected: Expected): Promise<Appended> {
    const { world } = this;
    const what = (): string => `append ${events.map(({ type }) => type).join('+')} to ${stream.slice(0, 8)}`;
    return this.ask(what, async () => {
      const appended = await world.log.append(stream, events, expected);
      const isNew = appended.revision >= world.lengthOf(stream);
      if (isNew)
        for await (const event of world.log.read(stream, appended.revision - events.length + 1))
          world.committed(event, this.process);
      return appended;
    });
  }

  async *read(stream: string, from?: number, max?: number): AsyncIterable<StoredEvent> {
    for (const event of await this.ask(
      () => `read ${stream.slice(0, 8)}`,
      () => all(this.world.log.read(stream, from, max)),
    ))
      yield event;
  }

  last(stream: string): Promise<StoredEvent | undefined> {
    return this.ask(
      () => `last of ${stream.slice(0, 8)}`,
      () => this.world.log.last(stream),
    );
  }

  async *readAll(types: readonly string[], after?: Position): AsyncIterable<StoredEvent> {
    yield* await this.ask(
      () => 'read all',
      () => all(this.world.log.readAll(types, after)),
    );
  }

  end(): Promise<Position | undefined> {
    return this.ask(
      () => 'end of the log',
      () => this.world.log.end(),
    );
  }

  async *readBesides(prefix: string): AsyncIterable<StoredEvent> {
    yield* await this.ask(
      () => 'read the rest',
      () => all(this.world.log.readBesides(prefix)),
    );
  }

  limit(stream: string, limits: StreamLimits): Promise<void> {
    return this.ask(
      () => 'limit a stream',
      () => this.world.log.limit(stream, limits),
    );
  }

  remove(stream: string, expected: number): Promise<void> {
    return this.ask(
      () => 'remove a stream',
      () => this.world.log.remove(stream, expected),
    );
  }

  ping(): Promise<void> {
    return this.ask(
      () => 'ping',
      () => this.world.log.ping(),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  follow(stream: string, after: number): Subscription<Delivery> {
    return this.subscribe(() => this.world.log.follow(stream, after));
  }

  followAll(types: readonly string[], after: Position | undefined): Subscription<Delivery> {
    return this.subscribe(() => this.world.log.followAll(types, after));
  }

  /** The request travels, is carried out even if its sender has died, and the answer travels back. */
  private ask<T>(what: () => string, work: () => Promise<T>): Promise<T> {
    const { world, process } = this;
    return new Promise((resolve, reject) => {
      if (!world.passes(process, () => `before: ${what()}`)) return;
      const fate = world.takeFate(process);
      const answer = (delayMs: number, then: () => void): void => {
        world.post(process, delayMs, () => {
          if (world.passes(process, () => `after: ${what()}`)) then();
        });
      };
      const lost = (): void => answer(GIVES_UP_MS, () => reject(new Unavailable(`The log did not answer: ${what()}.`)));
      world.post(undefined, fate === 'delayed' ? DELAYED_MS : world.trip(), () => {
        if (fate === 'lost' || world.isLogAway(process)) return lost();
        void work().then(
          (value) =>
            fate === 'answer-lost' || world.isCutOff(process) ? lost() : answer(world.trip(), () => resolve(value)),
          (error: unknown) => answer(world.trip(), () => reject(error)),
        );
      });
    });
  }

  private subscribe(open: () => Subscription<Delivery>): Subscription<Delivery> {
    const { world, process } = this;
    const queue = new Queue();
    if (!world.passes(process, () => 'before: follow the log')) return queue;
    world.post(undefined, world.trip(), () => {
      if (world.isLogAway(process)) world.post(process, GIVES_UP_MS, () => queue.fail());
      else void this.pump(open(), queue);
    });
    return queue;
  }

  private async pump(source: Subscription<Delivery>, queue: Queue): Promise<void> {
    const { world, process } = this;
    const forget = world.onLogLost((machine) => {
      if (machine === undefined || machine === process.machine) world.post(process, world.trip(), () => queue.fail());
    });
    const close = (): void => {
      forget();
      void source.close();
    };
    process.onDeath.add(close);
    queue.onClose = () => {
      process.onDeath.delete(close);
      close();
    };
    let arrives = world.now;
    for await (const delivery of source) {
      arrives = Math.max(arrives, world.now + world.trip());
      world.post(process, arrives - world.now, () => queue.push(delivery));
    }
  }
}

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

class Queue implements Subscription<Delivery> {
  private readonly waiting: Delivery[] = [];
  private wake: () => void = () => undefined;
  private state: 'open' | 'failed' | 'closed' = 'open';
  onClose: () => void = () => undefined;

  push(delivery: Delivery): void {
    if (this.state !== 'open') return;
    this.waiting.push(delivery);
    this.wake();
  }

  fail(): void {
    if (this.state === 'open') this.state = 'failed';
    this.onClose();
    this.wake();
  }

  close(): Promise<void> {
    this.state = 'closed';
    this.onClose();
    this.wake();
    return Promise.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Delivery, void> {
    for (;;) {
      if (this.state === 'closed') return;
      const next = this.waiting.shift();
      if (next) yield next;
      else if (this.state === 'failed') throw new Unavailable('The subscription to the log was lost.');
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }
}
