import { type Case, caseOf, inWords, play, undisturbed } from './cases.js';
import { type Account, accountOf } from './check/account.js';
import { type Expected, judge } from './check/laws.js';
import { rememberSchemas } from './world/remembered-schemas.js';
import type { Boundary } from './world/world.js';

/** What is known before the first case: where a run can be disturbed, and what it comes to when it is not. */
export interface Bench {
  readonly boundaries: readonly Boundary[];
  readonly expected: Expected;
}

export interface Finding {
  readonly seed: number;
  readonly words: string;
  readonly broken: readonly string[];
  readonly lost: number;
  readonly doubled: number;
}

/** Plays the run once without a fault. @throws when even so a law is broken: then no case could tell anything */
export async function setUp(): Promise<Bench> {
  rememberSchemas();
  const played = await undisturbed();
  const account = await accountOf(played);
  const expected = expectedOf(account, played.endedAt ?? 0);
  const { broken } = judge(account, expected);
  if (broken.length > 0) throw new Error(`Without any fault, the run breaks the laws: ${broken.join(' ')}`);
  return { boundaries: played.boundaries, expected };
}

const expectedOf = ({ contextDigest, requestDigests, result }: Account, endsAt: number): Expected => ({
  contextDigest,
  requestDigests,
  result,
  endsAt,
});

export const trySeed = (seed: number, bench: Bench, tell?: (line: string) => void): Promise<Finding> =>
  tryCase(caseOf(seed, bench.boundaries), bench, tell);

/** Plays one case and judges it. */
export async function tryCase(
  chosen: Case,
  { boundaries, expected }: Bench,
  tell?: (line: string) => void,
): Promise<Finding> {
  const played = await play(chosen, tell);
  const { broken, lost, doubled } = judge(await accountOf(played), {
    ...expected,
    restless: chosen.whims !== undefined,
  });
  return { seed: chosen.seed, words: describe(chosen, boundaries), broken, lost, doubled };
}

function describe(chosen: Case, boundaries: readonly Boundary[]): string {
  const [first] = chosen.faults;
  const where = chosen.faults.length === 1 ? boundaries[(first?.place ?? 0) - 1] : undefined;
  return where ? `${inWords(chosen)}: ${where.role}, ${where.what}` : inWords(chosen);
}
