import { type CapName, type Caps, type Moment, millisOf, momentOf, type RunEventOf } from '#contracts';
import type { Context } from './context.js';
import { tokensOf } from './media.js';
import { affordableTokens, mostOf } from './money.js';
import { CAP_WORDS, systemPrompt } from './notices.js';
import { offeredTools } from './offered-tools.js';
import type { Run } from './run.js';

/** How much of a cap is used at `now` (milliseconds since 1970). */
export interface CapUsed {
  readonly cap: CapName;
  readonly used: number;
  readonly limit: number;
}

const MINUTE = 60_000;
const NEAR = 0.8;
const MICRO = 1_000_000;
/** The caps that a run uses up as it works; nearing one is told to the agent. */
const SPENT: readonly CapName[] = ['steps', 'runMinutes', 'tokens', 'dollars', 'segments'];

export function capsUsed(run: Run, now: number): readonly CapUsed[] {
  const used: Record<CapName, number> = {
    segments: run.segments,
    steps: run.turns,
    runMinutes: workedMs(run, now) / MINUTE,
    restartsWithoutProgress: 'restarts' in run.relay ? run.relay.restarts : 0,
    tokens: run.tokens,
    modelRetries: run.modelTrouble?.attempt ?? 0,
    // A message that nobody has read yet gives the model something new to do.
    dollars: run.microDollars / MICRO,
    idleTurns: run.unread.length > 0 ? 0 : run.idleTurns,
  };
  return (Object.keys(used) as CapName[]).map((cap) => ({ cap, used: used[cap], limit: run.caps[cap] }));
}

/** The cap that forbids another step, if one does. */
export function capForbiddingSteps(run: Run, now: number): CapUsed | undefined {
  return capsUsed(run, now).find(
    ({ cap, used, limit }) =>
      STEP_CAPS.includes(cap) && (used >= limit || (cap === 'dollars' && affordableTokens(run) === 0)),
  );
}
const STEP_CAPS: readonly CapName[] = ['steps', 'runMinutes', 'tokens', 'dollars', 'idleTurns'];

/** The time that a run has had, in milliseconds, without the time that it has rested: waiting for people costs it nothing. */
function workedMs(run: Run, now: number): number {
  const resting = run.relay.phase === 'resting' ? Math.max(0, now - millisOf(run.since)) : 0;
  return Math.max(0, now - millisOf(run.requestedAt) - run.restedMs - resting);
}

/** Until when a question to a person that is asked at `at` waits for its answer. */
export const answerDueBy = ({ caps }: Run, at: Moment): Moment =>
  momentOf(millisOf(at) + caps.approvalMinutes * MINUTE);

/** A pause has no end of its own; when it has lasted as long as a question would wait, it seems forgotten. */
export const forgottenAt = (run: Run): number | undefined =>
  run.relay.phase === 'resting' && run.relay.why === 'paused' ? millisOf(answerDueBy(run, run.since)) : undefined;

export const isOutOfMinutes = (run: Run, now: number): boolean => workedMs(run, now) >= run.caps.runMinutes * MINUTE;

/** When the run's minutes are over if it works on, in milliseconds since 1970. */
export const minutesEndAt = (run: Run, now: number): number => now + run.caps.runMinutes * MINUTE - workedMs(run, now);

/** The cap that forbids another segment, if one does. */
export function capForbiddingSegments(run: Run, now: number): CapUsed | undefined {
  return (
    capForbiddingSteps(run, now) ??
    capsUsed(run, now).find(
      ({ cap, used, limit }) => (cap === 'segments' || cap === 'restartsWithoutProgress') && used >= limit,
    )
  );
}

export function capReason({ cap, limit }: CapUsed): string {
  return `The run has reached its limit of ${limit} ${CAP_WORDS[cap]} (caps.${cap}).`;
}

/** Why segments with these caps would be over before they have begun; undefined when they have time to work. */
export const reserveFault = ({
  segmentSeconds,
  reserveSeconds,
}: Pick<Caps, 'segmentSeconds' | 'reserveSeconds'>): string | undefined =>
  reserveSeconds < segmentSeconds ? undefined : `the segment must be longer than its reserve of ${reserveSeconds} s`;

/** The announcements that are due before a turn: caps that are near and were not announced yet. */
export function nearedCaps(
  run: Run,
  context: Pick<Context, 'tokens' | 'messages'>,
  { segment, now }: { readonly segment: number; readonly now: number },
): readonly Extract<RunEventOf['segment-runner'], { type: 'CapNeared' }>[] {
  const at = momentOf(now);
  // What is sent with every request is counted by the first answer, and again by the first after a compaction.
  const uncounted = context.messages.length === 0 ? frameTokens(run) : 0;
  const promptTokens = Math.max(run.contextTokens, context.tokens + uncounted);
  return capsUsed(run, now)
    .filter((use) => SPENT.includes(use.cap) && !run.nearedCaps.includes(use.cap) && isNear(run, use, promptTokens))
    .map(({ cap, used, limit }) => ({
      type: 'CapNeared',
      data: { at, segment, cap, used: Math.round(used * 100) / 100, limit },
    }));
}

const frameTokens = (run: Run): number => tokensOf(systemPrompt(run) + JSON.stringify(offeredTools(run)));

/** A cap is near before 80 % of it is used when the next turn may use up the rest: no turn may do so without being told. */
function isNear(run: Run, { cap, used, limit }: CapUsed, promptTokens: number): boolean {
  const { maxTokens } = run.agent.spec.model;
  const left = limit - used;
  if (used >= NEAR * limit) return true;
  switch (cap) {
    case 'steps':
      return left <= 1;
    case 'tokens':
      return left <= promptTokens + maxTokens;
    case 'dollars':
      return run.price !== null && left * MICRO <= mostOf({ promptTokens, maxTokens }, run.price);
    default:
      return false;
  }
}

/** The part of the model's window that one result may take. */
const LARGEST_RESULT = 0.2;
const BYTES_PER_TOKEN = 4;

/** What the model is shown of one tool call's output, in bytes: a small window must not be filled by one result. */
export const shownBytes = ({ caps, agent }: Run): number =>
  Math.min(caps.outputBytes, Math.floor(LARGEST_RESULT * agent.spec.model.contextTokens * BYTES_PER_TOKEN));
