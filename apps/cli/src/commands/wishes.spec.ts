import { problem, type Said, StubGateway } from '../../fixtures/stub-gateway.js';

const RUN = 'c34a9e96-003b-8209-8c18-9e38b87876e8';
const DIGEST = '7659e6b2b08b65a050cb0fbc058aa25ae779027ac9caf95f99f7a24aca0af815';
const AT = '2026-11-23T10:00:00.000Z';
const receipt = (more: object = {}) => ({ id: RUN, revision: 7, status: 'waiting', recorded: true, ...more });
const view = (more: object = {}) => ({
  id: RUN,
  agent: { name: 'asker', version: 1 },
  status: 'waiting',
  summary: 'Waits.',
  asOf: { revision: 7, type: 'SegmentEnded', at: AT },
  requestedAt: AT,
  items: { total: 0, done: 0, failed: 0 },
  handoffs: 0,
  restarts: 0,
  openCalls: [],
  caps: {},
  ...more,
});
const question = { callId: '1-0', tool: 'bash', input: { command: 'rm x' }, inputDigest: DIGEST, kind: 'approval' };
const waiting = view({ waitsFor: [{ ...question, since: AT, expiresAt: AT }] });
let stub: StubGateway;
beforeAll(async () => {
  stub = await StubGateway.start();
});
afterAll(() => stub.stop());
const posted = (): unknown => stub.asked.find(({ what }) => what.startsWith('POST'));
const said = ({ code, out, err }: Said): string => `${code}: ${out}${err}`.trim();

describe('a wish', () => {
  it('that is recorded is told with its place in the log', async () => {
    const answer = await stub.baton(['cancel', RUN, '--reason', 'enough'], {
      [`POST /v1/runs/${RUN}/cancel`]: receipt(),
    });
    expect(said(answer)).toBe(`0: The wish is recorded (revision 7); run ${RUN} is waiting.`);
    expect(posted()).toEqual({ what: `POST /v1/runs/${RUN}/cancel`, body: { reason: 'enough' } });
  });

  it('with nothing to record is told with the reason, and ends well', async () => {
    const nothing = receipt({ recorded: false, detail: 'It is paused already.' });
    const answer = await stub.baton(['pause', RUN], { [`POST /v1/runs/${RUN}/pause`]: nothing });
    expect(said(answer)).toBe(`0: Nothing was recorded, run ${RUN} is waiting. It is paused already.`);
  });

  it('of which nothing can come is an error, in the gateway’s words', async () => {
    const refusal = problem(409, 'run-ended', 'The run has ended already.');
    const answer = await stub.baton(['message', RUN, 'hello'], { [`POST /v1/runs/${RUN}/messages`]: refusal });
    expect(answer).toEqual({ code: 1, out: '', err: 'The run has ended already.\n' });
  });

  it('is told to programs as the gateway’s own receipt', async () => {
    const nothing = receipt({ recorded: false, detail: 'It is not paused.' });
    const { code, out } = await stub.baton(['resume', RUN, '--json'], { [`POST /v1/runs/${RUN}/resume`]: nothing });
    expect([code, JSON.parse(out)]).toEqual([0, nothing]);
  });

  it('for a cap that there is not names those that there are, and asks nothing', async () => {
    const answer = await stub.baton(['raise', RUN, 'step=9']);
    expect(said(answer)).toMatch(/^1: There is no cap step; the caps are segmentSeconds, .*steps, /);
    expect(stub.asked).toEqual([]);
  });
});

describe('a verdict on a call', () => {
  const approve = `/v1/runs/${RUN}/calls/1-0/approve`;

  it('goes to the gateway with the whole digest of the input that was looked at', async () => {
    const words = ['approve', RUN, '1-0', '--digest', DIGEST.slice(0, 8)];
    const answer = await stub.baton(words, { [`GET /v1/runs/${RUN}`]: waiting, [`POST ${approve}`]: receipt() });
    expect(answer.out).toContain('The wish is recorded (revision 7)');
    expect(posted()).toEqual({ what: `POST ${approve}`, body: { inputDigest: DIGEST } });
  });

  it.each([
    ['abc', '1: "abc" is too short for a digest: give its first 8 characters at least.'],
    ['abcdefab', `1: The call 1-0 waits for a verdict on another input, with the digest ${DIGEST}.`],
  ])('with the digest %s is not sent', async (digest, words) => {
    const asking = { [`GET /v1/runs/${RUN}`]: waiting };
    expect(said(await stub.baton(['approve', RUN, '1-0', '--digest', digest], asking))).toBe(words);
    expect(posted()).toBeUndefined();
  });

  it('that does not wait is left to the gateway, which knows what was decided before', async () => {
    const other = problem(409, 'already-answered', 'The call 1-0 is granted already by ann.');
    const again = receipt({ recorded: false, detail: 'The call 1-0 is granted already by ann.' });
    const asking = { [`GET /v1/runs/${RUN}`]: view() };
    const short = ['approve', RUN, '1-0', '--digest', DIGEST.slice(0, 8)];
    expect(said(await stub.baton(short, { ...asking, [`POST ${approve}`]: other }))).toBe(
      '1: The call 1-0 is granted already by ann.',
    );
    expect(posted()).toMatchObject({ body: { inputDigest: '0'.repeat(64) } });
    const whole = ['approve', RUN, '1-0', '--digest', DIGEST];
    expect(said(await stub.baton(whole, { ...asking, [`POST ${approve}`]: again }))).toBe(
      `0: Nothing was recorded, run ${RUN} is waiting. The call 1-0 is granted already by ann.`,
    );
    expect(posted()).toMatchObject({ body: { inputDigest: DIGEST } });
  });
});
