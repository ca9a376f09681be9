import { type Recorded, type RunEvent, SimulateSpec } from '#contracts';
import { Obstacle } from '../errors.js';

/**
 * The turns of a recorded run as a script for the simulator, which then says and asks for the same without being paid.
 * What the model only thought is left out: nothing follows from it.
 * @throws Obstacle when the run has no turns, or more than a script can hold
 */
export function scriptOf(events: readonly Recorded<RunEvent>[]): SimulateSpec {
  const turns = events.flatMap(({ event }) => (event.type === 'ModelTurnCompleted' ? [turnOf(event.data)] : []));
  if (turns.length === 0) throw new Obstacle('The recorded run has no turn of a model: name one that has worked.');
  const script = SimulateSpec.safeParse({ policy: 'script', turns });
  if (script.success) return script.data;
  throw new Obstacle(
    `The recorded run cannot be played again (${script.error.issues[0]?.message}): name a shorter one.`,
  );
}

const turnOf = ({ content, stopReason }: Extract<RunEvent, { type: 'ModelTurnCompleted' }>['data']) => ({
  texts: content.flatMap((block) => (block.type === 'text' && /\S/.test(block.text) ? [block.text] : [])),
  calls: content.flatMap((block) => (block.type === 'tool_use' ? [{ tool: block.name, input: block.input }] : [])),
  stopReason,
});
