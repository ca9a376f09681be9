import { metastreamOf } from '../storage/policy.js';

/** Where groups are written down, by the names that EventStoreDB gives these streams. */
export const CONFIG_STREAM = '$persistentSubscriptionConfig';

const PREFIX = '$persistentsubscription-';
const CHECKPOINT = '-checkpoint';

/** A group as it is named in streams and confirmations; its stream is `$all` or that of its events. */
export const groupId = (stream: string, group: string): string => `${stream}::${group}`;

export const parkedStreamOf = (stream: string, group: string): string => `${PREFIX}${groupId(stream, group)}-parked`;

export const checkpointStreamOf = (stream: string, group: string): string =>
  `${PREFIX}${groupId(stream, group)}${CHECKPOINT}`;

/** Of the checkpoints of a group, or of their metadata. */
export const isCheckpointStream = (stream: string): boolean =>
  stream.endsWith(CHECKPOINT) && (stream.startsWith(PREFIX) || stream.startsWith(metastreamOf(PREFIX)));
