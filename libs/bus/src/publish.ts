import { type MsgHdrs, headers as newHeaders, type PubAck } from 'nats';
import { type Clock, systemClock, Unavailable } from '#platform';
import type { Connection } from './connection.js';
import { written } from './contract.js';
import { isNoResponders, isNotFound, MessageTooLarge, translated } from './errors.js';
import { Refusals } from './refusals.js';
import type { Streams } from './streams.js';

export type Headers = Readonly<Record<string, string>>;

export interface PublishOptions {
  /** The same id within two minutes is stored once; a repetition is told as `duplicate`. */
  readonly messageId?: string;
  /** The stream's last sequence as the publisher knows it (0: empty). @see WrongLastSequence */
  readonly expectedLastSequence?: number;
  readonly headers?: Headers;
  /** Milliseconds to wait for the acknowledgement; 5,000 by default. */
  readonly timeoutMs?: number;
}

export interface Published {
  readonly stream: string;
  readonly sequence: number;
  readonly duplicate: boolean;
}

export interface StoredMessage {
  readonly sequence: number;
  readonly subject: string;
  readonly headers: Headers;
  /** The JSON value; the raw text where it is not JSON. */
  readonly body: unknown;
}

/** Puts messages on JetStream streams and reads back what a stream holds. */
export class Publisher {
  private readonly refusals: Refusals;

  constructor(
    private readonly connection: Connection,
    private readonly streams: Streams,
    clock: Pick<Clock, 'monotonic'> = systemClock,
  ) {
    this.refusals = new Refusals('The bus answers, and has stored nothing', clock);
    connection.onFound(() => this.refusals.forget());
  }

  /**
   * A server whose storage was taken from under it still tells of its streams and takes connections.
   * @throws Unavailable when it has lately stored nothing of what it was given
   */
  assertStoring(): void {
    this.refusals.assertNone();
  }

  publish(subject: string, body: unknown, options: PublishOptions = {}): Promise<Published> {
    return this.put(subject, written(body), options);
  }

  /** Resolves when the server has the message. After `Unavailable` it may have it: try again with the same id. */
  async put(subject: string, bytes: Uint8Array, options: PublishOptions): Promise<Published> {
    const doing = `Publishing to ${subject}`;
    this.connection.assertConnected(doing);
    assertFits(this.connection, subject, bytes.length, options.headers);
    try {
      const ack = await this.connection.reply(this.send(subject, bytes, options));
      this.refusals.forget();
      return { stream: ack.stream, sequence: ack.seq, duplicate: ack.duplicate };
    } catch (error) {
      const told = translated(error, doing);
      // Being slower than another publisher, or too large, says nothing of the storage.
      if (told instanceof Unavailable) this.refusals.note(told.message);
      throw told;
    }
  }

  /** The newest message of a stream; undefined while it has none. @throws Unavailable */
  async lastMessage(stream: string): Promise<StoredMessage | undefined> {
    const doing = `Reading the last message of ${stream}`;
    this.connection.assertConnected(doing);
    try {
      return await this.connection.reply(this.newest(stream));
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw translated(error, doing);
    }
  }

  private async newest(stream: string): Promise<StoredMessage | undefined> {
    const sequence = await this.newestHeld(stream);
    return sequence === undefined ? undefined : await storedMessage(this.connection, stream, sequence);
  }

  private async newestHeld(stream: string): Promise<number | undefined> {
    const { state } = await this.connection.jsm.streams.info(stream);
    return state.messages === 0 ? undefined : state.last_seq;
  }

  /**
   * A server whose files were removed while it had them open takes messages on, and can deliver none of them.
   * @throws Unavailable also when the newest message that a stream has by the server's word cannot be read
   */
  async assertReadable(stream: string): Promise<void> {
    const doing = `Reading the newest message of ${stream}`;
    this.connection.assertConnected(doing);
    const unreadable = await this.connection.reply(this.unreadable(stream)).catch((error: unknown) => {
      throw translated(error, doing);
    });
    if (unreadable !== undefined)
      throw new Unavailable(`The bus says that ${stream} has message ${unreadable}, and cannot read it.`);
  }

  private async unreadable(stream: string): Promise<number | undefined> {
    const sequence = await this.newestHeld(stream);
    if (sequence === undefined || (await storedMessage(this.connection, stream, sequence))) return undefined;
    // It may have been removed between the two questions.
    return (await this.newestHeld(stream)) === sequence ? sequence : undefined;
  }

  /** The sequence of the newest message that a stream ever had; 0 when it had none. @throws Unavailable */
  async lastSequence(stream: string): Promise<number> {
    const doing = `Reading the last sequence of ${stream}`;
    this.connection.assertConnected(doing);
    try {
      return (await this.connection.jsm.streams.info(stream)).state.last_seq;
    } catch (error) {
      if (isNotFound(error)) return 0;
      throw translated(error, doing);
    }
  }

  private async send(subject: string, bytes: Uint8Array, options: PublishOptions): Promise<PubAck> {
    try {
      return await this.sendOnce(subject, bytes, options);
    } catch (error) {
      // No stream takes it: the storage was wiped, and this message came before the reconnect has made them again.
      if (!isNoResponders(error)) throw error;
      await this.streams.ensure();
      return await this.sendOnce(subject, bytes, options);
    }
  }

  private sendOnce(subject: string, bytes: Uint8Array, options: PublishOptions): Promise<PubAck> {
    const { messageId, expectedLastSequence, timeoutMs = 5_000 } = options;
    return this.connection.nats.jetstream().publish(subject, bytes, {
      timeout: timeoutMs,
      headers: headersOf(options.headers),
      ...(messageId === undefined ? {} : { msgID: messageId }),
      ...(expectedLastSequence === undefined ? {} : { expect: { lastSequence: expectedLastSequence } }),
    });
  }
}

/** One message of a stream by its sequence; undefined when it is no longer held. Throws the client's errors. */
export async function storedMessage(
  { jsm }: Connection,
  stream: string,
  sequence: number,
): Promise<(StoredMessage & { readonly bytes: Uint8Array }) | undefined> {
  try {
    const stored = await jsm.streams.getMessage(stream, { seq: sequence });
    return {
      sequence: stored.seq,
      subject: stored.subject,
      headers: plain(stored.header),
      body: valueOf(stored.data),
      bytes: stored.data,
    };
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** Headers are a part of the payload for the server's limit; @throws MessageTooLarge before anything is sent. */
export function assertFits({ nats }: Connection, subject: string, bytes: number, headers: Headers = {}): void {
  const limit = nats.info?.max_payload ?? Number.POSITIVE_INFINITY;
  const size = bytes + Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  if (size <= limit) return;
  throw new MessageTooLarge(
    `The message for ${subject} has ${size} bytes, the server takes ${limit}; put large content in the blob store, or raise max_payload of nats-server.`,
  );
}

/** A header ends at a line break, so breaks become spaces. */
function headersOf(values: Headers = {}): MsgHdrs {
  const result = newHeaders();
  for (const [name, value] of Object.entries(values)) result.set(name, value.replaceAll(/[\r\n]+/g, ' '));
  return result;
}

export const plain = (from: MsgHdrs | undefined): Headers =>
  Object.fromEntries((from?.keys() ?? []).map((name) => [name, from?.get(name) ?? '']));

function valueOf(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
