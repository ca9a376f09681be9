/**
 * What the receiver of an error should do next; every error class of Baton is an answer to that question.
 * `retry`: the same request may succeed later. `stand-down`: somebody else has taken over, stop quietly.
 * `give-up`: it will never succeed, park it where a person finds it. `tell`: the caller asked for something wrong.
 */
export type Remedy = 'retry' | 'stand-down' | 'give-up' | 'tell';

/** The one base class: a stable kebab-case `code`, a `remedy`, and the vendor's error as `cause`. */
export abstract class BatonError extends Error {
  abstract readonly code: string;
  abstract readonly remedy: Remedy;

  override get name(): string {
    return this.constructor.name;
  }
}

/** The store, the bus or the model cannot be reached or did not answer in time; nothing is known to be wrong with the request. */
export class Unavailable extends BatonError {
  readonly code = 'unavailable';
  readonly remedy = 'retry';
}

/** A message, event or file that cannot be read: wrong JSON, wrong schema, unknown type. */
export class Unreadable extends BatonError {
  readonly code: string = 'unreadable';
  readonly remedy = 'give-up';
}

/** A wrong environment variable, flag or file: the sentence names it and says what would be right. */
export class Misconfigured extends BatonError {
  readonly code = 'misconfigured';
  readonly remedy = 'tell';
}

/** The message of whatever was thrown, for logs and error events. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
