import { foldRelay, type OpenRun, type RelayNews, turnOf } from './open-runs.js';

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
