import type { ScriptPlay } from '#contracts';
import { type Move, says } from './move.js';

/**
 * Plays a fixed list of turns: turn n of the run plays the n-th. The number of the turn comes from Baton's log and not
 * from the conversation, of which a compaction leaves nothing to count.
 */
export function playScript({ turns, after }: ScriptPlay, turn: number): Move {
  const move = turns[turn - 1] ?? (after === 'repeat' ? turns.at(-1) : undefined);
  return move ?? says('The script is at its end.');
}
