import { invalid } from '../../grpc/refusal.js';
import {
  type FilterDefinition,
  type GroupDefinition,
  type GroupSettings,
  STRATEGIES,
  type StrategyName,
} from '../../persistent/definition.js';
import { groupFailed } from '../../persistent/refusals.js';
import { positionText } from '../../persistent/source.js';
import { TOMBSTONE } from '../../storage/event.js';
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
  return { stream: all ? ALL : streamNameOf(streamIdentifier), group: groupName };
}

/** @throws Refusal when a name is missing, a setting makes no sense or the start lies beyond the end of `$all`. */
export function definitionOf({ log }: Store, wire: WireDefinition): GroupDefinition {
  const { stream, group } = groupOf({
    streamIdentifier: wire.stream?.streamIdentifier ?? wire.streamIdentifier ?? {},
    groupName: wire.groupName ?? '',
    ...(wire.all ? { all: NOTHING } : {}),
  });
  const start = wire.all
    ? allStart(wire.all, log.lastPosition)
    : streamStart(wire.stream ?? { revision: wire.settings?.revision ?? '0' }, log.streams.get(stream).last);
  if (wire.all && start.beginsBeyond > log.lastPosition)
    throw groupFailed(stream, group, `The start position ${start.startFrom} lies beyond the last event of $all.`);
  return {
    stream,
    group,
    ...start,
    settings: settingsOf(wire.settings ?? {}, (reason) => groupFailed(stream, group, reason)),
    ...(wire.all?.filter ? { filter: filterDefinition(wire.all.filter) } : {}),
  };
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

function settingsOf(wire: WireSettings, failed: (reason: string) => Error): GroupSettings {
  const name = wire.consumerStrategy || wire.namedConsumerStrategy || 'DispatchToSingle';
  const strategy = STRATEGIES.find((one) => one === name) satisfies StrategyName | undefined;
  if (!strategy) throw failed(`Consumer strategy ${name} does not exist.`);
  const counts = {
    messageTimeoutMs: millis(wire.messageTimeoutMs, wire.messageTimeoutTicks),
    maxRetryCount: wire.maxRetryCount ?? 0,
    checkpointAfterMs: millis(wire.checkpointAfterMs, wire.checkpointAfterTicks),
    minCheckpointCount: wire.minCheckpointCount ?? 0,
    maxCheckpointCount: wire.maxCheckpointCount ?? 0,
    maxSubscriberCount: wire.maxSubscriberCount ?? 0,
    liveBufferSize: wire.liveBufferSize ?? 0,
    readBatchSize: wire.readBatchSize ?? 0,
    historyBufferSize: wire.historyBufferSize ?? 0,
  };
  for (const [setting, value] of Object.entries(counts))
    if (value < 0) throw invalid(`${setting} is ${value}: it cannot be negative.`);
  return {
    ...counts,
    resolveLinks: wire.resolveLinks ?? false,
    extraStatistics: wire.extraStatistics ?? false,
    strategy,
  };
}

/** Compiled once here, to refuse a pattern that is none. */
function filterDefinition(option: FilterOption): FilterDefinition {
  const { on } = filterOf(option);
  const { regex, prefix = [] } = (on === 'stream' ? option.streamIdentifier : option.eventType) ?? {};
  return prefix.length > 0 ? { on, prefix: [...prefix] } : { on, ...(regex === undefined ? {} : { regex }) };
}
