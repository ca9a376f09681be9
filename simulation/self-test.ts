import { BASE_SCHEDULE, type Case } from './cases.js';
import type { Fault } from './faults.js';
import { PLANTED, plant } from './plants.js';
import { type Bench, setUp, tryCase, trySeed } from './trial.js';

/*
 * The part of the simulation that every test run plays: a crash here and there along the whole run, some samples of many
 * faults, and for each planted bug the one fault that must bring it to light. It says what came of it in one line of JSON.
 */

const CRASHES = 16;
const SAMPLES = 16;
const FIRST_SAMPLE = 100_000;
/** A sample of which every step is told, twice. */
const TOLD_TWICE = FIRST_SAMPLE + 3;

const bench = await setUp();

/** Where the pattern fits for the `nth` time, from 0. */
function placeOf({ boundaries }: Bench, pattern: RegExp, nth: number): number {
  const fitting = boundaries.filter(({ role, what }) => pattern.test(`${role} ${what}`));
  const { place } = fitting[nth] ?? {};
  if (place === undefined) throw new Error(`No boundary is like ${String(pattern)}.`);
  return place;
}

const caseWith = (...faults: Fault[]): Case => ({ seed: 0, schedule: BASE_SCHEDULE, faults });
const at = (kind: Fault['kind'], pattern: RegExp, { ms = 0, nth = 0 } = {}): Case =>
  caseWith({ kind, place: placeOf(bench, pattern, nth), ms });

const REVEALING: Readonly<Record<string, Case>> = {
  'acknowledge-before-append': at('crash', /^child before: append SegmentStarted/),
  'forget-the-fence': at('pause', /^child before: append ModelTurnCompleted/, { ms: 15_000, nth: 5 }),
  'retry-a-once-tool': at('commands-lost', /^workspace-manager after: tool start/),
  'mistrust-the-probe': at('crash', /^workspace-manager after: http/),
  'lose-an-answer': caseWith(),
  'mix-up-the-workspaces': { ...caseWith(), crowded: true },
  'count-a-healthy-restart': at('crash', /^child after: append ModelTurnCompleted/, { nth: 4 }),
  'drop-a-wake-up': at('crash', /^child after: append SegmentStarted/),
};

async function caught(name: string): Promise<{ readonly healthy: boolean; readonly caught: boolean }> {
  const revealing = REVEALING[name];
  if (!revealing) throw new Error(`Nothing reveals ${name}.`);
  const healthy = await tryCase(revealing, bench);
  const uproot = plant(name);
  const planted = await tryCase(revealing, bench);
  uproot();
  return { healthy: healthy.broken.length === 0, caught: planted.broken.length > 0 };
}

async function failures(): Promise<string[]> {
  const failed: string[] = [];
  const every = Math.floor(bench.boundaries.length / CRASHES);
  const seeds = [
    ...Array.from({ length: CRASHES }, (_, place) => 1 + place * every),
    ...Array.from({ length: SAMPLES }, (_, place) => FIRST_SAMPLE + place),
  ];
  for (const seed of seeds) {
    const { words, broken } = await trySeed(seed, bench);
    if (broken.length > 0) failed.push(`seed ${seed} (${words}): ${broken.join(' ')}`);
  }
  return failed;
}

async function story(): Promise<string> {
  const lines: string[] = [];
  await trySeed(TOLD_TWICE, bench, (line) => lines.push(line));
  return lines.join('\n');
}

/** Where two tellings of the same seed part; null when they do not. */
async function difference(): Promise<string | null> {
  const [first, second] = [(await story()).split('\n'), (await story()).split('\n')];
  const place = first.findIndex((line, nth) => line !== second[nth]);
  return place < 0 && first.length === second.length ? null : `${first[place]} / ${second[place]}`;
}

const planted: Record<string, Awaited<ReturnType<typeof caught>>> = {};
for (const name of PLANTED) planted[name] = await caught(name);
process.stdout.write(`${JSON.stringify({ planted, failures: await failures(), difference: await difference() })}\n`);
