import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { exitWhenDone, messageOf, programOptions } from '#platform';
import { plant } from './plants.js';
import { Progress } from './progress.js';
import { type Finding, setUp, trySeed } from './trial.js';
import type { Share, Told } from './worker.js';
import { stopwatch } from './world/virtual-time.js';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** How often a failing seed's story is told in full. */
const TOLD = 20;

const values = programOptions('simulate', {
  seeds: { type: 'string' },
  minutes: { type: 'string' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  trace: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  plant: { type: 'string' },
  workers: { type: 'string', default: String(availableParallelism()) },
});

/** How many seeds are played when nobody says how many, or for how long. */
const SEEDS = 1_000;
const MS_A_MINUTE = 60_000;

/** @throws when it is no whole number from 1 */
function whole(option: 'seeds' | 'minutes' | 'from' | 'seed' | 'workers'): number {
  const text = values[option] ?? '';
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${option} is "${text}"; use a whole number from 1.`);
  return Number(text);
}

/** One seed, step by step. */
async function playOne(seed: number): Promise<number> {
  const bench = await setUp();
  if (values.plant !== undefined) plant(values.plant);
  const finding = await trySeed(seed, bench, values.trace ? say : undefined);
  say(`seed ${seed}: ${finding.words}`);
  say(finding.broken.length === 0 ? 'Every law was kept.' : finding.broken.map((law) => `BROKEN: ${law}`).join('\n'));
  return finding.broken.length === 0 ? 0 : 1;
}

async function playAll(): Promise<number> {
  const began = stopwatch();
  const from = whole('from');
  const forMs = values.minutes === undefined ? Number.POSITIVE_INFINITY : whole('minutes') * MS_A_MINUTE;
  const seeds = values.seeds === undefined && values.minutes === undefined ? SEEDS : wholeOrAll();
  const step = Math.max(1, Math.min(whole('workers'), seeds));
  const totals = { cases: 0, failed: 0, lost: 0, doubled: 0 };
  const failed = (finding: Finding): void => {
    totals.failed += 1;
    totals.lost += finding.lost;
    totals.doubled += finding.doubled;
    if (totals.failed <= TOLD) tellOf(finding);
  };
  const progress = new Progress({ seeds, forMs }, stopwatch, (line) => process.stderr.write(`${line}\n`));
  const shares = Array.from({ length: step }, (_, place) => ({ from: from + place, end: from + seeds, step, forMs }));
  const counts = await Promise.all(
    shares.map((share, place) =>
      playShare({ ...share, planted: values.plant }, failed, (cases) => progress.note(place, cases, totals.failed)),
    ),
  );
  totals.cases = counts.reduce((sum, count) => sum + count, 0);
  const seconds = Math.round((stopwatch() - began) / 100) / 10;
  say(values.json ? JSON.stringify({ ...totals, seconds }) : inWords({ ...totals, seconds }));
  return totals.failed === 0 ? 0 : 1;
}

const wholeOrAll = (): number => (values.seeds === undefined ? Number.MAX_SAFE_INTEGER : whole('seeds'));

function playShare(share: Share, failed: (finding: Finding) => void, played: (cases: number) => void): Promise<number> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 96 },
  });
  return new Promise((resolve, reject) => {
    worker.on('message', (told: Told) => {
      if ('failed' in told) return failed(told.failed);
      played(told.cases);
      if (told.isAll) resolve(told.cases);
    });
    worker.once('error', reject);
    worker.postMessage(share);
  });
}

/** With `--json` standard output is for the totals alone. */
function tellOf({ seed, words, broken }: Finding): void {
  const planted = values.plant === undefined ? '' : ` --plant ${values.plant}`;
  const lines = [
    `seed ${seed}: ${words}`,
    ...broken.slice(0, 5).map((law) => `  ${law}`),
    `  replay it: npm run simulate -- --seed ${seed} --trace${planted}`,
  ];
  (values.json ? process.stderr : process.stdout).write(`${lines.join('\n')}\n`);
}

const inWords = (totals: { cases: number; failed: number; lost: number; doubled: number; seconds: number }): string =>
  `${totals.cases} cases in ${totals.seconds} s: ${totals.failed} failed, ${totals.lost} effects lost, ${totals.doubled} doubled.`;

exitWhenDone();
try {
  process.exitCode = values.seed === undefined ? await playAll() : await playOne(whole('seed'));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
