import { BatonError } from '#platform';

/** The status codes of gRPC that this server answers with. */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;
export type Status = (typeof Status)[keyof typeof Status];

/** A call ends with this status, and with trailers from which the client makes its typed error. */
export class Refusal extends BatonError {
  readonly code = 'refused';
  readonly remedy = 'tell';

  constructor(
    readonly status: Status,
    message: string,
    readonly trailers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

export const invalid = (message: string): Refusal => new Refusal(Status.INVALID_ARGUMENT, message);

export const streamDeleted = (stream: string): Refusal =>
  new Refusal(Status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

export const accessDenied = (): Refusal =>
  new Refusal(Status.PERMISSION_DENIED, 'Access Denied', { exception: 'access-denied' });

export const tooLarge = (limit: number): Refusal =>
  new Refusal(Status.INVALID_ARGUMENT, `Maximum Append Size of ${limit} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(limit),
  });

export const missingMetadata = (missing: string): Refusal =>
  new Refusal(Status.INVALID_ARGUMENT, `Required Metadata Property '${missing}' is missing`, {
    exception: 'missing-required-metadata-property',
    'required-metadata-properties': 'type,content-type',
  });

const EXPECTED_VERSION = { any: '-2', 'no-stream': '-1', 'stream-exists': '-4' } as const;

/** `current` is -1 when there is no stream; then the trailer is absent. */
export function wrongExpectedVersion(
  stream: string,
  expected: keyof typeof EXPECTED_VERSION | bigint,
  current: number,
): Refusal {
  const wanted = typeof expected === 'bigint' ? String(expected) : EXPECTED_VERSION[expected];
  return new Refusal(
    Status.FAILED_PRECONDITION,
    `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${wanted}, Actual version: ${current}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': wanted,
      ...(current < 0 ? {} : { 'actual-version': String(current) }),
    },
  );
}
