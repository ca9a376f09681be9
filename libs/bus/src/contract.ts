import { z } from 'zod';
import type { MessageContract } from '#contracts';
import { messageOf } from '#platform';
import { UnreadableMessage } from './errors.js';

export type BodyOf<C extends MessageContract> = z.output<C['body']>;

/** The subject of one message: the contract's own with the id of what it is about as its last token. */
export function subjectOf(contract: MessageContract, id: string): string {
  if (!/^[^\s.*>]+$/.test(id)) throw new UnreadableMessage(`"${id}" cannot be the last token of a subject.`);
  return `${contract.subject}.${id}`;
}

/** Reads a message's bytes as JSON and by its schema. @throws UnreadableMessage */
export function read<S extends z.ZodType>(bytes: Uint8Array, schema: S, subject: string): z.output<S> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new UnreadableMessage(`The message on ${subject} is not JSON: ${messageOf(error)}`, { cause: error });
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new UnreadableMessage(`The message on ${subject} breaks its contract: ${z.prettifyError(result.error)}`);
}

export const written = (body: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(body));
