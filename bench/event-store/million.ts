import { randomBytes } from 'node:crypto';
import { openStorage } from '../../apps/event-store/src/storage/database.js';
import { EventLog } from '../../apps/event-store/src/storage/event-log.js';
import { rawRead } from './raw-read.js';
import { startServer } from './server.js';

const STREAMS = 1000;
const BATCH = 1000;
const DATA = Buffer.from(JSON.stringify({ text: 'x'.repeat(200) }));

/** The server on a folder with a million events: its start, and its memory after it has sent all of them once. */
export async function measureMillion(folder: string, count: number) {
  await build(folder, count);
  const server = await startServer(folder);
  try {
    const idleRssMb = server.rssMb();
    const { events } = await rawRead(server.port, {
      readDirection: 'Forwards',
      count: String(2 * count),
      all: { start: {} },
    });
    return { startMs: server.startMs, rssMb: server.rssMb(), idleRssMb, events };
  } finally {
    await server.stop();
  }
}

/** Straight into the storage: building is not what is measured. */
async function build(folder: string, count: number): Promise<void> {
  const opened = openStorage({ folder, sync: 'normal' });
  const log = new EventLog(opened.database, Date.now);
  const metadata = new Uint8Array(0);
  for (let batch = 0; batch * BATCH < count; batch += 1) {
    const events = Array.from({ length: BATCH }, (_, n) => ({
      id: randomBytes(16),
      type: `Measured${n % 10}`,
      json: true,
      metadata,
      data: DATA,
    }));
    await log.append({ stream: `stream-${batch % STREAMS}`, expected: 'any', events });
  }
  opened.close();
}
