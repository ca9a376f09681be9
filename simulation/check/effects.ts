import type { RunEvent } from '#contracts';
import type { Effect, Ledger } from '../world/ledger.js';
import type { Account, Entry } from './account.js';

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>['data'];

/** What the log tells of one call. */
interface Call {
  readonly tool: string;
  readonly starts: { readonly at: number; readonly attempt: number }[];
  ends: number;
  ok: boolean;
  doubts: number;
}

const REPEATABLE: ReadonlySet<string> = new Set(['write_file', 'register']);

interface Findings {
  readonly broken: readonly string[];
  readonly lost: number;
  readonly doubled: number;
}

/** Laws 2, 4 and 5: nothing happens before it is written down, twice, or for a segment that is over; nothing is lost. */
export function effectFaults({ entries, ledger }: Account, restless = false): Findings {
  const calls = callsIn(entries);
  const found = [...calls].map(([callId, call]) => callFaults(callId, call, ledger));
  const broken = found.flatMap((one) => one.broken);
  if (!restless) for (const [callId, call] of calls) broken.push(...endFaults(callId, call, ledger));
  for (const { callId } of ledger.effects)
    if (!calls.has(callId)) broken.push(`Nobody asked for the effect ${callId}.`);
  const open = entries.some(({ event }) => event.type === 'RunCancelled') ? [] : unsettledItems(entries);
  return {
    broken: [...broken, ...open, ...unfenced(ledger)],
    lost: found.reduce((sum, { lost }) => sum + lost, open.length),
    doubled: found.reduce((sum, { doubled }) => sum + doubled, 0),
  };
}

function callFaults(callId: string, call: Call, ledger: Ledger): Findings {
  const effects = ledger.effects.filter((effect) => effect.callId === callId);
  const broken = early(callId, call, effects);
  const doubled = Math.max(0, effects.length - mostEffects(call, callId, ledger));
  const lost = call.ok && effects.length === 0 ? 1 : 0;
  if (doubled > 0) broken.push(`The call ${callId} (${call.tool}) took effect ${effects.length} times.`);
  if (lost > 0) broken.push(`The log tells of an effect of ${callId} that never was.`);
  return { broken, lost, doubled };
}

/** When people interfere, a call may be cut off with its run, or left in doubt because nobody answered in time. */
function endFaults(callId: string, { ends, doubts }: Call, { unknowable }: Ledger): string[] {
  const broken = ends === 1 ? [] : [`The call ${callId} has ${ends} ends.`];
  if (doubts > 0 && !unknowable.has(callId)) broken.push(`The call ${callId} was in doubt without need.`);
  return broken;
}

/** What may be repeated is repeated under the same key; of anything else one effect is the most. */
const mostEffects = ({ tool, starts }: Call, callId: string, { unknowable }: Ledger): number =>
  REPEATABLE.has(tool) && unknowable.has(callId) ? starts.length : 1;

function early(callId: string, { starts }: Call, effects: readonly Effect[]): string[] {
  return effects
    .filter((effect) => !starts.some(({ at, attempt }) => attempt === effect.attempt && at <= effect.at))
    .map(({ attempt }) => `The call ${callId} (attempt ${attempt}) took effect before its start was in the log.`);
}

function unfenced({ asked }: Ledger): string[] {
  let newest = 0;
  const broken: string[] = [];
  for (const { segment, verb } of asked) {
    if (segment < newest) broken.push(`The workspace took ${verb} from segment ${segment} after one from ${newest}.`);
    newest = Math.max(newest, segment);
  }
  return broken;
}

function callsIn(entries: readonly Entry[]): Map<string, Call> {
  const calls = new Map<string, Call>();
  const call = ({ callId }: { readonly callId: string }): Call | undefined => calls.get(callId);
  for (const { event, at } of entries) {
    switch (event.type) {
      case 'ToolCallStarted':
        started(calls, event.data, at);
        break;
      case 'ToolCallCompleted': {
        const known = call(event.data);
        if (!known) break;
        known.ends += 1;
        known.ok = event.data.outcome === 'ok';
        break;
      }
      case 'ToolCallSettled': {
        const known = call(event.data);
        if (!known) break;
        known.ends += 1;
        // The world has said so, and what it says is so.
        known.ok = event.data.by === 'probe';
        break;
      }
      case 'ToolCallInDoubt': {
        const known = call(event.data);
        if (known) known.doubts += 1;
        break;
      }
      default:
    }
  }
  return calls;
}

/** Calls that only the log, or a person, carries out have no effect outside it. */
function started(calls: Map<string, Call>, { callId, tool, attempt = 1 }: Of<'ToolCallStarted'>, at: number): void {
  if (tool.endsWith('_item') || tool === 'ask_human') return;
  const known = calls.get(callId) ?? { tool, starts: [], ends: 0, ok: false, doubts: 0 };
  known.starts.push({ at, attempt });
  calls.set(callId, known);
}

function unsettledItems(entries: readonly Entry[]): string[] {
  const settled = new Map<string, number>();
  for (const { event } of entries) {
    if (event.type === 'RunRequested') for (const { id } of event.data.items) settled.set(id, 0);
    if (event.type === 'ItemCompleted' || event.type === 'ItemFailed') {
      settled.set(event.data.itemId, (settled.get(event.data.itemId) ?? 0) + 1);
    }
  }
  return [...settled].filter(([, times]) => times !== 1).map(([id, times]) => `${id} was settled ${times} times.`);
}
