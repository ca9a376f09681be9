import type { ToldReport } from './told.js';

/** What the checker is given: what happened by accounts that know nothing of each other. Moments: milliseconds since 1970. */
export interface Facts {
  readonly runs: readonly RunFacts[];
  readonly samples: readonly Sample[];
  readonly viewings: readonly Viewing[];
  /** Processes that were killed or stood still, by the one who did it. */
  readonly absences: readonly Absence[];
  readonly injections: readonly Injection[];
  /** Absent when nobody asked for one. */
  readonly report?: ToldReport;
}

/** One run by the log, by its commands' own notes, and by the journal of the workspace. */
export interface RunFacts {
  readonly id: string;
  /** The items that were asked for. */
  readonly items: readonly string[];
  readonly events: readonly LoggedEvent[];
  readonly ledger: readonly string[];
  readonly journal: readonly JournalledCall[];
}

export interface LoggedEvent {
  readonly revision: number;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When the log took it. */
  readonly created: number;
}

export interface JournalledCall {
  readonly callId: string;
  readonly attempt: number;
  /** How often its command was really started. */
  readonly executions: number;
}

/** What the gateway said of a run. */
export interface Sample {
  readonly run: string;
  readonly askedAt: number;
  readonly status: string;
  readonly revision: number;
  readonly type: string;
  readonly done: number;
  readonly failed: number;
  readonly segment?: number;
  readonly pid?: number;
  readonly verdict?: string;
}

/** What a viewer who was dropped again and again has collected. */
export interface Viewing {
  readonly run: string;
  readonly way: 'sse' | 'websocket';
  readonly drops: number;
  readonly events: readonly Pick<LoggedEvent, 'revision' | 'type' | 'data'>[];
}

/** From when on a process could do nothing, or nobody could hear it; until when, if it came back. */
export interface Absence {
  readonly pid: number;
  readonly how: 'killed' | 'frozen' | 'cut-off';
  readonly from: number;
  readonly until?: number;
}

export interface Injection {
  readonly kind: string;
  readonly target: string;
  readonly at: number;
  /** When it was over: the service ran again, the process was woken, the wire was healed. */
  readonly over: number;
  /** The runs that were worked on, as far as it struck them. */
  readonly runs: readonly string[];
}

export interface Finding {
  readonly kind: 'lost' | 'doubled' | 'lie' | 'untold' | 'unfinished';
  /** Absent when it is about all of them. */
  readonly run?: string;
  readonly what: string;
}
