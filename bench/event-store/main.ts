import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programOptions } from '#platform';
import type { Bench } from '../bench.js';
import { type AppendFigures, measureAppends } from './appends.js';
import { measureCatchUp } from './catch-up.js';
import { measureDelivery } from './delivery.js';
import { measureFloor } from './floor.js';
import { measureMillion } from './million.js';
import { type MeasuredServer, startServer } from './server.js';

const say = (line: string): void => void process.stderr.write(`bench: ${line}\n`);

/** How much is measured; `--quick` shows that everything works, its figures mean little. */
const SIZES = { eachMs: 5000, floorMs: 3000, events: 100_000, million: 1_000_000 };
const QUICK: typeof SIZES = { eachMs: 1000, floorMs: 500, events: 10_000, million: 0 };
const WRITERS = [1, 50, 200];

const OPTIONS = {
  json: { type: 'boolean' },
  quick: { type: 'boolean' },
  'without-million': { type: 'boolean' },
} as const;

type Sizes = typeof SIZES;

export const bench: Bench = {
  run: async (words) => {
    const values = programOptions('bench event-store', OPTIONS, words);
    const sizes = values.quick ? QUICK : SIZES;
    const folder = await mkdtemp(join(tmpdir(), 'bench-event-store-'));
    try {
      const figures = await measure(folder, { ...sizes, ...(values['without-million'] ? { million: 0 } : {}) });
      process.stdout.write(`${JSON.stringify(figures, undefined, values.json ? undefined : 2)}\n`);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function measure(folder: string, sizes: Sizes): Promise<object> {
  const floor = await told('the floor', () => measureFloor(folder, sizes.floorMs, sizes.events));
  const server = await startServer(join(folder, 'data'));
  let served: object;
  try {
    served = await measureServer(server, sizes);
  } finally {
    await server.stop();
  }
  if (sizes.million === 0) return { floor, ...served };
  const million = await told(`a server with ${sizes.million} events (building them takes a while)`, () =>
    measureMillion(folder, sizes.million),
  );
  return { floor, ...served, million };
}

async function measureServer(server: MeasuredServer, { eachMs, events }: Sizes): Promise<object> {
  // Until the write-ahead file has its size, each commit pays for making it longer.
  await told('warming up', () => measureAppends(server, 50, eachMs / 2));
  const append: Record<string, AppendFigures> = {};
  for (const writers of WRITERS)
    append[writers] = await told(`${writers} writers`, () => measureAppends(server, writers, eachMs));
  const delivery = await told('append to delivery', () => measureDelivery(server, eachMs));
  const catchUp = await told(`catching up with ${events} events`, () => measureCatchUp(server, events));
  return { append, catchUp, delivery };
}

async function told<T>(what: string, work: () => Promise<T>): Promise<T> {
  say(`${what} …`);
  const figures = await work();
  say(JSON.stringify(figures));
  return figures;
}
