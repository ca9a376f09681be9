import { RELAY_EVENTS, SegmentEndReason } from '#contracts';
import { sha256 } from '#platform';
import { foldRelay, OPEN_RUNS_VERSION, type OpenRun, type RelayNews, turnOf } from './open-runs.js';

const NOTHING_WISHED = { cancelled: false, paused: false, asked: false };
const after = (...news: Omit<RelayNews, 'revision'>[]): OpenRun | undefined =>
  news.reduce<OpenRun | undefined>((run, one, revision) => foldRelay(run, { ...one, revision }), undefined);
const turnAfter = (...news: Omit<RelayNews, 'revision'>[]) => {
  const run = after({ type: 'RunRequested' }, ...news);
  return run && turnOf(run);
};
const scheduled = { type: 'SegmentScheduled', segment: 1 } as const;
const started = { type: 'SegmentStarted', segment: 1 } as const;
const ended = (reason: NonNullable<RelayNews['reason']>) => ({ type: 'SegmentEnded', segment: 1, reason }) as const;

describe('whose turn it is', () => {
  it('goes from the coordinator to a runner to the segment and back', () => {
    expect(turnAfter()).toBe('coordinator');
    expect(turnAfter(scheduled)).toBe('runner');
    expect(turnAfter(scheduled, started)).toBe('segment');
    expect(turnAfter(scheduled, started, ended('handoff'))).toBe('coordinator');
    expect(turnAfter(scheduled, started, { type: 'RunPresumedDead', segment: 1 })).toBe('coordinator');
    expect(turnAfter(scheduled, started, ended('finished'))).toBe('coordinator');
  });

  it('is nobody’s while a run is paused or waits for a person', () => {
    expect(turnAfter({ type: 'PauseRequested' })).toBe('nobody');
    expect(turnAfter(scheduled, started, { type: 'PauseRequested' }, ended('paused'))).toBe('nobody');
    expect(turnAfter(scheduled, started, ended('waiting'))).toBe('nobody');
  });

  it('is the coordinator’s once a person wants something', () => {
    expect(turnAfter(scheduled, { type: 'CancelRequested' })).toBe('coordinator');
    const paused = [scheduled, started, { type: 'PauseRequested' }, ended('paused')] as const;
    expect(turnAfter(...paused, { type: 'ResumeRequested' })).toBe('coordinator');
    expect(turnAfter(scheduled, started, ended('waiting'), { type: 'MessageReceived' })).toBe('coordinator');
    expect(turnAfter(scheduled, started, { type: 'MessageReceived' }, ended('waiting'))).toBe('coordinator');
  });

  it('keeps nothing of a run that has ended, nor of one whose beginning is unknown', () => {
    expect(after({ type: 'RunRequested' }, scheduled, { type: 'RunHalted' })).toBeUndefined();
    expect(after(started)).toBeUndefined();
  });
});

describe('the version of the fold', () => {
  it('is another one when the fold is', () => {
    const phases = ['between', 'scheduled', 'working', 'resting', 'landed'] as const;
    const before = [undefined, ...phases.map((phase) => ({ phase, segment: 1, revision: 1, ...NOTHING_WISHED }))];
    const news = RELAY_EVENTS.flatMap((type): Omit<RelayNews, 'revision'>[] =>
      type === 'SegmentEnded' ? SegmentEndReason.options.map(ended) : [{ type, segment: 2 }],
    );
    const table = before.flatMap((run) => news.map((one) => [run, one, foldRelay(run, { ...one, revision: 2 })]));
    // Notes that others left are folded on by this code: raise OPEN_RUNS_VERSION together with this digest.
    expect([OPEN_RUNS_VERSION, sha256(JSON.stringify(table)).slice(0, 16)]).toEqual([1, 'ebd071359a907b6d']);
  });
});
