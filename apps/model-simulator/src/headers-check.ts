import type { IncomingHttpHeaders } from 'node:http';
import { SimulateSpec } from '#contracts';
import { ApiError, invalid } from './api-error.js';
import { API_VERSIONS, type ApiVersion } from './request-check.js';

/**
 * Checks that there is some key (`x-api-key`, or a bearer token as the newer SDKs send it) and a known version.
 * @throws ApiError 401 or 400
 */
export function checkHeaders(headers: IncomingHttpHeaders): ApiVersion {
  const bearer = /^Bearer\s+\S/i.test(headers.authorization ?? '');
  if (!headers['x-api-key'] && !bearer) {
    throw new ApiError(401, 'authentication_error', 'x-api-key header is required');
  }
  const given = headers['anthropic-version'];
  if (given === undefined) throw invalid('anthropic-version: header is required');
  const version = API_VERSIONS.find((known) => known === given);
  if (version === undefined) {
    throw invalid(`anthropic-version: "${String(given)}" is not a valid version; use ${API_VERSIONS.join(' or ')}`);
  }
  return version;
}

/**
 * Reads what to play from the header `baton-simulate`.
 * @throws ApiError 400
 */
export function simulateSpecOf(headers: IncomingHttpHeaders): SimulateSpec {
  const header = headers['baton-simulate'];
  if (typeof header !== 'string') {
    throw invalid(
      'baton-simulate: header is required: the model simulator plays what it is told there, as JSON, e.g. {"policy":"items","command":"wc -l {input}"}; ' +
        'Baton sends the `simulate` section of the agent file',
    );
  }
  const result = SimulateSpec.safeParse(parsed(header));
  if (result.success) return result.data;
  const faults = result.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
  throw invalid(`baton-simulate: the model simulator cannot play this: ${faults.join('; ')}`);
}

function parsed(header: string): unknown {
  try {
    return JSON.parse(header);
  } catch {
    throw invalid('baton-simulate: is not JSON');
  }
}
