/** A process that a service runs for itself and that `baton ps` should list. */
export interface ReportedProcess {
  readonly name: string;
  readonly pid: number;
  readonly state: string;
  readonly startedAt: string;
  readonly run?: string;
  readonly segment?: number;
}

/** What a service tells the process that supervises it, over the IPC channel of `child_process.fork`. */
export type ServiceReport =
  | { readonly type: 'ready'; readonly port?: number }
  | { readonly type: 'processes'; readonly processes: readonly ReportedProcess[] }
  /** One sentence that the person who started the cluster should read. */
  | { readonly type: 'notice'; readonly sentence: string };

/** Tells the supervising process, when there is one and it still listens; its absence is no error. */
export function report(message: ServiceReport): void {
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}
