import {
  type EventData,
  jsonEvent,
  type PersistentSubscriptionToAll,
  type PersistentSubscriptionToStream,
} from '@eventstore/db-client';

type Subscription = PersistentSubscriptionToStream | PersistentSubscriptionToAll;
export type Got = Parameters<Subscription['ack']>[0] & { retryCount: number };

/** A consumer that keeps what it gets and settles it as told. */
export class Reading {
  readonly got: Got[] = [];
  readonly failed: Promise<unknown>;
  private readonly waiting: (() => void)[] = [];

  constructor(
    readonly subscription: Subscription,
    settle: (got: Got, reading: Reading) => unknown = (got) => this.subscription.ack(got),
  ) {
    this.failed = new Promise((resolve) => subscription.once('error', resolve));
    (subscription as PersistentSubscriptionToStream).on('data', (event) => {
      this.got.push(event);
      void settle(event, this);
      for (const look of this.waiting.splice(0)) look();
    });
  }

  get revisions(): number[] {
    return this.got.map(({ link, event }) => Number((link ?? event)?.revision));
  }

  /** Resolves when so many have come. */
  async until(count: number): Promise<this> {
    while (this.got.length < count) await new Promise<void>((resolve) => this.waiting.push(resolve));
    return this;
  }

  confirmed(): Promise<this> {
    return new Promise((resolve) =>
      (this.subscription as PersistentSubscriptionToStream).once('confirmation', () => resolve(this)),
    );
  }
}

export const many = (count: number, type = 'Happened'): EventData[] =>
  Array.from({ length: count }, (_, n) => jsonEvent({ type, data: { n: String(n) } }));

/** Asks until it is so. */
export async function eventually<T>(ask: () => Promise<T>, holds: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
  }
}
