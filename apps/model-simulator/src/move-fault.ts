import type { FaultSpec } from '#contracts';
import { type Answer, cutInHalf } from './answer.js';
import type { Call, Move } from './move.js';

/** The move that a fault makes of the right one. */
export function spoiled(move: Move, fault: FaultSpec | undefined): Move {
  switch (fault?.kind) {
    case 'malformed-input':
      return withCalls(move, (call) => ({ ...call, written: `${JSON.stringify(call.input).slice(0, -1)}, "` }));
    case 'wrong-input':
      return withCalls(move, (call) => ({
        ...call,
        input: Object.fromEntries(Object.entries(call.input).map(([name, value]) => [name, wrongly(value)])),
      }));
    case 'missing-input':
      return withCalls(move, (call) => ({ ...call, input: {} }));
    case 'unknown-tool':
      return withCalls(move, (call) => ({ ...call, tool: `${call.tool}_that_is_not_there` }));
    case 'empty':
      return { texts: [], calls: [] };
    case 'refusal':
      return { texts: [], calls: [], stopReason: 'refusal' };
    default:
      return move;
  }
}

/** The answer that a fault makes of the right one. */
export const shortened = (answer: Answer, fault: FaultSpec | undefined): Answer =>
  fault?.kind === 'max-tokens' ? cutInHalf(answer) : answer;

const withCalls = (move: Move, change: (call: Call) => Call): Move => ({ ...move, calls: move.calls.map(change) });

const wrongly = (value: unknown): unknown => (typeof value === 'string' ? [value.length] : 'nonsense');
