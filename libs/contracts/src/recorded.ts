import { z } from 'zod';

/** Who caused an event. */
export const Actor = z.object({ kind: z.enum(['user', 'service', 'segment']), id: z.string() });
export type Actor = z.infer<typeof Actor>;

/** What every event carries beside its data. */
export const EventMetadata = z.object({
  tenant: z.string(),
  /** The run that the event belongs to. */
  correlationId: z.string(),
  causationId: z.string().optional(),
  actor: Actor,
  /** The version of the event's schema; older ones are upcast on read. */
  schemaVersion: z.int().positive(),
  /** W3C trace context. */
  traceparent: z.string().optional(),
});
export type EventMetadata = z.infer<typeof EventMetadata>;

/** The version that new events are written with. */
export const SCHEMA_VERSION = 1;

/** An event as the log holds it. */
export interface Recorded<E extends { readonly type: string; readonly data: unknown }> {
  readonly id: string;
  /** The place in its stream, from 0. */
  readonly revision: number;
  readonly event: E;
  readonly metadata: EventMetadata;
}
