import type { LoggedEvent, RunFacts } from './facts.js';

/** One command of a run by all three accounts. */
export interface Call {
  readonly callId: string;
  /** What it notes in the ledger: `item call`, the call's number within the item; the same in two calls is work done twice. */
  readonly word: string;
  readonly item: string;
  readonly isStarted: boolean;
  /** By the log; absent while there is no result. */
  readonly outcome: string | undefined;
  readonly isInDoubt: boolean;
  /** How often it has noted its beginning, and its end. */
  readonly began: number;
  readonly ended: number;
}

interface ToolUse {
  readonly type: string;
  readonly name?: string;
  readonly input?: { readonly command?: string };
}

/** The commands that the model has asked for, in order, and what became of each. */
export function callsOf({ events, ledger }: RunFacts): readonly Call[] {
  const ids = (type: string): ReadonlySet<unknown> => new Set(ofType(events, type).map(({ data }) => data['callId']));
  const [started, doubts] = [ids('ToolCallStarted'), ids('ToolCallInDoubt')];
  const outcomes = new Map(
    ofType(events, 'ToolCallCompleted').map(({ data }) => [data['callId'], textOf(data['outcome'])]),
  );
  const noted = (line: string): number => ledger.filter((one) => one === line).length;
  return askedFor(events).map(({ callId, word }) => ({
    callId,
    word,
    item: word.split(' ', 1)[0] ?? '',
    isStarted: started.has(callId),
    outcome: outcomes.get(callId),
    isInDoubt: doubts.has(callId),
    began: noted(`begin ${word}`),
    ended: noted(`end ${word}`),
  }));
}

function askedFor(events: readonly LoggedEvent[]): readonly Pick<Call, 'callId' | 'word'>[] {
  return ofType(events, 'ModelTurnCompleted').flatMap(({ data }) => {
    const uses = (data['content'] as readonly ToolUse[]).filter(({ type }) => type === 'tool_use');
    return uses.flatMap(({ name, input }, place) => {
      const word = /"begin (\S+ \d+)"/.exec(input?.command ?? '')?.[1];
      return name === 'bash' && word !== undefined ? [{ callId: `${textOf(data['turn'])}-${place}`, word }] : [];
    });
  });
}

export const ofType = (events: readonly LoggedEvent[], ...types: readonly string[]): readonly LoggedEvent[] =>
  events.filter(({ type }) => types.includes(type));

/** A field of an event that is text or a number. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
