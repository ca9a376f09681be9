import { Writable } from 'node:stream';
import { LiveView } from '../runs/live-view.js';
import type { Point } from './points.js';
import { Progress } from './progress.js';
import type { Case } from './torture.js';

const MINUTE_MS = 60_000;
const point = (place: number): Point => ({ kind: 'runner-killed', place });
const played = (place: number, ms: number): Case => ({
  point: point(place),
  seed: 1,
  ms,
  struck: true,
  findings: [],
  unsafe: [],
});

/** What it writes where lines cannot be redrawn, by a clock that the test turns on. */
function progressOf(forMs?: number) {
  let text = '';
  const out = new Writable({
    write: (chunk, _, done) => {
      text += String(chunk);
      done();
    },
  });
  const clock = { ms: 0 };
  return {
    progress: new Progress(new LiveView(out), () => clock.ms, forMs),
    clock,
    lines: () => text.trim().split('\n'),
  };
}

describe('the progress of a torture', () => {
  it('says first how many points there are, how many are played, and how long that may take', () => {
    const { progress, lines } = progressOf();
    progress.plan({ undisturbedMs: 2_000, available: 300, points: [1, 2, 3, 4].map(point) });
    expect(lines()).toEqual([
      'Undisturbed, the run takes 2.0 s and has 300 points; 4 of them are played, in about 20 s.',
    ]);
  });

  it('guesses what is left by what has been played, and ends without a guess', () => {
    const { progress, lines } = progressOf();
    progress.plan({ undisturbedMs: 2_000, available: 2, points: [1, 2].map(point) });
    progress.note(played(1, 17_000), [point(2)]);
    progress.note(played(2, 17_000), []);
    expect(lines().slice(1)).toEqual([
      '[████████████░░░░░░░░░░░░] 1/2 · about 20 s left',
      '[████████████████████████] 2/2',
    ]);
  });

  it('goes by the clock when it has so many minutes', () => {
    const { progress, clock, lines } = progressOf(60 * MINUTE_MS);
    progress.plan({ undisturbedMs: 2_000, available: 2, points: [1, 2].map(point) });
    clock.ms = 15 * MINUTE_MS;
    progress.note(played(1, 4_000), [point(2)]);
    clock.ms = 61 * MINUTE_MS;
    progress.note(played(1, 4_000), []);
    expect(lines()).toEqual([
      'Undisturbed, the run takes 2.0 s and has 2 points; all of them are played for 60 min, again with other seeds when they are through.',
      '[██████░░░░░░░░░░░░░░░░░░] 1 points · about 45 min left',
      '[████████████████████████] 2 points',
    ]);
  });
});
