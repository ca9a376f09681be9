import { Heartbeat } from '#contracts';
import { type Beat, DEFAULT_PATIENCE, diagnose } from './index.js';

const heard = (
  change: {
    activityMs?: number;
    activityAgeMs?: number;
    limitMs?: number;
    loopAgeMs?: number;
    ageMs?: number;
    heldUpMs?: number;
  } = {},
): Beat => {
  const sent = 1_767_600_000_000;
  const since = new Date(sent - (change.activityMs ?? 0)).toISOString();
  return {
    ageMs: change.ageMs ?? 0,
    heartbeat: Heartbeat.body.parse({
      runId: '0198a6a2-0000-7000-8000-000000000000',
      segment: 1,
      runnerId: 'runner-1',
      pid: 1,
      sentAt: new Date(sent).toISOString(),
      activity: { kind: 'tool', detail: 'bash', since, limitMs: change.limitMs },
      activityAgeMs: change.activityAgeMs,
      revision: 3,
      loopAgeMs: change.loopAgeMs ?? 0,
      heldUpMs: change.heldUpMs,
    }),
  };
};

describe('diagnosing a segment by its heartbeat', () => {
  it.each([
    ['alive', heard(), 0],
    ['alive', heard({ activityMs: 30_000 }), 0],
    ['slow', heard({ activityMs: 30_001 }), 0],
    ['slow', heard({ activityMs: 29_000, ageMs: 1_001 }), 1_001],
    ['slow', heard({ loopAgeMs: 5_001 }), 0],
    ['alive', heard({ activityMs: 7_200_000, activityAgeMs: 1_000 }), 0],
    ['stuck', heard({ activityMs: -7_200_000, activityAgeMs: 5_001, limitMs: 5_000 }), 0],
    ['stuck', heard({ activityMs: 5_001, limitMs: 5_000 }), 0],
    ['slow', heard({ activityMs: 40_000, limitMs: 50_000 }), 0],
    ['unknown', undefined, 0],
    ['silent', heard(), 2_500],
    ['silent', undefined, 4_999],
    ['presumed-dead', heard(), 5_000],
    ['presumed-dead', undefined, 5_000],
    ['presumed-dead', heard({ activityMs: 9_000, limitMs: 5_000 }), 5_000],
    ['slow', heard({ heldUpMs: 1_000 }), 0],
    ['stuck', heard({ heldUpMs: 1_000, activityMs: 5_001, limitMs: 5_000 }), 0],
    ['silent', heard({ heldUpMs: 4_000 }), 8_999],
    ['presumed-dead', heard({ heldUpMs: 4_000 }), 9_000],
    ['silent', heard({ heldUpMs: 3_600_000 }), 14_999],
    ['presumed-dead', heard({ heldUpMs: 3_600_000 }), 15_000],
  ] as const)('finds it %s', (verdict, beat, silentMs) => {
    expect(diagnose(beat, silentMs, DEFAULT_PATIENCE)).toBe(verdict);
  });
});
