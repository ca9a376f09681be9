import { BatonError } from '#platform';

/** The request comes from an older segment than the newest seen (law 4). */
export class Fenced extends BatonError {
  readonly code = 'fenced';
  readonly remedy = 'stand-down';

  constructor(segment: number, newest: number) {
    super(`Segment ${segment} is over: the workspace already works for segment ${newest}.`);
  }
}

/** The log says that this manager holds the workspace, and its files are gone. A fresh folder would be a lie. */
export class WorkspaceIsLost extends BatonError {
  readonly code = 'workspace-lost';
  readonly remedy = 'give-up';
}

/** This manager does not hold the run's workspace, or not any more: open it first. */
export class WorkspaceNotOpen extends BatonError {
  readonly code = 'workspace-not-open';
  readonly remedy = 'retry';
}

/** The call id is known with another input: ids of calls are never used again. */
export class CallMismatch extends BatonError {
  readonly code = 'call-mismatch';
  readonly remedy = 'tell';
}

/** No sandbox can be had here and working without one was not allowed. */
export class SandboxUnavailable extends BatonError {
  readonly code = 'sandbox-unavailable';
  readonly remedy = 'tell';
}

/** A path that leads out of the workspace, or not to what the tool needs; the text is for the model. */
export class FileRefused extends BatonError {
  readonly code = 'file-refused';
  readonly remedy = 'tell';
}

/** The code of an error of the operating system, e.g. `ENOENT`. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
