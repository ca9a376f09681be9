import type { FaultSpec } from '#contracts';
import { ApiError, type ApiErrorType } from './api-error.js';

const REFUSALS: Readonly<Record<string, readonly [number, ApiErrorType, string]>> = {
  overloaded: [529, 'overloaded_error', 'Overloaded'],
  'rate-limited': [429, 'rate_limit_error', 'This request would exceed the rate limit of your organization.'],
  'invalid-request': [400, 'invalid_request_error', 'The model simulator was told to call this request invalid.'],
  authentication: [401, 'authentication_error', 'invalid x-api-key'],
  'not-found': [404, 'not_found_error', 'model: not found'],
  'too-large': [413, 'request_too_large', 'Request exceeds the maximum size'],
};

/** The refusal that a fault plays instead of an answer; undefined when it plays something else. */
export function refusalOf(fault: FaultSpec, now: number): ApiError | undefined {
  if (fault.kind === 'server-error') {
    const type = fault.status === 504 ? 'timeout_error' : 'api_error';
    return new ApiError(fault.status, type, 'Internal server error');
  }
  const played = REFUSALS[fault.kind];
  return played && new ApiError(...played, retryAfter(fault, now));
}

function retryAfter(fault: FaultSpec, now: number): Readonly<Record<string, string>> {
  if (!('retryAfterSeconds' in fault) || fault.retryAfterSeconds === undefined) return {};
  const { retryAfterSeconds: seconds, asDate } = fault;
  return { 'retry-after': asDate ? new Date(now + seconds * 1_000).toUTCString() : String(seconds) };
}
