import { AnswerTimedOut } from '#bus';
import { CallId, momentOf, RunId } from '#contracts';
import type { OpenCall } from '#domain';
import { newId, Unavailable } from '#platform';
import { facts, given } from '#testing';
import { Workspace } from './workspace.js';

const TOOL_SECONDS = 100;
const { history } = given(facts.requested({ caps: { toolSeconds: TOOL_SECONDS } }), facts.scheduled(), facts.started());
const begun = facts.BEGIN;
const call: OpenCall = {
  callId: CallId.parse('1-0'),
  tool: 'bash',
  input: { command: 'true' },
  state: 'started',
  startedAt: momentOf(begun),
};
const finished = {
  state: 'finished',
  startedAt: momentOf(begun),
  endedAt: momentOf(begun),
  outcome: 'ok',
  content: [],
};

const isOpening = (subject: string): boolean => subject.endsWith('open');
const aWorkspace = (...ends: readonly (Error | object)[]) => aWorkspaceWhere((subject) => !isOpening(subject), ends);

/** A workspace where these questions end as the list says, the last one for ever, by a clock that counts the waiting. */
function aWorkspaceWhere(isTested: (subject: string) => boolean, ends: readonly (Error | object)[]) {
  let now = begun;
  let asked = 0;
  const ask = async (subject: string, _body: unknown, _schema: unknown, { timeoutMs }: { timeoutMs: number }) => {
    if (!isTested(subject)) return isOpening(subject) ? { holder: 'h' } : {};
    const end = ends[Math.min(asked, ends.length - 1)];
    asked += 1;
    now += timeoutMs;
    if (end instanceof Error) throw end;
    return end;
  };
  const segmentLog = { history, runId: RunId.parse(newId()), segment: 1 };
  const listen = () => ({ stop: () => undefined, unreadable: () => 0 });
  const workspace = new Workspace({ ask: ask as never, listen }, segmentLog, { now: () => now, monotonic: () => now });
  return { workspace, waitedMs: () => now - begun };
}

const { signal } = new AbortController();
const silence = new AnswerTimedOut('Nobody has answered.');

describe('a lost answer', () => {
  const questions: readonly (readonly [string, (workspace: Workspace) => Promise<unknown>])[] = [
    ['check', (workspace) => workspace.check(call, signal)],
    ['discover', (workspace) => workspace.discover(['mail'], signal)],
    ['probe', (workspace) => workspace.probe(call, signal)],
  ];

  it.each(questions)('is noticed within seconds: %s', async (_, asked) => {
    const { workspace, waitedMs } = aWorkspace(silence, { discoveries: [], found: 'not-done' });
    await asked(workspace);
    expect(waitedMs()).toBeLessThanOrEqual(45_000);
  });

  it('is noticed within seconds: open', async () => {
    const { workspace, waitedMs } = aWorkspaceWhere(isOpening, [silence, { holder: 'h' }]);
    await workspace.check(call, signal);
    expect(waitedMs()).toBeLessThanOrEqual(15_000);
  });

  it('is waited for longer each time, for one that takes its time', async () => {
    const { workspace, waitedMs } = aWorkspace(silence, silence, silence, silence, silence, {});
    await workspace.check(call, signal);
    expect(waitedMs()).toBe((5 + 10 + 20 + 40 + 60 + 60) * 1_000);
  });
});

describe('a workspace that does not answer', () => {
  it('is asked again until the call is past its limit and a minute of silence is over; then nobody knows', async () => {
    const { workspace, waitedMs } = aWorkspace(silence);
    expect(await workspace.run(call, signal)).toMatchObject({
      state: 'unknown',
      reason: expect.stringContaining('has not answered for 60 s'),
    });
    expect(waitedMs()).toBeGreaterThanOrEqual(TOOL_SECONDS * 1_000);
    expect(waitedMs()).toBeLessThan(TOOL_SECONDS * 1_000 + 60_000);
  });

  it('has its full minute however old the call is', async () => {
    const { workspace, waitedMs } = aWorkspace(silence);
    await workspace.run({ ...call, startedAt: momentOf(begun - 3_600_000) }, signal);
    expect(waitedMs()).toBeGreaterThanOrEqual(60_000);
  });

  it('is not given up while the bus itself is away', async () => {
    const away = Array.from({ length: 12 }, () => new Unavailable('The bus is away.'));
    const { workspace } = aWorkspace(...away, finished);
    expect(await workspace.run(call, signal)).toMatchObject({ state: 'finished' });
  });

  it('cannot be asked what became of a call either', async () => {
    expect(await aWorkspace(silence).workspace.probe(call, signal)).toMatchObject({ found: 'unknown' });
  });
});
