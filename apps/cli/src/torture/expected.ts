import type { Recorded, RunEvent, RunEventType } from '#contracts';
import { TERMINAL_EVENTS } from '#contracts';
import { carrierOf } from '#domain';
import type { Evidence, FileMark } from './evidence.js';

/** How a run ends when nobody disturbs it: as far as two undisturbed runs agree. */
export interface Expected {
  readonly end: RunEventType;
  readonly result?: string;
  /** Each item's end, and what was said of it where that does not vary. */
  readonly items: ReadonlyMap<string, ItemEnd>;
  /** The calls by their ids: tool and input. Absent when they vary by themselves. */
  readonly calls?: ReadonlyMap<string, string>;
  readonly files: ReadonlyMap<string, FileMark>;
  /** Files that vary by themselves, or are not always there. */
  readonly variable: ReadonlySet<string>;
  /** What is not compared, in sentences. */
  readonly leftOut: readonly string[];
}

export interface ItemEnd {
  readonly state: 'done' | 'failed';
  readonly said?: string;
}

const ENDS: readonly string[] = TERMINAL_EVENTS;

export const endsOf = (events: Evidence['events']): readonly RunEvent[] =>
  events.map(({ event }) => event).filter(({ type }) => ENDS.includes(type));

export const resultOf = (end: RunEvent | undefined): string | undefined =>
  end?.type === 'RunCompleted' ? end.data.result : undefined;

export function itemsEnded(events: Evidence['events']): readonly (readonly [string, ItemEnd])[] {
  return events.flatMap(({ event }): readonly (readonly [string, ItemEnd])[] => {
    if (event.type === 'ItemFailed') return [[event.data.itemId, { state: 'failed', said: event.data.reason }]];
    if (event.type !== 'ItemCompleted') return [];
    const { itemId, result } = event.data;
    return [[itemId, { state: 'done', ...(result === undefined ? {} : { said: result }) }]];
  });
}

/** The first start of each call that the workspace carries out. */
export const callsStarted = (events: readonly Recorded<RunEvent>[]): ReadonlyMap<string, string> =>
  new Map(
    events.flatMap(({ event }): readonly (readonly [string, string])[] => {
      if (event.type !== 'ToolCallStarted' || carrierOf(event.data.tool) !== 'workspace') return [];
      return [[event.data.callId, `${event.data.tool} ${event.data.inputDigest}`]];
    }),
  );

/** How long each of these calls has taken, in the order of their starts, milliseconds. */
export function callLengths(events: readonly Recorded<RunEvent>[]): readonly number[] {
  const took = new Map<string, number>(
    events.flatMap(({ event }) =>
      event.type === 'ToolCallCompleted' ? [[event.data.callId, event.data.durationMs] as const] : [],
    ),
  );
  return [...callsStarted(events).keys()].map((callId) => took.get(callId) ?? 0);
}

/** What both runs agree on is expected of every other one. */
export function expectedOf(first: Evidence, second: Evidence): Expected {
  const [end] = endsOf(first.events);
  const result = resultOf(end);
  const sameResult = result === resultOf(endsOf(second.events)[0]);
  const calls = callsStarted(first.events);
  const sameCalls = isSame(calls, callsStarted(second.events));
  const files = agreed(first.files, second.files, (one, other) => one.digest === other.digest);
  const paths = [...new Set([...first.files.keys(), ...second.files.keys()])];
  const variable = new Set(paths.filter((path) => !files.has(path)));
  const leftOut = [
    ...(sameResult ? [] : ['the result, which two undisturbed runs do not share']),
    ...(sameCalls ? [] : ['which calls are made, since two undisturbed runs make different ones']),
    ...(variable.size === 0 ? [] : [`files that vary by themselves: ${[...variable].join(', ')}`]),
  ];
  return {
    end: end?.type ?? 'RunCompleted',
    ...(sameResult && result !== undefined ? { result } : {}),
    items: sharedItems(first.events, second.events),
    ...(sameCalls ? { calls } : {}),
    files,
    variable,
    leftOut,
  };
}

function sharedItems(first: Evidence['events'], second: Evidence['events']): Expected['items'] {
  const others = new Map(itemsEnded(second));
  return new Map(
    itemsEnded(first).map(([id, { state, said }]) => {
      const isShared = said !== undefined && others.get(id)?.said === said;
      return [id, { state, ...(isShared ? { said } : {}) }] as const;
    }),
  );
}

function agreed<T>(
  first: ReadonlyMap<string, T>,
  second: ReadonlyMap<string, T>,
  isEqual: (one: T, other: T) => boolean,
): ReadonlyMap<string, T> {
  return new Map(
    [...first].filter(([key, value]) => {
      const other = second.get(key);
      return other !== undefined && isEqual(value, other);
    }),
  );
}

const isSame = (first: ReadonlyMap<string, string>, second: ReadonlyMap<string, string>): boolean =>
  first.size === second.size && agreed(first, second, (one, other) => one === other).size === first.size;
