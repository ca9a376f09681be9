import type { EventLog } from '../storage/event-log.js';
import type { Reader } from '../storage/reader.js';
import { Checkpoints } from './checkpoints.js';
import { type Connection, Consumer } from './consumer.js';
import type { GroupDefinition } from './definition.js';
import { InFlight } from './in-flight.js';
import { Throughput } from './measurements.js';
import { type Message, messageOf } from './message.js';
import { checkpointStreamOf, parkedStreamOf } from './names.js';
import { Parking } from './parking.js';
import { Progress } from './progress.js';
import { groupDropped, tooManySubscribers } from './refusals.js';
import type { Source } from './source.js';
import { strategyOf } from './strategies.js';

export interface Journal {
  readonly log: EventLog;
  readonly reader: Reader;
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
}

export type Nack = 'Unknown' | 'Park' | 'Retry' | 'Skip' | 'Stop';

/** Bytes of events that a group holds for its consumers before it reads on. */
const MAX_WAITING = 8 * 1024 * 1024;
/** After the disk has refused to take a parked event, it is sent again this much later. */
const PARK_AGAIN_MS = 1000;

/**
 * One persistent subscription: hands each event of its source to one of its consumers, until somebody settles it.
 *
 * 1. Every event is in exactly one place: not read yet, waiting, in flight, to be sent again, being parked, settled.
 * 2. Only what is settled is passed by a checkpoint; after a crash all beyond the checkpoint is sent again.
 * 3. An id is in flight once at most, since consumers settle by id.
 */
export class Group {
  readonly throughput: Throughput;
  readonly parking: Parking;
  readonly inFlight: InFlight;
  readonly consumers: Consumer[] = [];
  waiting: readonly Message[] = [];
  retrying: Message[] = [];
  readonly progress: Progress;
  private readonly choose;
  private lastNumber = -1;
  private atEnd = false;
  /** What is read next is new, not history. */
  private following = false;
  private scheduled = false;
  private closed = false;
  private disarm = () => {};

  constructor(
    readonly definition: GroupDefinition,
    readonly source: Source,
    private readonly journal: Journal,
  ) {
    const { log, reader, now } = journal;
    const { stream, group, settings, beginsBeyond } = definition;
    this.choose = strategyOf(settings.strategy);
    this.throughput = new Throughput(now);
    this.parking = new Parking(log, reader, parkedStreamOf(stream, group));
    const checkpoints = new Checkpoints(log, reader, checkpointStreamOf(stream, group));
    this.progress = new Progress(source, checkpoints, settings, beginsBeyond);
    this.inFlight = new InFlight(now, settings.messageTimeoutMs, (late) => {
      for (const message of late) this.retry(message, 'The consumer did not answer in time.');
    });
  }

  /** Everything that there is was read. */
  get live(): boolean {
    return this.progress.passed >= this.source.last();
  }

  /** @throws Refusal when there are as many consumers as there may be. */
  connect(connection: Connection): Consumer {
    const { stream, group, settings } = this.definition;
    if (settings.maxSubscriberCount > 0 && this.consumers.length >= settings.maxSubscriberCount)
      throw tooManySubscribers(stream, group);
    this.lastNumber += 1;
    const consumer = new Consumer(this.lastNumber, connection, this.journal.now);
    this.consumers.push(consumer);
    this.schedule();
    return consumer;
  }

  /** What the consumer had is sent to others. */
  disconnect(consumer: Consumer): void {
    const index = this.consumers.indexOf(consumer);
    if (index < 0 || this.closed) return;
    this.consumers.splice(index, 1);
    for (const message of this.inFlight.takeFrom(consumer)) this.retry(message, 'The consumer went away.');
  }

  acknowledge(ids: readonly string[]): void {
    for (const id of ids) {
      const sent = this.inFlight.take(id);
      sent?.consumer.settled(sent.ms);
      const message = sent?.message ?? this.takeLate(id);
      if (message) this.settle(message);
    }
    this.schedule();
  }

  refuse(consumer: Consumer, ids: readonly string[], { action, reason }: { action: Nack; reason: string }): void {
    if (action === 'Skip') return this.acknowledge(ids);
    for (const id of ids) {
      const message = this.inFlight.take(id)?.message ?? this.takeLate(id);
      if (!message) continue;
      if (action === 'Park') this.park(message, reason);
      else if (action === 'Stop') this.retrying.push(message);
      else this.retry(message, reason);
    }
    if (action === 'Stop') consumer.connection.end(this.dropped());
    this.schedule();
  }

  replayParked(before: number | undefined): void {
    this.parking.replay(before);
    this.schedule();
  }

  /** Writes down how far it came and lets its consumers be. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.stop();
    await this.progress.close();
  }

  private stop(): void {
    this.closed = true;
    this.disarm();
    this.inFlight.close();
    this.progress.stop();
  }

  /** Without a trace: the group is deleted. */
  forget(): void {
    this.stop();
    this.drop();
  }

  /** To be called after `close`. */
  drop(): void {
    for (const { connection } of this.consumers.splice(0)) connection.end(this.dropped());
  }

  private dropped() {
    return groupDropped(this.definition.stream, this.definition.group);
  }

  /** All that happens within one turn leads to one round of sending. */
  private schedule(): void {
    if (this.scheduled || this.closed) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  /** Sends what can be sent and reads a page if there is room; then others have their turn. */
  private pump(): void {
    if (this.closed) return;
    try {
      this.retrying = this.dispatch(this.retrying);
      if (this.anyFree && this.parking.pending)
        this.retrying = [...this.retrying, ...this.dispatch(this.parking.take(this.batch))];
      this.waiting = this.dispatch(this.waiting);
      if (!this.wantsMore) return;
      this.readPage();
      this.waiting = this.dispatch(this.waiting);
      if (this.wantsMore || this.parking.pending) this.schedule();
    } catch (error) {
      for (const { connection } of this.consumers) connection.end(error);
    }
  }

  private get anyFree(): boolean {
    return this.consumers.some(({ free }) => free);
  }

  private get batch(): number {
    return Math.max(1, this.definition.settings.readBatchSize);
  }

  private get wantsMore(): boolean {
    if (this.atEnd || this.consumers.length === 0) return false;
    if (this.waiting.length === 0) return true;
    const { liveBufferSize, historyBufferSize } = this.definition.settings;
    if (this.waiting.length + this.batch > (this.following ? liveBufferSize : historyBufferSize)) return false;
    return (
      this.waiting.reduce((bytes, { event }) => bytes + event.data.length + event.metadata.length, 0) < MAX_WAITING
    );
  }

  private readPage(): void {
    const { log } = this.journal;
    const page = this.source.read(this.progress.passed, this.batch);
    const messages = page.events.map((event) => {
      const at = this.source.placeOf(event);
      return messageOf(event, { from: 'source', at }, this.following);
    });
    this.progress.read(
      messages.map(({ origin }) => origin.at),
      page,
    );
    this.waiting = [...this.waiting, ...messages];
    this.atEnd = page.end;
    this.following = page.end;
    if (page.end)
      this.disarm = log.wakeups.next(this.source.stream, () => {
        this.atEnd = false;
        this.schedule();
      });
  }

  /** @returns what nobody could take. */
  private dispatch(queue: readonly Message[]): Message[] {
    const kept: Message[] = [];
    let at = 0;
    for (const message of queue) {
      if (!this.anyFree) break;
      at += 1;
      const consumer = this.inFlight.has(message.id) ? undefined : this.choose(message.event, this.consumers);
      if (consumer) this.send(message, consumer);
      else kept.push(message);
    }
    return [...kept, ...queue.slice(at)];
  }

  private send(message: Message, consumer: Consumer): void {
    this.inFlight.add(message, consumer);
    consumer.send(message, () => this.schedule());
  }

  /** A message that timed out and is settled late, before it was sent again. */
  private takeLate(id: string): Message | undefined {
    const message = this.retrying.find((one) => one.id === id);
    if (message) this.retrying = this.retrying.filter((one) => one !== message);
    return message;
  }

  private retry(message: Message, reason: string): void {
    if (message.retries >= this.definition.settings.maxRetryCount)
      return this.park(message, `Retried enough: ${reason}`);
    message.retries += 1;
    this.retrying.push(message);
    this.schedule();
  }

  private park(message: Message, reason: string): void {
    this.parking.park(message, reason).then(
      () => this.settle(message),
      () => {
        setTimeout(() => {
          this.retrying.push(message);
          this.schedule();
        }, PARK_AGAIN_MS).unref();
      },
    );
  }

  private settle({ origin }: Message): void {
    if (this.closed) return;
    this.throughput.count();
    if (origin.from === 'parked') this.parking.settle(origin.at);
    else this.progress.settle(origin.at);
  }
}
