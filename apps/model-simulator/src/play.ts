import type { SimulateSpec } from '#contracts';
import { asksToCompact } from './announcement.js';
import { playItems, summaryOf } from './items-policy.js';
import type { MessagesRequest } from './messages-request.js';
import { type Move, says } from './move.js';
import { playScript } from './script-policy.js';

/**
 * What the model does in this turn: the same request, spec and number of the turn give the same move, for ever.
 * @throws ApiError 400 when the policy cannot be played with this request.
 */
export function play(request: MessagesRequest, spec: SimulateSpec, turn: number): Move {
  const move = unthinking(request, spec, turn);
  return thinks(request) && move.thinking === undefined && move.redactedThinking === undefined
    ? { ...move, thinking: thoughtOn(move) }
    : move;
}

function unthinking(request: MessagesRequest, spec: SimulateSpec, turn: number): Move {
  if (asksToCompact(request.messages)) return says(summaryOf(request.messages, spec));
  return spec.policy === 'items' ? playItems(request, spec) : playScript(spec, turn);
}

const thinks = ({ thinking }: MessagesRequest): boolean =>
  thinking?.type === 'enabled' || thinking?.type === 'adaptive';

const thoughtOn = ({ calls }: Move): string =>
  calls.length === 0 ? 'Nothing is left to call for.' : `Next comes ${calls.map(({ tool }) => tool).join(', ')}.`;
