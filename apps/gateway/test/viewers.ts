import { WebSocket } from 'ws';
import { EventView, LiveFrame, type RunId } from '#contracts';
import { KEY, type Rig } from './rig.js';

/** One Server-Sent Event as a browser would hand it over. */
export interface Sent {
  readonly id: string | undefined;
  readonly event: string;
  readonly text: string;
}

/** Reads a stream of Server-Sent Events; leaving the loop drops the connection. */
export async function* sse(rig: Pick<Rig, 'ask'>, run: RunId, lastSeen?: number): AsyncGenerator<Sent> {
  const leaving = new AbortController();
  const headers = {
    accept: 'text/event-stream',
    ...(lastSeen === undefined ? {} : { 'last-event-id': String(lastSeen) }),
  };
  const response = await rig.ask(`/v1/runs/${run}/events`, { headers, signal: leaving.signal });
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const bytes of response.body ?? []) {
      const blocks = (rest + decoder.decode(bytes as Uint8Array, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      yield* blocks.filter((block) => !block.startsWith(':')).map(sentOf);
    }
  } finally {
    leaving.abort();
  }
}

function sentOf(block: string): Sent {
  const fields = new Map(block.split('\n').map((line) => [line.split(': ')[0], line.slice(line.indexOf(': ') + 2)]));
  return { id: fields.get('id'), event: fields.get('event') ?? 'message', text: fields.get('data') ?? '' };
}

export const eventOf = (sent: Sent): EventView => EventView.parse(JSON.parse(sent.text));

/** A WebSocket whose frames are taken one by one. */
export class LiveViewer implements AsyncIterable<LiveFrame> {
  private readonly frames: LiveFrame[] = [];
  private wake: () => void = () => undefined;
  readonly closed: Promise<{ readonly code: number }>;
  private open = true;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (text: Buffer) => {
      this.frames.push(LiveFrame.parse(JSON.parse(text.toString())));
      this.wake();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code) => {
        this.open = false;
        this.wake();
        resolve({ code });
      });
    });
  }

  static async connect(rig: Pick<Rig, 'url'>, query = `?key=${KEY}`): Promise<LiveViewer> {
    const socket = new WebSocket(`${rig.url.replace('http', 'ws')}/v1/live${query}`);
    const viewer = new LiveViewer(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return viewer;
  }

  say(frame: object): void {
    this.socket.send(JSON.stringify(frame));
  }

  drop(): void {
    this.socket.terminate();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<LiveFrame> {
    while (this.open || this.frames.length > 0) {
      const frame = this.frames.shift();
      if (frame) yield frame;
      else
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
    }
  }

  async take(count: number): Promise<readonly LiveFrame[]> {
    const taken: LiveFrame[] = [];
    for await (const frame of this) {
      taken.push(frame);
      if (taken.length === count) break;
    }
    return taken;
  }
}
