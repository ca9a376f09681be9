import type { CallId, ExternalTools, RunId, WorkspaceSpec } from '#contracts';
import {
  type BackgroundCommand,
  type BackgroundStopping,
  type CallEnd,
  type CallStart,
  type EditDigests,
  type HeldWorkspace,
  type JournalledCall,
  NO_TOOLS,
  type Stopping,
} from './entries.js';

/** A row of the journal; its JSON was checked when it came in. */
export type Row = Record<string, string | number | null>;

export function toWorkspace(row: Row): HeldWorkspace {
  return {
    runId: row['run_id'] as RunId,
    state: row['state'] as HeldWorkspace['state'],
    segment: Number(row['segment']),
    spec: JSON.parse(String(row['spec'])) as WorkspaceSpec,
    external: row['external'] === null ? NO_TOOLS : (JSON.parse(String(row['external'])) as ExternalTools),
  };
}

export function toCall(row: Row): JournalledCall {
  return {
    ...toStart(row),
    state: row['state'] as JournalledCall['state'],
    executions: Number(row['executions']),
    ...(row['ended_at'] !== null && { endedAt: Number(row['ended_at']) }),
    ...(row['ending'] !== null && { end: JSON.parse(String(row['ending'])) as CallEnd }),
    ...(row['reason'] !== null && { reason: String(row['reason']) }),
    ...(row['stopping'] !== null && { stopping: row['stopping'] as Stopping }),
    ...(row['edit'] !== null && { edit: JSON.parse(String(row['edit'])) as EditDigests }),
  };
}

export function toBackground(row: Row): BackgroundCommand {
  return {
    ...toStart(row),
    ...(row['bg_ending'] !== null && {
      end: JSON.parse(String(row['bg_ending'])) as NonNullable<BackgroundCommand['end']>,
    }),
    ...(row['bg_stopping'] !== null && { stopping: row['bg_stopping'] as BackgroundStopping }),
  };
}

function toStart(row: Row): CallStart {
  return {
    runId: row['run_id'] as RunId,
    callId: row['call_id'] as CallId,
    attempt: Number(row['attempt']),
    segment: Number(row['segment']),
    tool: String(row['tool']),
    inputDigest: String(row['input_digest']),
    limitMs: Number(row['limit_ms']),
    outputBytes: Number(row['output_bytes']),
    startedAt: Number(row['started_at']),
    bootId: String(row['boot_id']),
  };
}
