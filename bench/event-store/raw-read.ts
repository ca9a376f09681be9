import { connect } from 'node:http2';
import { codecOf } from '../../apps/event-store/src/protocol/codec.js';

const request = codecOf<object>('event_store.client.streams.ReadReq');
const PREFIX = 5;
const MIB = 1024 * 1024;

export interface Read {
  readonly events: number;
  readonly ms: number;
}

/**
 * Reads with nothing but HTTP/2 and counts messages without decoding them: what the server can do when its client
 * costs next to nothing.
 */
export async function rawRead(port: number, options: object): Promise<Read> {
  const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 8 * MIB } });
  await new Promise((resolve, reject) => session.once('remoteSettings', resolve).once('error', reject));
  session.setLocalWindowSize(16 * MIB);
  const message = request.encode({ options: { uuidOption: { string: {} }, noFilter: {}, ...options } });
  const framed = Buffer.alloc(PREFIX + message.length);
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, PREFIX);
  const started = performance.now();
  const call = session.request({
    ':method': 'POST',
    ':path': '/event_store.client.streams.Streams/Read',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  call.end(framed);
  const counter = new MessageCounter();
  for await (const chunk of call) counter.push(chunk as Buffer);
  const ms = performance.now() - started;
  session.close();
  return { events: counter.total, ms };
}

/** Counts length-prefixed messages without keeping their bytes. */
class MessageCounter {
  total = 0;
  private skip = 0;
  private head = Buffer.alloc(0);

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const skipped = Math.min(this.skip, chunk.length - at);
      this.skip -= skipped;
      at += skipped;
      const head = chunk.subarray(at, at + PREFIX - this.head.length);
      at += head.length;
      this.head = Buffer.concat([this.head, head]);
      if (this.head.length < PREFIX) return;
      this.skip = this.head.readUInt32BE(1);
      this.head = Buffer.alloc(0);
      this.total += 1;
    }
  }
}
