import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { openStorage } from '../../apps/event-store/src/storage/database.js';
import { EventLog } from '../../apps/event-store/src/storage/event-log.js';
import { MEASURED } from './measured-event.js';
import { rawRead } from './raw-read.js';
import { startServer } from './server.js';

const STREAMS = 1000;
const BATCH = 1000;

/** The server on a folder with a million events: its start, and its memory after it has sent all of them once. */
export async function measureMillion(folder: string, count: number) {
  const emptyStartMs = await startOnNothing(join(folder, 'empty'));
  const million = join(folder, 'million');
  await build(million, count);
  const server = await startServer(million);
  try {
    const idleRssMb = server.rssMb();
    const { events } = await rawRead(server.port, {
      readDirection: 'Forwards',
      count: String(2 * count),
      all: { start: {} },
    });
    return { startMs: server.startMs, emptyStartMs, rssMb: server.rssMb(), idleRssMb, events };
  } finally {
    await server.stop();
  }
}

/** What a start takes that has nothing to do with what is in the folder. */
async function startOnNothing(folder: string): Promise<number> {
  const server = await startServer(folder);
  await server.stop();
  return server.startMs;
}

/** Straight into the storage: building is not what is measured. */
async function build(folder: string, count: number): Promise<void> {
  const opened = openStorage({ folder, sync: 'normal' });
  const log = new EventLog(opened.database, Date.now);
  const metadata = new Uint8Array(0);
  for (let batch = 0; batch * BATCH < count; batch += 1) {
    const events = Array.from({ length: BATCH }, (_, n) => ({
      ...MEASURED,
      id: randomBytes(16),
      type: `Measured${n % 10}`,
      metadata,
    }));
    await log.append({ stream: `stream-${batch % STREAMS}`, expected: 'any', events });
  }
  opened.close();
}
