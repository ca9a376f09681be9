import { setTimeout as pause } from 'node:timers/promises';
import { createInbox, type Msg } from 'nats';
import { z } from 'zod';
import { BatonError, messageOf, systemClock, Unavailable } from '#platform';
import type { Connection } from './connection.js';
import { read, written } from './contract.js';
import { AnswerTimedOut, isNoResponders, isTimeout, NoResponders, RemoteProblem, translated } from './errors.js';
import { assertFits } from './publish.js';

/** An error as it travels back to whoever asked. */
const Problem = z.object({
  code: z.string(),
  message: z.string(),
  remedy: z.enum(['retry', 'stand-down', 'give-up', 'tell']),
});
type Problem = z.infer<typeof Problem>;

const Reply = z.union([z.object({ problem: Problem }), z.object({ answer: z.unknown() })]);

export interface AskOptions {
  readonly timeoutMs: number;
}

export interface AnswerOptions {
  /** Those who answer in the same queue share the questions; without one, every one hears all. */
  readonly queue?: string;
  /** Questions at work at the same time; above it the asker is told to try again. 256. */
  readonly atOnce?: number;
}

export interface Answering {
  /** Hears no more questions and resolves when those at work are answered. */
  stop(): Promise<void>;
}

/** @throws NoResponders, AnswerTimedOut, RemoteProblem, UnreadableMessage, MessageTooLarge, Unavailable */
export async function ask<S extends z.ZodType>(
  connection: Connection,
  question: { readonly subject: string; readonly body: unknown },
  schema: S,
  { timeoutMs }: AskOptions,
): Promise<z.output<S>> {
  const { subject } = question;
  const doing = `Asking ${subject}`;
  connection.assertConnected(doing);
  const bytes = written(question.body);
  assertFits(connection, subject, bytes.length);
  const reply = read(await request(connection, subject, bytes, timeoutMs), Reply, `the answer of ${subject}`);
  if ('problem' in reply) {
    const { code, remedy, message } = reply.problem;
    throw new RemoteProblem(code, remedy, message);
  }
  return read(written(reply.answer), schema, `the answer of ${subject}`);
}

/** One of many answers, and how long it took to come. */
export interface Heard<T> {
  readonly answer: T;
  readonly afterMs: number;
}

/** Everybody's answers within the time; those that cannot be read are left out. @throws Unavailable */
export async function askAll<S extends z.ZodType>(
  connection: Connection,
  question: { readonly subject: string; readonly body: unknown },
  schema: S,
  { forMs }: { readonly forMs: number },
): Promise<readonly Heard<z.output<S>>[]> {
  const { subject } = question;
  connection.assertConnected(`Asking all on ${subject}`);
  const heard: Heard<z.output<S>>[] = [];
  const inbox = createInbox();
  const askedAt = systemClock.monotonic();
  const take = (message: Msg): void => {
    // The server says with an empty message that nobody is there.
    if (message.data.length === 0) return;
    const afterMs = systemClock.monotonic() - askedAt;
    try {
      const reply = read(message.data, Reply, `an answer of ${subject}`);
      if ('answer' in reply)
        heard.push({ answer: read(written(reply.answer), schema, `an answer of ${subject}`), afterMs });
    } catch (error) {
      connection.logger.warn({ subject, reason: messageOf(error) }, 'an answer was left out');
    }
  };
  const subscription = connection.nats.subscribe(inbox, {
    callback: (error, message) => (error ? undefined : take(message)),
  });
  try {
    connection.nats.publish(subject, written(question.body), { reply: inbox });
    await connection.reply(pause(forMs));
  } finally {
    subscription.unsubscribe();
  }
  return heard;
}

async function request(connection: Connection, subject: string, bytes: Uint8Array, timeout: number) {
  try {
    return (await connection.reply(connection.nats.request(subject, bytes, { timeout }))).data;
  } catch (error) {
    if (isNoResponders(error)) {
      throw new NoResponders(`Nobody answers on ${subject}: its service is not running.`, { cause: error });
    }
    if (isTimeout(error)) {
      connection.assertConnected(`Asking ${subject}`);
      throw new AnswerTimedOut(`No answer from ${subject} within ${timeout} ms.`, { cause: error });
    }
    throw translated(error, `Asking ${subject}`);
  }
}

/** Answers every question on the subject, many at a time. What the handler throws travels back as a problem. */
export function answer<S extends z.ZodType>(
  connection: Connection,
  question: { readonly subject: string; readonly schema: S },
  handler: (body: z.output<S>, subject: string) => Promise<unknown>,
  { queue, atOnce = 256 }: AnswerOptions = {},
): Answering {
  const atWork = new Set<Promise<void>>();

  const outcome = async (message: Msg): Promise<Uint8Array> => {
    try {
      if (atWork.size >= atOnce) throw new Unavailable(`${atOnce} questions are at work already; ask again later.`);
      const body = read(message.data, question.schema, message.subject);
      const reply = written({ answer: (await handler(body, message.subject)) ?? null });
      assertFits(connection, `the answer of ${message.subject}`, reply.length);
      return reply;
    } catch (error) {
      if (!(error instanceof BatonError))
        connection.logger.error({ subject: message.subject, err: error }, 'answering failed');
      return written({ problem: problemOf(error) });
    }
  };
  const respond = async (message: Msg): Promise<void> => {
    const reply = await outcome(message);
    try {
      message.respond(reply);
    } catch (error) {
      connection.logger.warn({ subject: message.subject, reason: messageOf(error) }, 'an answer could not be sent');
    }
  };

  const begin = (message: Msg): void => {
    const work = respond(message).finally(() => atWork.delete(work));
    atWork.add(work);
  };

  const subscription = connection.nats.subscribe(question.subject, {
    ...(queue === undefined ? {} : { queue }),
    callback: (error, message) => {
      if (error)
        return connection.logger.error(
          { subject: question.subject, reason: error.message },
          'answering is not allowed',
        );
      begin(message);
    },
  });
  return {
    stop: async () => {
      if (connection.isConnected()) await connection.reply(subscription.drain()).catch(() => undefined);
      else subscription.unsubscribe();
      while (atWork.size > 0) await Promise.all(atWork);
    },
  };
}

function problemOf(error: unknown): Problem {
  const message = messageOf(error).slice(0, 2_000);
  return error instanceof BatonError
    ? { code: error.code, remedy: error.remedy, message }
    : { code: 'internal', remedy: 'retry', message };
}
