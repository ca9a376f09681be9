import { execFile } from 'node:child_process';
import { TEST_MS } from './cluster-rig.js';

/** It may have to build first. */
const CHAOS_MS = 2 * TEST_MS;

/** The command itself, in its smallest form: that it plays, judges and says so. */
interface Told {
  readonly code: number | null;
  readonly verdict: Readonly<Record<string, unknown>>;
  readonly said: string;
}

function chaos(...words: readonly string[]): Promise<Told> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['scripts/chaos.mjs', '--json', ...words], (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code !== 'number' || stdout === '') reject(new Error(stderr));
      else resolve({ code, verdict: JSON.parse(stdout), said: stderr });
    });
  });
}

describe('chaos on real processes', () => {
  it(
    'finds nothing lost, doubled or lied about after the main kinds of faults, and tells them',
    async () => {
      const kinds = ['child', 'supervisor', 'bus', 'log'];
      const { code, verdict, said } = await chaos('--once', '--runs', '2', '--items', '6', '--only', kinds.join(','));
      expect({ code, said: code === 0 ? '' : said }).toEqual({ code: 0, said: '' });
      expect(verdict).toMatchObject({ lost: 0, doubled: 0, inDoubt: 0, lies: 0, untold: 0 });
      expect(verdict['finished']).toBe(verdict['runs']);
      expect(verdict['items']).toBe(6 * Number(verdict['runs']));
      expect(verdict['faults']).toEqual({ child: 1, supervisor: 1, bus: 1, log: 1 });
    },
    CHAOS_MS,
  );
});
