import { invalid } from '../../grpc/refusal.js';
import {
  type FilterDefinition,
  type GroupDefinition,
  type GroupSettings,
  STRATEGIES,
} from '../../persistent/definition.js';
import { groupFailed } from '../../persistent/refusals.js';
import { positionText } from '../../persistent/source.js';
import { TOMBSTONE } from '../../storage/event.js';
import { NUL } from '../../storage/streams.js';
import { ALL } from '../../storage/wakeups.js';
import { type FilterOption, filterOf } from '../filter-option.js';
import type { Store } from '../sink.js';
import type { AllOption, StreamOption } from '../start-option.js';
import { NOTHING, type Nothing, streamNameOf, type WireStream } from '../wire.js';

/** Which group a request is about. */
export interface WireGroup {
  readonly streamIdentifier?: WireStream;
  readonly all?: Nothing;
  readonly groupName?: string;
}

/** Create and Update; older clients name the stream and the start in deprecated fields. */
export interface WireDefinition {
  readonly streamIdentifier?: WireStream;
  readonly groupName?: string;
  readonly settings?: WireSettings;
  readonly stream?: StreamOption & { readonly streamIdentifier?: WireStream };
  readonly all?: AllOption & { readonly filter?: FilterOption };
}

interface WireSettings {
  readonly resolveLinks?: boolean;
  readonly revision?: string;
  readonly extraStatistics?: boolean;
  readonly messageTimeoutTicks?: string;
  readonly messageTimeoutMs?: number;
  readonly maxRetryCount?: number;
  readonly checkpointAfterTicks?: string;
  readonly checkpointAfterMs?: number;
  readonly minCheckpointCount?: number;
  readonly maxCheckpointCount?: number;
  readonly maxSubscriberCount?: number;
  readonly liveBufferSize?: number;
  readonly readBatchSize?: number;
  readonly historyBufferSize?: number;
  readonly namedConsumerStrategy?: string;
  readonly consumerStrategy?: string;
}

/** @throws Refusal when a name is missing. */
export function groupOf({ streamIdentifier, all, groupName }: WireGroup): { stream: string; group: string } {
  if (!groupName) throw invalid('The subscription group has no name: give one.');
  if (groupName.includes(NUL)) throw invalid('The name of the group contains a NUL character, which no name may.');
  return { stream: all ? ALL : streamNameOf(streamIdentifier), group: groupName };
}

/** @throws Refusal when a name is missing, a setting makes no sense or the start lies beyond the end of `$all`. */
export function definitionOf({ log }: Store, wire: WireDefinition): GroupDefinition {
  const { stream, group } = definedGroup(wire);
  const failed = (reason: string) => groupFailed(stream, group, reason);
  const settings = settingsOf(wire.settings ?? {}, failed);
  if (!wire.all) {
    const start = wire.stream ?? { revision: wire.settings?.revision ?? '0' };
    return { stream, group, ...streamStart(start, log.streams.get(stream).last), settings };
  }
  const { filter } = wire.all;
  const start = allStart(wire.all, log.lastPosition);
  if (start.beginsBeyond > log.lastPosition)
    throw failed(`The start position ${start.startFrom} lies beyond the last event of $all.`);
  return { stream, group, ...start, settings, ...(filter ? { filter: filterDefinition(filter) } : {}) };
}

function definedGroup({ stream, streamIdentifier = {}, all, groupName = '' }: WireDefinition) {
  const named = { streamIdentifier: stream?.streamIdentifier ?? streamIdentifier, groupName };
  return groupOf(all ? { ...named, all: NOTHING } : named);
}

interface Start {
  readonly startFrom: string;
  readonly beginsBeyond: number;
}

/** Older clients write the end as 2^64-1. */
const END = '18446744073709551615';

function streamStart({ revision, end }: StreamOption, last: number): Start {
  if (end !== undefined || revision === END) return { startFrom: '-1', beginsBeyond: last };
  const from = revision ?? '0';
  return { startFrom: from, beginsBeyond: Math.min(Number(from), TOMBSTONE) - 1 };
}

function allStart({ position, end }: AllOption, last: number): Start {
  if (end !== undefined) return { startFrom: 'C:-1/P:-1', beginsBeyond: last };
  const { commitPosition = '0', preparePosition = '0' } = position ?? {};
  if (position)
    return { startFrom: `C:${commitPosition}/P:${preparePosition}`, beginsBeyond: Number(commitPosition) - 1 };
  return { startFrom: positionText(0), beginsBeyond: 0 };
}

const TICKS_PER_MS = 10_000;
const millis = (ms: number | undefined, ticks: string | undefined): number =>
  ms ?? Math.round(Number(ticks ?? 0) / TICKS_PER_MS);

const COUNTS = [
  'maxRetryCount',
  'minCheckpointCount',
  'maxCheckpointCount',
  'maxSubscriberCount',
  'liveBufferSize',
  'readBatchSize',
  'historyBufferSize',
] as const;

function settingsOf(wire: WireSettings, failed: (reason: string) => Error): GroupSettings {
  const name = wire.consumerStrategy || wire.namedConsumerStrategy || 'DispatchToSingle';
  const strategy = STRATEGIES.find((one) => one === name);
  if (!strategy) throw failed(`Consumer strategy ${name} does not exist.`);
  const counts = Object.fromEntries(COUNTS.map((count) => [count, wire[count] ?? 0])) as Record<
    (typeof COUNTS)[number],
    number
  >;
  const times = {
    messageTimeoutMs: millis(wire.messageTimeoutMs, wire.messageTimeoutTicks),
    checkpointAfterMs: millis(wire.checkpointAfterMs, wire.checkpointAfterTicks),
  };
  for (const [setting, value] of Object.entries({ ...counts, ...times }))
    if (value < 0) throw invalid(`${setting} is ${value}: it cannot be negative.`);
  const { resolveLinks = false, extraStatistics = false } = wire;
  return { ...counts, ...times, resolveLinks, extraStatistics, strategy };
}

/** Compiled once here, to refuse a pattern that is none. */
function filterDefinition(option: FilterOption): FilterDefinition {
  const { on } = filterOf(option);
  const { regex, prefix = [] } = (on === 'stream' ? option.streamIdentifier : option.eventType) ?? {};
  return prefix.length > 0 ? { on, prefix: [...prefix] } : { on, ...(regex === undefined ? {} : { regex }) };
}
