/**
 * gRPC puts five bytes before each message: a flag (0: not compressed) and the length.
 * Frames do not follow the boundaries of what arrives from the network.
 */
const PREFIX = 5;

export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(PREFIX + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX);
  return framed;
}

export class Malformed extends Error {}
export class Oversized extends Error {}

/** Cuts what arrives into messages. */
export class Deframer {
  private chunks: Buffer[] = [];
  private length = 0;

  constructor(private readonly limit: number) {}

  /** Whether part of a message has arrived that still lacks the rest. */
  get unfinished(): boolean {
    return this.length > 0;
  }

  /** @throws Malformed, Oversized: the rest of the call cannot be read. */
  push(chunk: Buffer): Buffer[] {
    this.chunks.push(chunk);
    this.length += chunk.length;
    const messages: Buffer[] = [];
    while (this.length >= PREFIX) {
      const size = this.nextSize();
      if (this.length < PREFIX + size) break;
      const whole = this.join();
      messages.push(whole.subarray(PREFIX, PREFIX + size));
      this.keep(whole.subarray(PREFIX + size));
    }
    return messages;
  }

  private nextSize(): number {
    let [head] = this.chunks;
    if (!head || head.length < PREFIX) head = this.join();
    if (head[0] !== 0) throw new Malformed('compressed messages are not accepted');
    const size = head.readUInt32BE(1);
    if (size > this.limit) throw new Oversized(`a message of ${size} bytes is larger than ${this.limit}`);
    return size;
  }

  private join(): Buffer {
    const [only, ...more] = this.chunks;
    if (only && more.length === 0) return only;
    const whole = Buffer.concat(this.chunks, this.length);
    this.keep(whole);
    return whole;
  }

  private keep(rest: Buffer): void {
    this.chunks = rest.length > 0 ? [rest] : [];
    this.length = rest.length;
  }
}
