import { Obstacle } from '../errors.js';
import { isDeath } from '../runs/deaths.js';
import { type Expected, endsOf, expectedOf } from './expected.js';
import { type Played, play, type Stage } from './play.js';
import { judge } from './verdict.js';

/** A run may take so long that nobody disturbs, in milliseconds. */
const LIMIT_MS = 30 * 60_000;
/** How often it is played once more when something has disturbed it all the same. */
const AGAIN = 4;

export interface Undisturbed {
  readonly run: Played;
  /** What two of them agree on. */
  readonly expected: Expected;
  /** The longer of the two, in milliseconds. */
  readonly ms: number;
}

/** Plays the run twice. @throws Obstacle when it is not as it should be even so */
export async function playUndisturbed(stage: Stage): Promise<Undisturbed> {
  const run = await completed(stage);
  const other = await completed(stage);
  const expected = expectedOf(run, other);
  const [finding] = [run, other].flatMap((played) => judge(expected, played).findings);
  if (finding)
    throw new Obstacle(`Even undisturbed something is ${finding.kind}: ${finding.sentence} Mend that first.`);
  return { run, expected, ms: Math.max(run.ms, other.ms) };
}

async function completed(stage: Stage): Promise<Played> {
  let played = await play(stage, LIMIT_MS);
  // A machine that stands still for seconds, as when it has just started a cluster, disturbs by itself.
  for (let again = 0; again < AGAIN && hasDeath(played); again += 1) played = await play(stage, LIMIT_MS);
  const [end] = endsOf(played.events);
  if (end?.type === 'RunCompleted') return played;
  const why = end && 'reason' in end.data ? `: ${end.data.reason}` : '';
  throw new Obstacle(
    `Even undisturbed the run does not complete (${end?.type ?? 'it has not ended'}${why}): mend that first.`,
  );
}

const hasDeath = ({ events }: Played): boolean => events.some(isDeath);
