import { z } from 'zod';
import { RELAY_EVENTS, RunId, runOfStream, SegmentEndReason, SegmentNumber } from '#contracts';
import type { RelayNews } from '#domain';
import type { StoredEvent } from './event-log.js';

const Gist = z.object({ type: z.enum(RELAY_EVENTS), data: z.object({ segment: SegmentNumber.optional() }) });
const Ended = z.object({ type: z.literal('SegmentEnded'), data: z.object({ reason: SegmentEndReason }) });

/** The gist of an event of a run, without reading the rest; undefined for whatever is no relay event of a run. */
export function readRelayNews(stored: StoredEvent): { readonly runId: RunId; readonly news: RelayNews } | undefined {
  const runId = RunId.safeParse(runOfStream(stored.stream));
  const gist = Gist.safeParse(stored);
  if (!runId.success || !gist.success) return undefined;
  const { type, data } = gist.data;
  const { revision } = stored;
  const ended = type === 'SegmentEnded' ? Ended.safeParse(stored) : undefined;
  return {
    runId: runId.data,
    news: {
      type,
      revision,
      ...(data.segment === undefined ? {} : { segment: data.segment }),
      ...(ended?.success ? { reason: ended.data.data.reason } : {}),
    },
  };
}
