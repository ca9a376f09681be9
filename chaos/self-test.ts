import { execFile, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { inherited } from '../bench/relay/config.js';
import type { Verdict } from './check/verdict.js';
import { type ChaosPlant, PLANTS, type Plant, plantedCheckout } from './plants.js';
import type { Say } from './session.js';

/** Small, but enough that the faults find somebody at work. */
const SESSION = ['--runs', '4', '--items', '10', '--json'];
const MOST_OUTPUT = 1 << 26;

/** A bug, and whoever is to find it. */
export interface Trial {
  readonly plant: Plant;
  readonly reveals: string;
  /** How much of what it must reveal is found in a checkout that was built with it. */
  readonly foundIn: (checkout: string) => Promise<number>;
}

/** What chaos must find. */
export const chaosTrials = (seed: number): readonly Trial[] =>
  PLANTS.map((plant) => ({
    plant,
    reveals: plant.reveals,
    foundIn: async (checkout) => {
      const long = plant.minutes === undefined ? ['--once'] : ['--minutes', String(plant.minutes)];
      const words = [...SESSION, ...long, '--only', plant.kinds.join(','), '--seed', String(seed)];
      return chaosVerdict(await printed(checkout, join('chaos', 'main.js'), words), plant);
    },
  }));

const chaosVerdict = (text: string, { reveals }: ChaosPlant): number => (JSON.parse(text) as Verdict)[reveals];

/** Whether each of the planted bugs is found, one after the other, each on a cluster that is built with it. */
export async function selfTest(say: Say, trials: readonly Trial[]): Promise<boolean> {
  const missed: string[] = [];
  for (const trial of trials) {
    const { plant, reveals } = trial;
    say(`planted: ${plant.name} …`);
    const found = await foundBy(trial);
    say(found > 0 ? `found: ${found} ${reveals}` : `NOT FOUND: nothing ${reveals}`);
    if (found === 0) missed.push(plant.name);
  }
  process.stdout.write(`${JSON.stringify({ planted: trials.length, found: trials.length - missed.length, missed })}\n`);
  return missed.length === 0;
}

export async function foundBy({ plant, foundIn }: Trial): Promise<number> {
  const folder = plantedCheckout(plant, bundle);
  try {
    return await foundIn(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same as the build's last step, in the copy. @throws when it fails */
function bundle(folder: string): void {
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'scripts', 'bundle.mjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The copy cannot be bundled: ${stderr}`);
}

/** What a built program of the copy prints. What it keeps for a person goes with the copy. @throws when it is nothing */
export function printed(checkout: string, program: string, words: readonly string[]): Promise<string> {
  const env = { ...inherited(), TMPDIR: checkout };
  return new Promise((resolve, reject) => {
    const main = join(checkout, 'dist', program);
    execFile(process.execPath, [main, ...words], { env, maxBuffer: MOST_OUTPUT }, (_, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr));
      else resolve(stdout);
    });
  });
}
