import type { BlobRef, CallId, CallOutcome, ExternalTools, ResultBlock, RunId, WorkspaceSpec } from '#contracts';

/** A workspace that this manager holds. `creating`: its files may be half-made. */
export interface HeldWorkspace {
  readonly runId: RunId;
  readonly state: 'creating' | 'open' | 'released' | 'lost';
  readonly segment: number;
  readonly spec: WorkspaceSpec;
  /** The tools beyond the workspace's own, and the secrets that may be named. */
  readonly external: ExternalTools;
}

export const NO_TOOLS: ExternalTools = { http: [], mcp: {}, secrets: [] };

/** What a call came to. */
export interface CallEnd {
  readonly outcome: CallOutcome;
  readonly content: readonly ResultBlock[];
  readonly whole?: BlobRef | undefined;
}

export interface CallKey {
  readonly runId: RunId;
  readonly callId: CallId;
  /** 1, and more only after a doubt. */
  readonly attempt: number;
}

/** The part of a call's name that is its own within the run; also how a command in the background is called. */
export const labelOf = ({ callId, attempt }: Pick<CallKey, 'callId' | 'attempt'>): string =>
  attempt === 1 ? callId : `${callId}.${attempt}`;

/** A call's name within this manager: of its control groups, and in memory. */
export const nameOf = (key: CallKey): string => `${key.runId}.${labelOf(key)}`;

/** An accepted call; it is in the journal before it starts. */
export interface CallStart extends CallKey {
  readonly segment: number;
  readonly tool: string;
  readonly inputDigest: string;
  readonly limitMs: number;
  readonly outputBytes: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The machine's boot: after another one nothing can be said about a command that has left no exit status. */
  readonly bootId: string;
}

/** Why a command was stopped. `disk-full`: the workspace's files took more room than they may. */
export type Stopping = 'cancelled' | 'timed-out' | 'disk-full';
/** `rested`: its run has rested for so long that nothing more is expected of it. */
export type BackgroundStopping = Stopping | 'rested';

export interface JournalledCall extends CallStart {
  readonly state: 'running' | 'finished' | 'unknown';
  readonly endedAt?: number;
  /** How often the call was really started, counted by the claims of its command; 0 while it runs. */
  readonly executions: number;
  readonly end?: CallEnd;
  readonly reason?: string;
  readonly stopping?: Stopping;
  /** For `edit_file`: the file's digests before and after, noted before the change. */
  readonly edit?: EditDigests;
}

export interface EditDigests {
  readonly path: string;
  readonly before: string;
  readonly after: string;
}

/** A command in the background; the call that started it has ended long before it. */
export interface BackgroundCommand extends CallStart {
  /** What it came to; absent while it runs. */
  readonly end?: CallEnd & { readonly at: number };
  readonly stopping?: BackgroundStopping;
}
