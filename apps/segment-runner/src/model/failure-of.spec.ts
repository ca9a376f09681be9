import { inspect } from 'node:util';
import { APIConnectionError, APIError } from '@anthropic-ai/sdk';
import { failureOf } from './failure-of.js';

const refusal = (headers: Record<string, string>) =>
  failureOf(APIError.generate(429, undefined, 'no', new Headers(headers)));

describe('the wait that the API asks for', () => {
  it('is taken in milliseconds where it is given so', () => {
    expect(refusal({ 'retry-after-ms': '1500', 'retry-after': '9' }).retryAfterMs).toBe(1_500);
  });

  it('is taken from a date, and never negative', () => {
    expect(refusal({ 'retry-after': new Date(Date.now() + 60_000).toUTCString() }).retryAfterMs).toBeGreaterThan(
      50_000,
    );
    expect(refusal({ 'retry-after': 'Mon, 01 Jan 2001 00:00:00 GMT' }).retryAfterMs).toBe(0);
  });

  it('is not taken from nonsense', () => {
    expect(refusal({ 'retry-after': 'soon' }).retryAfterMs).toBeUndefined();
  });
});

describe('a refusal', () => {
  it('is no longer than the log takes', () => {
    const body = { error: { type: 'invalid_request_error', message: 'x'.repeat(5_000) } };
    expect(failureOf(APIError.generate(400, body, undefined, new Headers())).message).toHaveLength(2_000);
  });

  it('does not repeat the key that the endpoint has repeated', () => {
    const body = { error: { type: 'authentication_error', message: 'Wrong key: sk-canary-41.' } };
    const failure = failureOf(APIError.generate(401, body, undefined, new Headers()), 'sk-canary-41');
    expect(failure).toMatchObject({ kind: 'authentication', retryable: false });
    expect(failure.message).toContain('Wrong key: [the key].');
    expect(inspect(failure, { depth: 9 })).not.toContain('sk-canary-41');
  });
});

describe('an error of the connection', () => {
  it('is a time-out when the innermost cause says so', () => {
    const error = new TypeError('terminated', { cause: new Error('Body Timeout Error') });
    expect(failureOf(error)).toMatchObject({ kind: 'timed-out', cause: error });
  });

  it('names the code of an error without a message', () => {
    const nobody = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    const failure = failureOf(new APIConnectionError({ cause: new TypeError('failed', { cause: nobody }) }));
    expect(failure.message).toBe('The model cannot be reached: ECONNREFUSED.');
  });

  it('is a cut otherwise', () => {
    expect(failureOf(new TypeError('terminated'))).toMatchObject({ kind: 'cut-off', retryable: true });
  });
});
