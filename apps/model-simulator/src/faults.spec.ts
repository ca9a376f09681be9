import { FaultSpec } from '#contracts';
import { answerOf } from './answer.js';
import { ArmedFaults, FaultOrder, faultAt } from './faults.js';
import { spoiled } from './move-fault.js';
import { refusalOf } from './refusal-fault.js';
import type { TurnPlace } from './turn-place.js';
import { placeOf } from './turn-place.js';

const fault = (spec: object) => FaultSpec.parse(spec);
const place = (turn: number, attempt = 1, on: TurnPlace['on'] = 'turn'): TurnPlace => ({ run: 'r', turn, attempt, on });

describe('a fault of an agent', () => {
  const faults = [fault({ kind: 'overloaded', turns: [2, 3], times: 2 }), fault({ kind: 'empty', on: 'compaction' })];

  it('strikes its turns until they were tried as often as it says', () => {
    const struck = [1, 2, 3, 4].map((turn) => [1, 2, 3].map((attempt) => faultAt(faults, place(turn, attempt))?.kind));
    expect(struck).toEqual([
      [undefined, undefined, undefined],
      ['overloaded', 'overloaded', undefined],
      ['overloaded', 'overloaded', undefined],
      [undefined, undefined, undefined],
    ]);
  });

  it('strikes the summary before a turn or the turn, never both', () => {
    expect(faultAt(faults, place(2, 1, 'compaction'))?.kind).toBe('empty');
    expect(faultAt(faults, place(1))).toBeUndefined();
  });
});

describe('a fault that was ordered', () => {
  it('strikes the next requests that it fits, so often as it says', () => {
    const armed = new ArmedFaults();
    armed.order(FaultOrder.parse({ fault: { kind: 'cut', times: 2 }, run: 'r' }));
    expect(armed.strike({ ...place(1), run: 'other' })).toBeUndefined();
    expect([1, 2, 3].map((turn) => armed.strike(place(turn))?.kind)).toEqual(['cut', 'cut', undefined]);
    expect(armed.list).toEqual([]);
  });

  it('can be taken back', () => {
    const armed = new ArmedFaults();
    armed.order(FaultOrder.parse({ fault: { kind: 'cut' } }));
    armed.clear();
    expect(armed.strike(place(1))).toBeUndefined();
  });
});

describe('the place of a request', () => {
  const request = { model: 'm', messages: [{ role: 'user' as const, content: 'x' }] };

  it('comes from the log by way of the headers', () => {
    const headers = { 'baton-run': 'r', 'baton-turn': '7', 'baton-attempt': '2' };
    expect(placeOf(headers, request)).toEqual(place(7, 2));
  });

  it('is read from the conversation and from the client when nobody tells it', () => {
    const said = { role: 'assistant' as const, content: 'y' };
    const asked = { role: 'user' as const, content: 'z\n<compact/>' };
    const messages = [...request.messages, said, asked];
    expect(placeOf({ 'x-stainless-retry-count': '2' }, { ...request, messages })).toEqual({
      run: '',
      turn: 2,
      attempt: 3,
      on: 'compaction',
    });
  });

  it('is refused when it is no number', () => {
    expect(() => placeOf({ 'baton-turn': 'x' }, request)).toThrow('baton-turn: use a whole number');
  });
});

describe('what a fault does', () => {
  const move = { texts: ['So.'], calls: [{ tool: 'bash', input: { command: 'ls', deep: 1 } }] };
  const spoilt = (kind: string) => spoiled(move, fault({ kind }));
  const written = (kind: string) => {
    const { content } = answerOf(spoilt(kind), { model: 'm', messages: [] }, '', { read: 0, written: 0, fresh: 1 });
    const [, call] = content;
    return call?.type === 'tool_use' ? call.written : '';
  };

  it('gives the input wrong types, no fields, or no end', () => {
    expect(JSON.parse(written('wrong-input'))).toEqual({ command: [2], deep: 'nonsense' });
    expect(JSON.parse(written('missing-input'))).toEqual({});
    expect(() => JSON.parse(written('malformed-input')) as unknown).toThrow(/JSON/);
  });

  it('calls a tool that is not there', () => {
    expect(spoilt('unknown-tool').calls).toMatchObject([{ tool: 'bash_that_is_not_there' }]);
  });

  it('says nothing, or refuses', () => {
    expect(spoilt('empty')).toEqual({ texts: [], calls: [] });
    expect(spoilt('refusal')).toEqual({ texts: [], calls: [], stopReason: 'refusal' });
  });

  it('refuses with the status and the wait that were ordered', () => {
    expect(refusalOf(fault({ kind: 'rate-limited', retryAfterSeconds: 7 }), 0)).toMatchObject({
      status: 429,
      type: 'rate_limit_error',
      headers: { 'retry-after': '7' },
    });
    expect(refusalOf(fault({ kind: 'overloaded', retryAfterSeconds: 7, asDate: true }), 0)).toMatchObject({
      status: 529,
      headers: { 'retry-after': 'Thu, 01 Jan 1970 00:00:07 GMT' },
    });
    expect(refusalOf(fault({ kind: 'server-error', status: 504 }), 0)).toMatchObject({ type: 'timeout_error' });
    expect(refusalOf(fault({ kind: 'cut' }), 0)).toBeUndefined();
  });
});
