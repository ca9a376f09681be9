import { AgentVersion, Caps, momentOf, StartRunRequest } from '#contracts';
import { facts } from '#testing';
import { ApiProblem } from '../http/problems.js';
import { runRequested } from './start-run.js';

const requested = facts.requested()(momentOf(0), 0);
const spec = requested.type === 'RunRequested' ? requested.data.agent.spec : undefined;
const agent = AgentVersion.parse({ name: 'tester', version: 1, digest: facts.DIGEST, spec, files: [] });
const wish = StartRunRequest.parse({ agent: 'tester' });
const names = Object.keys(Caps.shape) as (keyof Caps)[];

describe('the first event of a run', () => {
  it.each(names)('is refused when caps.%s is more than the server allows', (cap) => {
    const most = agent.spec.caps[cap] - 1;
    const start = () => runRequested(wish, agent, { now: 0, requestDigest: facts.DIGEST, maxima: { [cap]: most } });
    expect(start).toThrow(ApiProblem);
    expect(start).toThrow(/BATON_MAX_CAPS/);
  });

  it.each(names)('is refused when the run asks for more of caps.%s than its agent has', (cap) => {
    const raised = StartRunRequest.parse({ agent: 'tester', caps: { [cap]: agent.spec.caps[cap] + 1 } });
    const start = () => runRequested(raised, agent, { now: 0, requestDigest: facts.DIGEST, maxima: {} });
    expect(start).toThrow(new RegExp(`caps\\.${cap}: .* a run may only lower its caps`));
  });

  it.each(names)('takes a caps.%s that is lowered to what the server allows', (cap) => {
    const most = Math.max(agent.spec.caps[cap] / 2, cap === 'segmentSeconds' ? 20 : 1);
    const lowered = StartRunRequest.parse({ agent: 'tester', caps: { [cap]: Math.floor(most) } });
    const by = { now: 0, requestDigest: facts.DIGEST, maxima: { [cap]: most } };
    expect(runRequested(lowered, agent, by).data.caps[cap]).toBe(Math.floor(most));
  });
});
