import type { z } from 'zod';
import {
  type Answering,
  AnswerTimedOut,
  type Arrival,
  type Bus,
  type ConsumeOptions,
  type Consuming,
  type Handle,
  type Listening,
  NoResponders,
  type Published,
  type PublishOptions,
  RemoteProblem,
  type StoredMessage,
} from '#bus';
import type { MessageContract } from '#contracts';
import { BatonError, messageOf, Unavailable } from '#platform';
import type { Delivered, JetStream } from './jetstream.js';
import { readOnce } from './remembered-schemas.js';
import type { Switchboard } from './switchboard.js';
import type { Process, World } from './world.js';

const GIVES_UP_MS = 5_000;
const ACK_WAIT_MS = 30_000;
const DELAYED_MS = 1_500;

/** What of the bus its users use. */
type BusSurface = Pick<
  Bus,
  | 'isConnected'
  | 'onFound'
  | 'publish'
  | 'lastMessage'
  | 'lastSequence'
  | 'consumerState'
  | 'consume'
  | 'emit'
  | 'listen'
  | 'ask'
  | 'answer'
>;

/** The bus as one process sees it. */
export class BusPort implements BusSurface {
  constructor(
    private readonly world: World,
    private readonly process: Process,
    private readonly stream: JetStream,
    private readonly board: Switchboard,
  ) {}

  isConnected(): boolean {
    return !this.world.isBusAway(this.process);
  }

  onFound(listener: () => void): void {
    const { world, process } = this;
    process.onDeath.add(world.onBusFound(() => void world.post(process, 20 + 10 * world.trip(), listener)));
  }

  publish(subject: string, body: unknown, options: PublishOptions = {}): Promise<Published> {
    return this.request(
      () => `publish ${subject.split('.').slice(0, 4).join('.')}`,
      () => this.stream.publish(subject, body, options),
    );
  }

  lastMessage(): Promise<StoredMessage | undefined> {
    return this.request(
      () => 'last message',
      () => this.stream.last(),
    );
  }

  lastSequence(): Promise<number> {
    return this.request(
      () => 'last sequence',
      () => this.stream.lastSequence(),
    );
  }

  consumerState(name: string): ReturnType<Bus['consumerState']> {
    return this.request(
      () => `state of ${name}`,
      () => this.stream.state(name),
    );
  }

  consume<C extends MessageContract>(
    contract: C,
    name: string,
    handle: Handle<C>,
    { concurrency = 1, slots, ackWaitMs = ACK_WAIT_MS }: ConsumeOptions = {},
  ): Consuming {
    const { stream, process } = this;
    let running = 0;
    const free = slots ?? ((): number => concurrency - running);
    const handled = async (message: StoredMessage, arrival: Arrival, delivered: Delivered): Promise<void> => {
      delivered.begun();
      if (!this.world.passes(process, () => `delivered: ${name}`)) return;
      if (free() <= 0) return this.say(name, delivered.nak);
      running += 1;
      const word = await this.wordFor(
        () => handle(contract.body.parse(message.body) as never, arrival),
        delivered,
        ackWaitMs,
      );
      running -= 1;
      this.say(name, () => {
        if (word === 'ack') this.world.acknowledged(message);
        delivered[word]();
      });
      stream.kickAll();
    };
    const leave = stream.join(name, contract.subject, {
      process,
      ackWaitMs,
      free,
      take: (message, arrival, delivered) => void handled(message, arrival, delivered),
    });
    process.onDeath.add(leave);
    return {
      wake: () => stream.kickAll(),
      stop: () => Promise.resolve(leave()),
    };
  }

  emit(subject: string, body: unknown): void {
    const { world, process } = this;
    const what = (): string => `tell ${subject.split('.').slice(0, 3).join('.')}`;
    if (!world.passes(process, () => `before: ${what()}`)) return;
    const fate = world.takeFate(process);
    if (fate === 'lost' || world.isBusAway(process)) return;
    const sent = structuredClone(body);
    for (let copy = 0; copy < (fate === 'doubled' ? 2 : 1); copy += 1) {
      for (const listener of this.board.on('listeners', subject)) {
        if (world.isCutOff(listener.process)) continue;
        world.post(listener.process, (fate === 'delayed' ? DELAYED_MS : 0) + world.trip(), () => {
          const read = readOnce(listener.schema, structuredClone(sent));
          void Promise.resolve(listener.hear(read as never, subject)).catch(() => undefined);
        });
      }
    }
    world.passes(process, () => `after: ${what()}`);
  }

  listen<S extends z.ZodType>(
    subject: string,
    schema: S,
    handler: (body: z.output<S>, subject: string) => void | Promise<void>,
  ): Listening {
    const stop = this.board.join('listeners', { process: this.process, subject, schema, hear: handler });
    return { stop, unreadable: () => 0 };
  }

  answer<S extends z.ZodType>(
    subject: string,
    schema: S,
    handler: (body: z.output<S>, subject: string) => Promise<unknown>,
    { queue }: { readonly queue?: string } = {},
  ): Answering {
    const stop = this.board.join('answerers', { process: this.process, subject, schema, queue, hear: handler });
    return { stop: () => Promise.resolve(stop()) };
  }

  ask<S extends z.ZodType>(
    subject: string,
    body: unknown,
    schema: S,
    { timeoutMs }: { readonly timeoutMs: number },
  ): Promise<z.output<S>> {
    const { world, process } = this;
    const what = (): string => `ask ${subject.split('.').slice(2).join('.').slice(0, 40)}`;
    return new Promise((resolve, reject) => {
      if (!world.passes(process, () => `before: ${what()}`)) return;
      if (world.isBusAway(process)) return reject(new Unavailable(`${what()}: the bus is away.`));
      const fate = world.takeFate(process);
      const sent = structuredClone(body);
      let open = true;
      const settle = (delayMs: number, then: () => void): void => {
        world.post(process, delayMs, () => {
          if (!open) return;
          open = false;
          timer.cancelled = true;
          if (world.passes(process, () => `after: ${what()}`)) then();
        });
      };
      const timer = world.post(process, timeoutMs, () => {
        if (!open) return;
        open = false;
        reject(new AnswerTimedOut(`No answer from ${subject} within ${timeoutMs} ms.`));
      });
      if (fate === 'lost') return;
      world.post(undefined, (fate === 'delayed' ? DELAYED_MS : 0) + world.trip(), () => {
        const responder = world.isBusAway(process) ? undefined : world.pick(this.board.on('answerers', subject));
        if (!responder) {
          return settle(world.trip(), () => reject(new NoResponders(`Nobody answers on ${subject}.`)));
        }
        if (world.isCutOff(responder.process)) return;
        const reply = (outcome: Outcome): void => {
          if (!world.passes(responder.process, () => `answer: ${what()}`) || fate === 'answer-lost') return;
          if (world.isCutOff(process) || world.isCutOff(responder.process)) return;
          settle(world.trip(), () => {
            if ('problem' in outcome) reject(outcome.problem);
            else resolve(schema.parse(outcome.answer));
          });
        };
        for (let copy = 0; copy < (fate === 'doubled' ? 2 : 1); copy += 1) {
          world.post(responder.process, world.trip(), () => {
            void outcomeOf(() => responder.hear(responder.schema.parse(structuredClone(sent)) as never, subject)).then(
              reply,
            );
          });
        }
      });
    });
  }

  private request<T>(what: () => string, work: () => T): Promise<T> {
    const { world, process } = this;
    return new Promise((resolve, reject) => {
      if (!world.passes(process, () => `before: ${what()}`)) return;
      if (world.isBusAway(process)) return reject(new Unavailable(`${what()}: the bus is away.`));
      const fate = world.takeFate(process);
      const answer = (delayMs: number, then: () => void): void => {
        world.post(process, delayMs, () => {
          if (world.passes(process, () => `after: ${what()}`)) then();
        });
      };
      const lost = (): void => answer(GIVES_UP_MS, () => reject(new Unavailable(`${what()}: no answer.`)));
      world.post(undefined, (fate === 'delayed' ? DELAYED_MS : 0) + world.trip(), () => {
        if (fate === 'lost' || world.isBusAway(process)) return lost();
        try {
          const value = work();
          if (fate === 'answer-lost') lost();
          else answer(world.trip(), () => resolve(value));
        } catch (error) {
          answer(world.trip(), () => reject(error));
        }
      });
    });
  }

  /** What is said of a message after its handler; "working" meanwhile, as the real delivery does. */
  private async wordFor(work: () => Promise<void>, delivered: Delivered, ackWaitMs: number): Promise<'ack' | 'nak'> {
    const working = setInterval(() => {
      if (!this.world.isBusAway(this.process)) delivered.working();
    }, ackWaitMs / 3);
    try {
      await work();
      return 'ack';
    } catch (error) {
      return error instanceof BatonError && error.remedy === 'stand-down' ? 'ack' : 'nak';
    } finally {
      clearInterval(working);
    }
  }

  private say(name: string, word: () => void): void {
    const { world, process } = this;
    const what = (): string => `say a word on ${name}`;
    if (!world.passes(process, () => `before: ${what()}`)) return;
    const fate = world.takeFate(process);
    world.passes(process, () => `after: ${what()}`);
    if (fate === 'lost' || world.isBusAway(process)) return;
    world.post(undefined, world.trip(), word);
  }
}

type Outcome = { readonly answer: unknown } | { readonly problem: RemoteProblem };

async function outcomeOf(work: () => unknown): Promise<Outcome> {
  try {
    return { answer: structuredClone((await work()) ?? null) };
  } catch (error) {
    const problem =
      error instanceof BatonError
        ? new RemoteProblem(error.code, error.remedy, error.message)
        : new RemoteProblem('internal', 'retry', messageOf(error));
    return { problem };
  }
}
