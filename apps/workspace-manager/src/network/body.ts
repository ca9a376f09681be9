import type { IncomingMessage } from 'node:http';
import { messageOf } from '#platform';

export interface Body {
  readonly bytes: Buffer;
  /** Why this is not all of it. */
  readonly broken: string | undefined;
}

/** Reads an answer up to a number of bytes, and what came of one that breaks off. */
export async function bodyOf(answer: IncomingMessage, mostBytes: number): Promise<Body> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const done = (broken?: string): Body => {
    answer.destroy();
    return { bytes: Buffer.concat(chunks).subarray(0, mostBytes), broken };
  };
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.byteLength;
      if (bytes > mostBytes) return done(`it is longer than ${mostBytes} bytes; the rest was not read`);
    }
    return done();
  } catch (error) {
    return done(`it broke off: ${messageOf(error)}`);
  }
}
