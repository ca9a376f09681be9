import type { z } from 'zod';
import type { MessageContract } from '#contracts';
import type { HealthCheck } from '#platform';
import { type Answering, type AnswerOptions, type AskOptions, answer, ask, askAll, type Heard } from './ask.js';
import { Connection, type ConnectionSettings } from './connection.js';
import { Consumer, type Consuming, type Made } from './consume.js';
import type { Handle } from './deliver.js';
import { durable, type Patience } from './durable.js';
import { isNotFound, translated } from './errors.js';
import { type Parked, ParkingLot, UNDELIVERED_DURABLE, Undelivered } from './park.js';
import { emit, type Listening, listen } from './plain.js';
import { type Published, Publisher, type PublishOptions, type StoredMessage } from './publish.js';
import { restored } from './restore.js';
import { removeStray, type StrayConsumer, type Strays, straysOn } from './strays.js';
import { Streams, WORK_STREAM } from './streams.js';

export interface ConsumeOptions extends Patience {
  /** Messages handled at the same time by this process; 1. */
  readonly concurrency?: number;
  /**
   * Instead of `concurrency`: how many more messages could be begun now. The handler takes its slot before its first
   * await and may keep it after it has returned; `wake()` when a slot becomes free again.
   */
  readonly slots?: () => number;
}

export interface ConsumerState {
  /** Messages that nobody has taken yet. */
  readonly pending: number;
  /** Messages that are at work. */
  readonly ackPending: number;
  /** Free slots of all processes that wait for a message. */
  readonly waiting: number;
}

interface Running extends Partial<Made> {
  stop(): Promise<void>;
}

/** The bus as Baton's services see it. It may lose everything at any time; nothing here promises otherwise. */
export class Bus {
  private readonly publisher: Publisher;
  private readonly around: { readonly connection: Connection; readonly streams: Streams; readonly lot: ParkingLot };
  private readonly running = new Set<Running>();
  private parksUndelivered = false;

  private constructor(private readonly connection: Connection) {
    const streams = new Streams(connection);
    this.publisher = new Publisher(connection, streams);
    this.around = { connection, streams, lot: new ParkingLot(connection, this.publisher, connection.logger) };
  }

  /**
   * Waits until the bus is there and its streams are made, then keeps the connection until `close`.
   * @throws Misconfigured when the server is too old, has no JetStream or cannot hold the streams
   */
  static async connect(settings: ConnectionSettings): Promise<Bus> {
    const connection = await Connection.open(settings);
    const bus = new Bus(connection);
    connection.onFound(() => void restored(connection, bus.around.streams));
    const problem = await restored(connection, bus.around.streams, settings.signal);
    if (problem === undefined) return bus;
    await connection.close();
    throw problem;
  }

  isConnected(): boolean {
    return this.connection.isConnected();
  }

  /** Calls whenever the connection was lost and is there again; the storage may have been wiped meanwhile. */
  onFound(listener: () => void): void {
    this.connection.onFound(listener);
  }

  /** Whether JetStream answers, can read what it holds, has stored what it was lately given, and delivers. */
  health(): HealthCheck {
    const check = async (): Promise<void> => {
      await this.publisher.assertReadable(WORK_STREAM);
      this.publisher.assertStoring();
      for (const one of this.running) one.assertMade?.();
    };
    return { name: 'bus', check };
  }

  /** Takes no more messages and questions, and resolves when those at work are done; publishing goes on working. */
  async drain(): Promise<void> {
    await Promise.all([...this.running].map((one) => one.stop()));
  }

  /** Drains, sends what is left to send and disconnects. */
  async close(): Promise<void> {
    await this.drain();
    await this.connection.close();
  }

  publish(subject: string, body: unknown, options?: PublishOptions): Promise<Published> {
    return this.publisher.publish(subject, body, options);
  }

  lastMessage(stream: string): Promise<StoredMessage | undefined> {
    return this.publisher.lastMessage(stream);
  }

  lastSequence(stream: string): Promise<number> {
    return this.publisher.lastSequence(stream);
  }

  /** Handles each message of the contract once by all processes that use this durable name. */
  consume<C extends MessageContract>(
    contract: C,
    name: string,
    handle: Handle<C>,
    options: ConsumeOptions = {},
  ): Consuming {
    this.parkUndelivered();
    const { concurrency = 1, slots = (running: number) => concurrency - running, ...patience } = options;
    const wanted = durable(WORK_STREAM, name, `${contract.subject}.*`, patience);
    return this.started(new Consumer(this.around, contract, wanted).consume(handle, slots));
  }

  /** What a durable still has to do; undefined when it does not exist. @throws Unavailable */
  async consumerState(name: string): Promise<ConsumerState | undefined> {
    const doing = `Reading the state of ${name}`;
    this.connection.assertConnected(doing);
    try {
      const state = await this.connection.reply(this.connection.jsm.consumers.info(WORK_STREAM, name));
      return { pending: state.num_pending, ackPending: state.num_ack_pending, waiting: state.num_waiting };
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw translated(error, doing);
    }
  }

  /** The messages that nobody could handle, newest first. @throws Unavailable */
  parked(limit = 100): Promise<{ readonly total: number; readonly newest: readonly Parked[] }> {
    return this.around.lot.list(limit);
  }

  /** The parked messages after a number, oldest first. @throws Unavailable */
  parkedSince(number: number, limit: number): Promise<readonly Parked[]> {
    return this.around.lot.since(number, limit);
  }

  /** @throws Unavailable */
  parkedMessage(number: number): Promise<Parked | undefined> {
    return this.around.lot.one(number);
  }

  /** Forgets a parked message; false when there was none. @throws Unavailable */
  dropParked(number: number): Promise<boolean> {
    return this.around.lot.drop(number);
  }

  /** What lies on the bus that no service uses. @throws Unavailable */
  strays(): Promise<Strays> {
    return straysOn(this.connection);
  }

  /** @throws Unavailable */
  removeStray(consumer: StrayConsumer): Promise<void> {
    return removeStray(this.connection, consumer);
  }

  emit(subject: string, body: unknown): void {
    emit(this.connection, subject, body);
  }

  listen<S extends z.ZodType>(
    subject: string,
    schema: S,
    handler: (body: z.output<S>, subject: string) => void | Promise<void>,
  ): Listening {
    return listen(this.connection, subject, schema, handler);
  }

  ask<S extends z.ZodType>(subject: string, body: unknown, schema: S, options: AskOptions): Promise<z.output<S>> {
    return ask(this.connection, { subject, body }, schema, options);
  }

  /** Asks everybody who answers on the subject, and waits `forMs` for what comes. @throws Unavailable */
  askAll<S extends z.ZodType>(
    subject: string,
    body: unknown,
    schema: S,
    wait: { readonly forMs: number },
  ): Promise<readonly Heard<z.output<S>>[]> {
    return askAll(this.connection, { subject, body }, schema, wait);
  }

  answer<S extends z.ZodType>(
    subject: string,
    schema: S,
    handler: (body: z.output<S>, subject: string) => Promise<unknown>,
    options?: AnswerOptions,
  ): Answering {
    return this.started(answer(this.connection, { subject, schema }, handler, options));
  }

  private parkUndelivered(): void {
    if (this.parksUndelivered) return;
    this.parksUndelivered = true;
    const { stream, name } = UNDELIVERED_DURABLE;
    const wanted = durable(stream, name, `${Undelivered.subject}.*`, {});
    const consumer = new Consumer(this.around, Undelivered, wanted);
    this.started(
      consumer.consume(
        (notice) => this.around.lot.parkUndelivered(notice),
        (running) => 1 - running,
      ),
    );
  }

  private started<T extends Running>(work: T): T {
    const stop = async (): Promise<void> => {
      await work.stop();
      this.running.delete(started);
    };
    const started = { ...work, stop };
    this.running.add(started);
    return started;
  }
}
