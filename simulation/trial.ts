import { type Case, caseOf, inWords, play, undisturbed } from './cases.js';
import { type Account, accountOf } from './check/account.js';
import { type Expected, judge, type Verdict } from './check/laws.js';
import type { Played } from './play-case.js';
import { COMPANIONS, type PlayedRun, THE_RUN } from './world/play.js';
import { rememberSchemas } from './world/remembered-schemas.js';
import type { Boundary } from './world/world.js';

/** What is known before the first case: where a run can be disturbed, and what each comes to when none is. */
export interface Bench {
  readonly boundaries: readonly Boundary[];
  readonly expected: Expected;
  readonly companions: ReadonlyMap<PlayedRun, Expected>;
}

export interface Finding {
  readonly seed: number;
  readonly words: string;
  readonly broken: readonly string[];
  readonly lost: number;
  readonly doubled: number;
}

/** Plays the runs once without a fault. @throws when even so a law is broken: then no case could tell anything */
export async function setUp(): Promise<Bench> {
  rememberSchemas();
  const alone = await undisturbed();
  const expected = await expectedOf(alone, THE_RUN);
  const crowd = await undisturbed(true);
  const companions = new Map<PlayedRun, Expected>();
  for (const run of COMPANIONS) companions.set(run, await expectedOf(crowd, run));
  return { boundaries: alone.boundaries, expected, companions };
}

async function expectedOf(played: Played, run: PlayedRun): Promise<Expected> {
  const account = await accountOf(played, run);
  const expected = comesTo(account);
  const broken = [...judge(account, expected).broken, ...played.world.chronicle.surprises];
  if (broken.length > 0) throw new Error(`Without any fault, the run breaks the laws: ${broken.join(' ')}`);
  return expected;
}

const comesTo = ({ contextDigest, requestDigests, result, endedAt }: Account): Expected => ({
  contextDigest,
  requestDigests,
  result,
  endsAt: endedAt,
});

export const trySeed = (seed: number, bench: Bench, tell?: (line: string) => void): Promise<Finding> =>
  tryCase(caseOf(seed, bench.boundaries), bench, tell);

/** Plays one case and judges every run in it. */
export async function tryCase(
  chosen: Case,
  { boundaries, expected, companions }: Bench,
  tell?: (line: string) => void,
): Promise<Finding> {
  const played = await play(chosen, tell);
  const verdicts = [
    judge(await accountOf(played, THE_RUN), { ...expected, restless: chosen.whims !== undefined }),
    ...(chosen.crowded ? await judgeAll(played, companions) : []),
  ];
  return {
    seed: chosen.seed,
    words: describe(chosen, boundaries),
    broken: [...verdicts.flatMap(({ broken }) => broken), ...played.world.chronicle.surprises],
    lost: verdicts.reduce((sum, { lost }) => sum + lost, 0),
    doubled: verdicts.reduce((sum, { doubled }) => sum + doubled, 0),
  };
}

const judgeAll = (played: Played, companions: Bench['companions']): Promise<Verdict[]> =>
  Promise.all(
    [...companions].map(async ([run, expected]) => {
      const verdict = judge(await accountOf(played, run), expected);
      return { ...verdict, broken: verdict.broken.map((law) => `${run.id.slice(0, 8)}: ${law}`) };
    }),
  );

function describe(chosen: Case, boundaries: readonly Boundary[]): string {
  const [first] = chosen.faults;
  const isExhaustive = chosen.faults.length === 1 && !chosen.crowded;
  const where = isExhaustive ? boundaries[(first?.place ?? 0) - 1] : undefined;
  return where ? `${inWords(chosen)}: ${where.role}, ${where.what}` : inWords(chosen);
}
