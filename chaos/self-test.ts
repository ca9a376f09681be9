import { execFile, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { inherited } from '../bench/relay/config.js';
import type { Verdict } from './check/verdict.js';
import { PLANTS, type Plant, plantedCheckout } from './plants.js';
import type { Say } from './session.js';

/** Small, but enough that the faults find somebody at work. */
const SESSION = ['--runs', '4', '--items', '10', '--json'];
const MOST_OUTPUT = 1 << 26;

/** Whether chaos finds each of the planted bugs, one after the other, each on a cluster that is built with it. */
export async function selfTest(say: Say, seed: number): Promise<boolean> {
  const missed: string[] = [];
  for (const plant of PLANTS) {
    say(`planted: ${plant.name} …`);
    const found = await foundBy(plant, seed);
    say(found > 0 ? `found: ${found} ${plant.reveals}` : `NOT FOUND: nothing ${plant.reveals}`);
    if (found === 0) missed.push(plant.name);
  }
  process.stdout.write(`${JSON.stringify({ planted: PLANTS.length, found: PLANTS.length - missed.length, missed })}\n`);
  return missed.length === 0;
}

/** How much of what it must reveal a session on the planted build has counted. */
async function foundBy(plant: Plant, seed: number): Promise<number> {
  const long = plant.minutes === undefined ? ['--once'] : ['--minutes', String(plant.minutes)];
  const folder = plantedCheckout(plant, bundle);
  try {
    const verdict = await chaosIn(folder, [...long, '--only', plant.kinds.join(','), '--seed', String(seed)]);
    return verdict[plant.reveals];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same as the build's last step, in the copy. @throws when it fails */
function bundle(folder: string): void {
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'scripts', 'bundle.mjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`The copy cannot be bundled: ${stderr}`);
}

/** What it keeps for a person goes with the copy. @throws when it ends without a verdict */
function chaosIn(folder: string, words: readonly string[]): Promise<Verdict> {
  const env = { ...inherited(), TMPDIR: folder };
  return new Promise((resolve, reject) => {
    const main = join(folder, 'dist', 'chaos', 'main.js');
    execFile(process.execPath, [main, ...SESSION, ...words], { env, maxBuffer: MOST_OUTPUT }, (_, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr));
      else resolve(JSON.parse(stdout) as Verdict);
    });
  });
}
