import type { CallId, Recorded, RunEvent, RunId } from '#contracts';
import { evolve, type Run } from '#domain';
import type { Gateway } from '../api/gateway.js';
import { Obstacle } from '../errors.js';

/**
 * Says what a person would have to say, after the last of the events, for the run to go on.
 * @throws Obstacle when only the user may say it
 */
export async function answerFor(
  gateway: Gateway,
  run: RunId,
  events: readonly Recorded<RunEvent>[],
  approve: boolean,
): Promise<void> {
  const event = events.at(-1)?.event;
  if (event?.type === 'ToolCallStarted' && event.data.tool === 'ask_human') {
    await gateway.wish(run, `calls/${event.data.callId}/answer`, { text: 'Go on.' });
  }
  if (event?.type !== 'ApprovalRequested') return;
  const { callId, inputDigest, about } = event.data;
  if (about === 'doubt') {
    // It is noted as what it is; whoever it was done to must not suffer it twice for our sake.
    const json = { inputDigest, decision: 'done', reason: 'It may have been done, and torture repeats nothing.' };
    return void (await gateway.wish(run, `calls/${callId}/deny`, json));
  }
  if (!approve) {
    throw new Obstacle(
      `The agent asks a person before ${toolOf(callId, events)} (call ${callId}): let torture agree to every such call with --approve, or change the agent's approvals.`,
    );
  }
  await gateway.wish(run, `calls/${callId}/approve`, { inputDigest });
}

function toolOf(callId: CallId, events: readonly Recorded<RunEvent>[]): string {
  const run = events.reduce<Run | undefined>(evolve, undefined);
  return run?.openCalls.find((call) => call.callId === callId)?.tool ?? 'a call';
}
