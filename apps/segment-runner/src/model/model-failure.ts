import type { ModelFailureKind } from '#contracts';
import { BatonError, type Remedy } from '#platform';

/** Kinds that the same request would meet again. */
const LASTING: ReadonlySet<ModelFailureKind> = new Set(['invalid-request', 'authentication']);

/** What the log takes of a message. */
const MAX_MESSAGE_CHARACTERS = 2_000;

export interface FailureFacts {
  readonly cause?: unknown;
  /** How long the API asks to wait, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** The API's own word on it; without one the kind decides. */
  readonly retryable?: boolean | undefined;
}

/** A turn that came to nothing. */
export class ModelFailure extends BatonError {
  readonly code = 'model-failed';
  readonly remedy: Remedy;
  readonly retryAfterMs: number | undefined;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;

  constructor(
    readonly kind: ModelFailureKind,
    message: string,
    { cause, retryAfterMs, retryable = !LASTING.has(kind) }: FailureFacts = {},
  ) {
    super(message.slice(0, MAX_MESSAGE_CHARACTERS), { cause });
    this.retryAfterMs = retryAfterMs;
    this.retryable = retryable;
    this.remedy = retryable ? 'retry' : 'give-up';
  }
}
