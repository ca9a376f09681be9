import { SegmentRunnerConfig } from '../config.js';
import { rehearse } from './rehearsal.js';

describe('the rehearsal of a process that has no work yet', () => {
  it('plays a whole segment', async () => {
    const last = await rehearse(SegmentRunnerConfig.parse({}), new AbortController().signal);
    expect(last).toMatchObject({ type: 'SegmentEnded', data: { segment: 1, reason: 'finished' } });
  });

  it('ends at once when there is real work', async () => {
    const last = await rehearse(SegmentRunnerConfig.parse({}), AbortSignal.abort());
    expect(last).toMatchObject({ type: 'SegmentEnded', data: { segment: 1, reason: 'drain' } });
  });
});
