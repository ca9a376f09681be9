import { canonical, type TurnRequest } from '#domain';
import { sha256 } from './ids.js';

/** Changes whenever the same request would get another digest, so that old digests are never compared with new ones. */
const FORMAT = 'baton-request-1';

const digests = new WeakMap<object, string>();

/**
 * Names a request by its content: lower-case hex SHA-256.
 *
 * Digested are, one a line: the format's name, `[model, maxTokens, temperature or null]` as JSON (with thinking and
 * effort behind them when the agent says something about either), the SHA-256 of the system prompt, the number of tools, the SHA-256 of each tool, and the SHA-256 of each message. Tools and messages are
 * digested as canonical JSON: fields sorted by name, absent fields left out, lists in their order. So a request that is
 * rebuilt from the log has the same digest, whatever order its fields came back in; address, key, headers and how a
 * prompt is cached are no part of it. Of an image or a document the reference is digested, which holds its own digest;
 * its bytes are never read.
 *
 * Digests of tools and messages are remembered by object: a turn costs only its new messages.
 */
export function requestDigest(request: TurnRequest): string {
  const { model, maxTokens, temperature, thinking, effort, system, tools, messages } = request;
  // Requests from before there was thinking keep their digests.
  const thought = thinking === undefined && effort === undefined ? [] : [thinking ?? null, effort ?? null];
  const settings = JSON.stringify([model, maxTokens, temperature ?? null, ...thought]);
  const lines = [FORMAT, settings, sha256(system), tools.length, ...tools.map(digestOf), ...messages.map(digestOf)];
  return sha256(lines.join('\n'));
}

function digestOf(value: object): string {
  const known = digests.get(value);
  if (known !== undefined) return known;
  const digest = sha256(canonical(value));
  digests.set(value, digest);
  return digest;
}
