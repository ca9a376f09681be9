import { BatonError } from '#platform';

/** The API's own error types, as far as the simulator has reason to use them. */
export type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'not_found_error'
  | 'request_too_large'
  | 'rate_limit_error'
  | 'overloaded_error'
  | 'timeout_error'
  | 'api_error';

/** An answer of the Messages API that is not a message; the caller sees status, type and sentence. */
export class ApiError extends BatonError {
  readonly code = 'refused-by-simulator';
  readonly remedy = 'tell';

  constructor(
    readonly status: number,
    readonly type: ApiErrorType,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** A 400: the request is wrong, or the simulator cannot play it. */
export const invalid = (message: string): ApiError => new ApiError(400, 'invalid_request_error', message);

/** The body of an error answer. */
export const errorBody = (error: ApiError, requestId: string): object => ({
  type: 'error',
  error: { type: error.type, message: error.message },
  request_id: requestId,
});
