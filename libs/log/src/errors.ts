import { BatonError } from '#platform';

/** Somebody else has written to the stream: read its tail and decide again. */
export class WrongRevision extends BatonError {
  readonly code = 'wrong-revision';
  readonly remedy = 'retry';

  constructor(
    readonly stream: string,
    readonly expected: number | string,
    /** The stream's last revision now; undefined when it does not exist. */
    readonly actual: number | undefined,
  ) {
    super(`${stream} is at ${actual ?? 'no revision'}, not at ${expected}`);
  }
}

/** The log says no: too large, not allowed, a stream that was ended. The same request will never succeed. */
export class LogRefused extends BatonError {
  readonly code = 'log-refused';
  readonly remedy = 'give-up';
}

/** A run was changed by others so often in a row that the decision never fitted; wait and try again. */
export class RunContended extends BatonError {
  readonly code = 'run-contended';
  readonly remedy = 'retry';
}

/** There is no such run. */
export class RunUnknown extends BatonError {
  readonly code = 'run-unknown';
  readonly remedy = 'tell';
}

/** An event that this version cannot read: its type or its data is unknown. Nothing is decided on a log that cannot be read. */
export class UnknownFact extends BatonError {
  readonly code = 'unknown-fact';
  readonly remedy = 'give-up';
}
