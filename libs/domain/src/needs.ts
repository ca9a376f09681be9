import { type CapName, type Moment, millisOf, type Need, type RunId } from '#contracts';
import type { Ledger } from './account.js';
import { inTime } from './in-time.js';
import { count } from './notices.js';
import { carrierOf } from './offered-tools.js';
import { type OpenCall, pendingQuestions, type Question, type Run } from './run.js';
import { statusOf } from './status.js';

/** An open run for which nothing happened for longer than this, although something should, is looked at by nobody. */
const UNTENDED_MS = 60_000;

/** What a person has to do or to look at, of one run. */
export function needsOf(run: RunId, ledger: Ledger, until: Moment): readonly Need[] {
  const now = ledger.run;
  if (!now) return [];
  const isNews = millisOf(now.since) >= millisOf(ledger.since);
  return [
    ...(now.relay.phase === 'ended' ? [] : pendingQuestions(now).map((call) => questionOf(run, call))),
    ...(isNews ? endOf(run, now) : []),
    ...pausedOf(run, now),
    ...untendedOf(run, now, until),
    ...failedItems(run, now, ledger),
  ];
}

function questionOf(run: RunId, call: OpenCall & { readonly question: Question }): Need {
  const { callId, tool, question } = call;
  const { kind, since, expiresAt: until, inputDigest } = question;
  const approve = `npx baton approve ${run} ${callId} --digest ${inputDigest.slice(0, 8)}`;
  const deny = `npx baton deny ${run} ${callId} --reason TEXT`;
  const shown = shorter(JSON.stringify(call.input));
  switch (kind) {
    case 'approval':
      return { kind, run, since, until, sentence: `May ${tool} ${shown} be run?`, commands: [approve, deny] };
    case 'doubt':
      return {
        kind,
        run,
        since,
        until,
        sentence: `Did ${tool} ${shown} take effect? Approving runs it again.`,
        commands: [`${deny} --decision done`, approve],
      };
    case 'answer':
      return {
        kind,
        run,
        since,
        until,
        sentence: `The model asks: ${shown}`,
        commands: [`npx baton answer ${run} ${callId} TEXT`],
      };
  }
}

const INPUT_CHARACTERS = 200;
const shorter = (text: string): string =>
  text.length <= INPUT_CHARACTERS ? text : `${text.slice(0, INPUT_CHARACTERS)}…`;

function endOf(run: RunId, { relay, since, openCalls, caps }: Run): readonly Need[] {
  if (relay.phase !== 'ended') return [];
  const { outcome, reason } = relay;
  const inDoubt = openCalls.filter(({ state, tool }) => state === 'in-doubt' && carrierOf(tool) === 'workspace');
  const doubts: readonly Need[] =
    inDoubt.length === 0
      ? []
      : [
          {
            kind: 'effects',
            run,
            since,
            sentence: `The run ended while nobody knew whether ${inDoubt.map(({ tool, callId }) => `${tool} (${callId})`).join(', ')} took effect.`,
            commands: [`npx baton effects ${run}`],
          },
        ];
  if (outcome === 'failed') {
    return [
      { kind: 'failed', run, since, sentence: reason, commands: [`npx baton status ${run}`], gist: reason },
      ...doubts,
    ];
  }
  if (outcome !== 'halted') return doubts;
  const cap = CAP_NAMED.exec(reason)?.[1] as CapName | undefined;
  const raise = cap === undefined ? [] : [`npx baton raise ${run} ${cap}=${roomFor(caps[cap])}`];
  const commands = [...raise, `npx baton status ${run}`];
  return [{ kind: 'halted', run, since, sentence: reason, commands, gist: reason }, ...doubts];
}

/** Every reason of a halt names its cap. */
const CAP_NAMED = /\(caps\.(\w+)\)/;
const roomFor = (limit: number): number => (limit === 0 ? 1 : Math.ceil(limit * 2));

function pausedOf(run: RunId, now: Run): readonly Need[] {
  const { relay, since } = now;
  if (relay.phase !== 'resting' || statusOf(now) !== 'paused') return [];
  const sentence = 'The run was paused by a person and rests until it is resumed.';
  return [{ kind: 'paused', run, since, sentence, commands: [`npx baton resume ${run}`] }];
}

/** Somebody should have acted long ago: the coordinator, or a runner. */
function untendedOf(run: RunId, { relay, since, pause }: Run, until: Moment): readonly Need[] {
  const stoodMs = millisOf(until) - millisOf(since);
  if (pause || (relay.phase !== 'between' && relay.phase !== 'scheduled' && relay.phase !== 'landed')) return [];
  if (stoodMs < UNTENDED_MS) return [];
  const [sentence, gist] =
    relay.phase === 'scheduled'
      ? [`Segment ${relay.segment} has waited for a runner for ${inTime(stoodMs)}.`, 'They have waited for a runner.']
      : [`Nobody has decided what comes next for ${inTime(stoodMs)}.`, 'Nobody has decided what comes next.'];
  return [{ kind: 'untended', run, since, sentence, commands: ['npx baton doctor'], gist }];
}

function failedItems(run: RunId, { relay, items }: Run, { itemsFailed, failures }: Ledger): readonly Need[] {
  const [first] = failures;
  if (itemsFailed === 0 || !first || relay.phase !== 'ended') return [];
  const reasons = [...new Set(failures.map(({ reason }) => reason))];
  const failedBy = (why: string): string =>
    failures.flatMap(({ itemId, reason }) => (reason === why ? [itemId] : [])).join(', ');
  const named = reasons.map((reason) => `${failedBy(reason)} (${shorter(reason)})`).join('; ');
  const timesOf = (why: string): number => failures.filter(({ reason }) => reason === why).length;
  const more = itemsFailed > failures.length ? `; and ${itemsFailed - failures.length} more` : '';
  const sentence = `${itemsFailed} of ${count(items.length, 'item')} failed: ${named}${more}`;
  const [mostOften = first.reason] = reasons.toSorted((a, b) => timesOf(b) - timesOf(a));
  const gist = `Items failed, above all because: ${shorter(mostOften)}`;
  return [{ kind: 'items', run, since: first.at, sentence, commands: [`npx baton replay ${run}`], gist }];
}
