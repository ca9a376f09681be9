import { z } from 'zod';
import { RunStatusWord } from './api.js';
import { AgentName, Moment, RunId, SegmentNumber } from './ids.js';
import { RunnerRef, SegmentEndReason } from './run-events.js';

/**
 * `death`: a segment died, `times` in a row without a step between; `drain`: its process was asked to stop; `orphan`: it
 * handed off because its supervisor was gone; `model`: attempts at a turn failed; `doubt`: nobody knew whether a call took effect; `question`: a person was asked; `halt`, `failure`: the
 * run ended by it; `backlog`: no runner took the segment for long; `timeout`: a call was stopped at its limit;
 * `standstill`: a segment at work did nothing for long, and went on by itself.
 */
export const IncidentKind = z.enum([
  'death',
  'drain',
  'orphan',
  'model',
  'doubt',
  'question',
  'halt',
  'failure',
  'backlog',
  'timeout',
  'standstill',
]);
export type IncidentKind = z.infer<typeof IncidentKind>;

/** What a model turn cost that was lost or had to be asked for again; `dollars` is absent when the price is not known. */
const Lost = z.object({ tokens: z.int().nonnegative(), dollars: z.number().nonnegative().optional() });

/** Something out of the ordinary that happened to one run, as the log tells it. */
export const Incident = z.object({
  kind: IncidentKind,
  /** What incidents of several runs have in common when they are one story, e.g. the runner that was lost. */
  cause: z.string(),
  /** `healed`: the run went on; `open`: it lasts; `ended`: the run ended with it. */
  outcome: z.enum(['healed', 'open', 'ended']),
  noticedAt: Moment,
  overAt: Moment.optional(),
  /** The last step before it, where work stood still. */
  stillSince: Moment.optional(),
  /** From the last step before to the first step after, or to the end of the report while it lasts. */
  withoutProgressMs: z.number().nonnegative().optional(),
  segment: SegmentNumber.optional(),
  runner: RunnerRef.optional(),
  times: z.int().positive(),
  /** What was noticed, and by what evidence: a sentence. */
  noticed: z.string(),
  /** What was done about it, and when: sentences; empty while nothing was. */
  done: z.string(),
  lost: Lost.optional(),
});
export type Incident = z.infer<typeof Incident>;

/** Incidents with one cause, of one run or of many that it struck at about the same time. */
export const Story = z.object({
  kind: IncidentKind,
  from: Moment,
  to: Moment.optional(),
  /** The first of them, and how many there are. */
  runs: z.array(RunId),
  runCount: z.int().positive(),
  incidents: z.int().positive(),
  healed: z.int().nonnegative(),
  open: z.int().nonnegative(),
  ended: z.int().nonnegative(),
  withoutProgressMs: z.number().nonnegative().optional(),
  lost: Lost.optional(),
  sentence: z.string(),
});
export type Story = z.infer<typeof Story>;

/** What a person has to do or to look at. */
export const Need = z.object({
  kind: z.enum([
    'approval',
    'doubt',
    'answer',
    'halted',
    'failed',
    'items',
    'effects',
    'paused',
    'untended',
    'unreadable',
  ]),
  run: RunId.optional(),
  since: Moment,
  /** Until when it can be answered. */
  until: Moment.optional(),
  sentence: z.string(),
  /** The commands to type, one a line. */
  commands: z.array(z.string()),
  /** What it has in common with others of its kind, which can be read as one; absent where each needs its own look. */
  gist: z.string().optional(),
});
export type Need = z.infer<typeof Need>;

/** What was found, and mended or not, outside of any run. */
export const Finding = z.object({
  at: Moment,
  sentence: z.string(),
  /** Somebody must look; else it was mended. */
  needsPerson: z.boolean(),
});
export type Finding = z.infer<typeof Finding>;

/** A run on the timeline. */
export const RunAccount = z.object({
  run: RunId,
  agent: z.object({ name: AgentName, version: z.int().positive() }),
  status: RunStatusWord,
  summary: z.string(),
  requestedAt: Moment,
  endedAt: Moment.optional(),
  items: z.object({ total: z.int(), done: z.int(), failed: z.int() }),
  /** The newest segments of the time that is reported; `earlierSegments` came before them. */
  segments: z.array(
    z.object({
      segment: SegmentNumber,
      from: Moment,
      to: Moment.optional(),
      ended: z.union([SegmentEndReason, z.literal('presumed-dead')]).optional(),
    }),
  ),
  earlierSegments: z.int().nonnegative(),
  incidents: z.array(Incident),
  /** Incidents beyond those that are listed. */
  moreIncidents: z.int().nonnegative(),
  dollars: z.number().nonnegative().optional(),
});
export type RunAccount = z.infer<typeof RunAccount>;

/** `GET /v1/report?since=`: what happened since a moment, what was done about it and what needs a person. */
export const Report = z.object({
  since: Moment,
  until: Moment,
  headline: z.object({
    runs: z.int().nonnegative(),
    completed: z.int().nonnegative(),
    failed: z.int().nonnegative(),
    halted: z.int().nonnegative(),
    cancelled: z.int().nonnegative(),
    open: z.int().nonnegative(),
    /** Settled, started and died in the time that is reported. */
    itemsDone: z.int().nonnegative(),
    itemsFailed: z.int().nonnegative(),
    segments: z.int().nonnegative(),
    steps: z.int().nonnegative(),
    deaths: z.int().nonnegative(),
    deathsHealed: z.int().nonnegative(),
    longestWithoutProgress: z.object({ ms: z.number().nonnegative(), run: RunId }).optional(),
    dollars: z.number().nonnegative(),
    /** Runs that worked for a price that nobody knows. */
    runsWithoutPrice: z.int().nonnegative(),
    needs: z.int().nonnegative(),
  }),
  needs: z.array(Need),
  stories: z.array(Story),
  findings: z.array(Finding),
  runs: z.array(RunAccount),
  /** What was left out, so that the report stays bounded: the oldest that ended well. */
  left: z.object({ runs: z.int().nonnegative() }),
});
export type Report = z.infer<typeof Report>;
