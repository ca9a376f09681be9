import type { RELAY_EVENTS, SegmentEndReason } from '#contracts';
import type { Relay } from './run.js';

/** What a relay event says to those who watch all runs at once. */
export interface RelayNews {
  readonly type: (typeof RELAY_EVENTS)[number];
  readonly revision: number;
  /** Of the events that belong to a segment, and the last one of a run that is reopened. */
  readonly segment?: number;
  /** Of `SegmentEnded`. */
  readonly reason?: SegmentEndReason;
}

/**
 * The version of `OpenRun` and of `foldRelay`: to be raised whenever the same log gives something else, also because the
 * list of relay events is another one. Notes of open runs rest on it.
 */
export const OPEN_RUNS_VERSION = 1;

/** As little of an open run as tells whose turn it is: thousands of them are kept in memory. */
export interface OpenRun {
  readonly phase: Exclude<Relay['phase'], 'ended'>;
  /** The newest segment that was scheduled; 0 before the first. */
  readonly segment: number;
  /** Of the newest relay event. */
  readonly revision: number;
  readonly cancelled: boolean;
  readonly paused: boolean;
  /** Something asks for the next segment, should the run rest now: a person has written, or it was only paused. */
  readonly asked: boolean;
}

/** Folds one relay event; undefined when the run is not open. */
export function foldRelay(run: OpenRun | undefined, news: RelayNews): OpenRun | undefined {
  const { revision } = news;
  if (run === undefined) {
    return news.type === 'RunRequested' || news.type === 'RunReopened'
      ? { phase: 'between', segment: news.segment ?? 0, revision, cancelled: false, paused: false, asked: false }
      : undefined;
  }
  const change = changeBy(run, news);
  return change && { ...run, ...change, revision };
}

function changeBy(run: OpenRun, { type, segment = run.segment, reason }: RelayNews): Partial<OpenRun> | undefined {
  switch (type) {
    case 'SegmentScheduled':
      return { phase: 'scheduled', segment, asked: false };
    case 'SegmentStarted':
      return { phase: 'working', segment };
    case 'SegmentEnded':
      return { phase: phaseAfter(reason), asked: run.asked || reason === 'paused' };
    case 'RunPresumedDead':
      return { phase: 'between' };
    case 'CancelRequested':
      return { cancelled: true };
    case 'PauseRequested':
      return { paused: true };
    case 'ResumeRequested':
      return { paused: false };
    case 'MessageReceived':
    case 'ApprovalGranted':
    case 'ApprovalDenied':
      return { asked: true };
    case 'RunRequested':
    case 'CapsRaised':
    case 'RunReopened':
      return {};
    case 'RunCompleted':
    case 'RunFailed':
    case 'RunCancelled':
    case 'RunHalted':
      return undefined;
  }
}

function phaseAfter(reason: SegmentEndReason | undefined): OpenRun['phase'] {
  switch (reason) {
    case 'waiting':
    case 'paused':
      return 'resting';
    case 'finished':
    case 'failed':
    case 'cancelled':
      return 'landed';
    case 'handoff':
    case 'drain':
    case 'crashed':
    case undefined:
      return 'between';
  }
}

/** Who has to act next: the coordinator decides, a runner takes up the scheduled segment, the segment works. */
export type Turn = 'coordinator' | 'runner' | 'segment' | 'nobody';

/** Whose turn it is, as far as relay events tell; asking the coordinator once too often does no harm. */
export function turnOf({ phase, cancelled, paused, asked }: OpenRun): Turn {
  switch (phase) {
    case 'working':
      return 'segment';
    case 'landed':
      return 'coordinator';
    case 'scheduled':
      return cancelled ? 'coordinator' : 'runner';
    case 'between':
      return cancelled || !paused ? 'coordinator' : 'nobody';
    case 'resting':
      return cancelled || (!paused && asked) ? 'coordinator' : 'nobody';
  }
}
