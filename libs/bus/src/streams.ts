import { DiscardPolicy, nanos, RetentionPolicy, StorageType, type StreamConfig } from 'nats';
import { Misconfigured, messageOf } from '#platform';
import type { Connection } from './connection.js';
import { isNotFound, isRefusedConfiguration, translated } from './errors.js';

export const WORK_STREAM = 'BATON_WORK';
export const PARKED_STREAM = 'BATON_PARKED';
/** What the server itself gave up on, as its own notices tell. */
export const UNDELIVERED_STREAM = 'BATON_UNDELIVERED';

export const PARKED_PREFIX = 'baton.parked';
export const UNDELIVERED_NOTICE = `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${WORK_STREAM}`;

/** Capped by count and never by age: the newest message stays, the mirror resumes from it. */
const stream = (name: string, subject: string, maxMessages: number) => ({
  name,
  subjects: [subject],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.Old,
  max_msgs: maxMessages,
  max_age: 0,
  duplicate_window: nanos(120_000),
});

const STREAMS = [
  stream(WORK_STREAM, 'baton.work.>', 200_000),
  stream(PARKED_STREAM, `${PARKED_PREFIX}.>`, 10_000),
  stream(UNDELIVERED_STREAM, `${UNDELIVERED_NOTICE}.*`, 10_000),
];

export const STREAM_NAMES: readonly string[] = STREAMS.map(({ name }) => name);

/** Baton's streams on the server: made when they are missing, brought up to date when they differ. */
export class Streams {
  private running: Promise<void> | undefined;

  constructor(private readonly connection: Connection) {}

  /** Calls at the same time share one round. @throws Unavailable, or Misconfigured when the server will not hold them as asked. */
  ensure(): Promise<void> {
    this.running ??= this.connection.reply(this.ensureAll()).finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async ensureAll(): Promise<void> {
    this.connection.assertConnected('Preparing the streams');
    for (const wanted of STREAMS) {
      try {
        await this.ensureOne(wanted);
      } catch (error) {
        throw translated(error, `Preparing the stream ${wanted.name}`);
      }
    }
  }

  private async ensureOne(wanted: (typeof STREAMS)[number]): Promise<void> {
    const { streams } = this.connection.jsm;
    const held = await this.held(wanted.name);
    if (held !== undefined && differences(wanted, held).length === 0) return;
    try {
      const { config } = held === undefined ? await streams.add(wanted) : await streams.update(wanted.name, wanted);
      assertKept(`stream ${wanted.name}`, wanted, config);
    } catch (error) {
      if (!isRefusedConfiguration(error)) throw error;
      throw new Misconfigured(
        `nats-server does not hold the stream ${wanted.name} as asked (${messageOf(error)}); remove the stream that is in the way and start again, or use a nats-server of Baton's own.`,
        { cause: error },
      );
    }
  }

  private async held(name: string): Promise<StreamConfig | undefined> {
    try {
      return (await this.connection.jsm.streams.info(name)).config;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}

/** Servers ignore fields that they do not know without a word, so what they answer is compared with what was asked. */
export function assertKept(what: string, wanted: object, held: object): void {
  const wrong = differences(wanted, held);
  if (wrong.length === 0) return;
  throw new Misconfigured(
    `nats-server did not make the ${what} as asked (${wrong.join(', ')}); upgrade it or remove the ${what} and start again.`,
  );
}

function differences(wanted: object, held: object): string[] {
  const has = new Map(Object.entries(held));
  return Object.entries(wanted)
    .filter(([field, value]) => JSON.stringify(has.get(field)) !== JSON.stringify(value))
    .map(([field, value]) => `${field}: asked ${JSON.stringify(value)}, is ${JSON.stringify(has.get(field))}`);
}
