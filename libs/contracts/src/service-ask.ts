import { z } from 'zod';
import { Moment, RunId, SegmentNumber } from './ids.js';

/** The services that a deployment is made of, besides the log and the bus. */
export const SERVICES = ['gateway', 'coordinator', 'sweeper', 'segment-runner', 'workspace-manager'] as const;
export const ServiceName = z.enum(SERVICES);
export type ServiceName = z.infer<typeof ServiceName>;

/** Something that a service keeps at work for a run: a segment, a tool call, a background command, an MCP server. */
export const Holding = z.object({
  runId: RunId,
  what: z.enum(['segment', 'call', 'command', 'server']),
  segment: SegmentNumber.optional(),
});
export type Holding = z.infer<typeof Holding>;

/** The most holdings that one service tells of. */
export const HOLDINGS_TOLD = 2_000;

/** Asked on plain NATS; every process of every service answers with who it is and what it holds now. */
export const AskService = {
  subject: 'baton.ask.service',
  request: z.object({}),
  answer: z.object({
    service: ServiceName,
    /** Of this very process. */
    id: z.string(),
    version: z.string(),
    host: z.string(),
    pid: z.int().positive(),
    startedAt: Moment,
    /** Its own clock, as it answers. */
    now: Moment,
    holds: z.array(Holding).max(HOLDINGS_TOLD).optional(),
    /** Processes that are kept ready and work for no run. */
    idleProcesses: z.int().nonnegative().optional(),
    /** What a sweeper hears. */
    watch: z
      .object({
        /** Silence for this long is death. */
        silenceMs: z.number().positive(),
        segments: z.int().nonnegative(),
        /** For how long it has heard without a gap; absent while it is deaf. */
        hearingMs: z.number().nonnegative().optional(),
        /** How long ago the quietest segment gave a sign of life; absent without segments. */
        quietestMs: z.number().nonnegative().optional(),
      })
      .optional(),
    /** Where it keeps its files, in bytes. */
    disk: z.object({ free: z.number().nonnegative(), total: z.number().nonnegative() }).optional(),
  }),
} as const;
export type ServiceAnswer = z.infer<typeof AskService.answer>;
