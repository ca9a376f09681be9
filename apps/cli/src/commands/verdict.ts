import { createInterface } from 'node:readline/promises';
import type { CallId, Receipt, WaitsFor } from '#contracts';
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

const WHOLE_DIGEST = 64;
const SHORTEST_DIGEST = 8;
export const DIGEST_WORDS = `the digest of the input that was looked at, or its first ${SHORTEST_DIGEST} characters or more`;

/** Puts a verdict on the very input that the person has seen into the log. @throws Obstacle, Refused */
export async function verdictOn(output: Output, gateway: Gateway, judged: Judged, verdict: Verdict): Promise<Receipt> {
  const view = await gateway.run(judged.id);
  const call = view.waitsFor?.find(({ callId }) => callId === judged.callId);
  const inputDigest = call
    ? await digestLookedAt(output, judged.verb, call, verdict.digest)
    : digestUnseen(verdict.digest);
  const { reason, decision } = verdict;
  const json = { inputDigest, ...(reason === undefined ? {} : { reason }), ...(decision && { decision }) };
  return gateway.wish(judged.id, `calls/${judged.callId}/${judged.verb}`, json);
}

/** What does not wait is answered by the one who knows what was decided before; a part of a digest is that of no input. */
const digestUnseen = (named = ''): string => (named.length === WHOLE_DIGEST ? named : '0'.repeat(WHOLE_DIGEST));

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
