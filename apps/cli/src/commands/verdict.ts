import { createInterface } from 'node:readline/promises';
import type { CallId, Receipt, RunView, WaitsFor } from '#contracts';
import type { Gateway } from '../api/gateway.js';
import { Obstacle } from '../errors.js';
import type { Output } from '../output.js';

/** What a person says of a call. */
export interface Verdict {
  readonly digest?: string;
  readonly reason?: string;
  readonly decision?: 'done' | 'not-done';
}

interface Judged {
  readonly id: string;
  readonly callId: string;
  readonly verb: 'approve' | 'deny';
}

const SHORTEST_DIGEST = 8;
export const DIGEST_WORDS = `the digest of the input that was looked at, or its first ${SHORTEST_DIGEST} characters or more`;

/** Puts a verdict on the very input that the person has seen into the log. @throws Obstacle, Refused */
export async function verdictOn(output: Output, gateway: Gateway, judged: Judged, verdict: Verdict): Promise<Receipt> {
  const view = await gateway.run(judged.id);
  const call = view.waitsFor?.find(({ callId }) => callId === judged.callId);
  if (call === undefined) return saidBefore(gateway, view, judged);
  const inputDigest = await digestLookedAt(output, judged.verb, call, verdict.digest);
  const { reason, decision } = verdict;
  const json = { inputDigest, ...(reason === undefined ? {} : { reason }), ...(decision && { decision }) };
  return gateway.wish(judged.id, `calls/${judged.callId}/${judged.verb}`, json);
}

/** The same verdict again, on a call that does not wait any more, has nothing to record. @throws Obstacle */
async function saidBefore(gateway: Gateway, view: RunView, { id, callId, verb }: Judged): Promise<Receipt> {
  const { effects } = await gateway.effects(id);
  const approval = effects.find((effect) => effect.callId === callId)?.approval;
  if (view.endedAt !== undefined || approval === undefined || approval.state === 'pending') {
    throw new Obstacle(doesNotWait(view, callId));
  }
  const detail = `The call ${callId} is ${approval.state} already${approval.by === undefined ? '' : ` by ${approval.by}`}.`;
  if (approval.state !== (verb === 'approve' ? 'granted' : 'denied')) throw new Obstacle(detail);
  return { id: view.id, revision: view.asOf.revision, status: view.status, recorded: false, detail };
}

function doesNotWait({ waitsFor = [] }: RunView, callId: string): string {
  const ids: readonly CallId[] = waitsFor.map((waiting) => waiting.callId);
  return ids.length === 0
    ? 'No call of the run waits for a person; `npx baton status` shows what it does.'
    : `The call ${callId} does not wait for a person; those that do: ${ids.join(', ')}.`;
}

/** A verdict holds for the very input that the person has seen: it is named by its digest, or shown and confirmed. */
async function digestLookedAt(
  output: Output,
  verb: Judged['verb'],
  { callId, tool, input, inputDigest }: WaitsFor,
  named: string | undefined,
): Promise<string> {
  if (named !== undefined) return digestNamed(named, callId, inputDigest);
  output.note(`${tool} (call ${callId}), digest ${inputDigest}:\n${JSON.stringify(input, null, 2)}`);
  if (!process.stdin.isTTY) {
    const command = `--digest ${inputDigest.slice(0, SHORTEST_DIGEST)}`;
    throw new Obstacle(`Look at the input above; to ${verb} it, name its digest: ${command}.`);
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const said = await terminal.question(`${verb} this call? [y/N] `).finally(() => terminal.close());
  if (/^y(es)?$/i.test(said.trim())) return inputDigest;
  throw new Obstacle('Nothing was recorded.');
}

function digestNamed(named: string, callId: CallId, inputDigest: string): string {
  if (named.length < SHORTEST_DIGEST)
    throw new Obstacle(`"${named}" is too short for a digest: give its first ${SHORTEST_DIGEST} characters at least.`);
  if (inputDigest.startsWith(named.toLowerCase())) return inputDigest;
  throw new Obstacle(`The call ${callId} waits for a verdict on another input, with the digest ${inputDigest}.`);
}
