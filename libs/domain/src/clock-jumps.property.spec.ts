import fc from 'fast-check';
import { momentOf } from '#contracts';
import { type Answer, diligent, facts, record, SimulatedRun } from '#testing';

/*
 * `caps.runMinutes` is counted by the recorded moments of a wall clock that may jump. A jump may cost a run its time or give
 * it some; it never takes work from it, nor a person's word, nor its end.
 */
const HOUR_MS = 3_600_000;
const TURN_MS = 20_000;
const MINUTES = 60;
const ITEMS = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Each example plays whole runs. */
const FEW = { numRuns: 25 };
const busy: Answer = () => [facts.bash('x')];

const begun = (answer: Answer, runMinutes: number): SimulatedRun =>
  new SimulatedRun([facts.requested({ items: ITEMS, caps: { runMinutes } })], { answer, turnMs: TURN_MS });

/** As far as this many looks of its segment bring it. */
function worked(run: SimulatedRun, acts: number): SimulatedRun {
  run.look('coordinator');
  run.look('runner');
  for (let act = 0; act < acts; act += 1) run.look('act');
  return run;
}

/** What a person does who finds it halted: the cap is raised, and the run reopened. */
function raised(run: SimulatedRun, runMinutes: number, answer: Answer): SimulatedRun {
  const words = [facts.capsRaised({ runMinutes }), facts.reopened()];
  const said = words.map((fact, place) => {
    const revision = run.events.length + place;
    return record(fact(momentOf(run.now), revision), revision);
  });
  return new SimulatedRun([...run.events, ...said], { answer, turnMs: TURN_MS });
}

const acts = fc.integer({ min: 0, max: 5 });
const jump = fc.integer({ min: 1.5 * HOUR_MS, max: 12 * HOUR_MS });

describe('caps.runMinutes and a clock that jumps', () => {
  it('lands the run early with the cap’s reason after a jump forward, and goes on when a person raises it', () => {
    fc.assert(
      fc.property(acts, jump, fc.boolean(), (some, ms, isSetRight) => {
        const run = worked(begun(diligent, MINUTES), some);
        run.now += ms;
        run.finish();
        expect(run.events.at(-1)?.event).toMatchObject({
          type: 'RunHalted',
          data: { cap: 'runMinutes', reason: expect.stringContaining('60 minutes (caps.runMinutes)') },
        });
        if (isSetRight) run.now -= ms;
        const on = raised(run, MINUTES + ms / 60_000, diligent);
        on.finish();
        expect(on.terminal).toEqual(['RunHalted', 'RunCompleted']);
        expect(on.run.settled).toEqual({ done: ITEMS.length, failed: 0 });
      }),
      FEW,
    );
  });

  it('gives the time again after a jump back, and still comes to its end', () => {
    fc.assert(
      fc.property(acts, fc.integer({ min: 1, max: 8 }), (some, minutes) => {
        const run = worked(begun(busy, 3), some);
        run.now -= minutes * 60_000;
        run.finish();
        expect(run.events.at(-1)?.event).toMatchObject({ type: 'RunHalted', data: { cap: 'runMinutes' } });
        expect(run.run.turns).toBeGreaterThanOrEqual((3 * 60_000) / TURN_MS - 1);
        expect(run.run.turns).toBeLessThanOrEqual(((3 + minutes) * 60_000) / TURN_MS + 1);
        const done = worked(begun(diligent, MINUTES), some);
        done.now -= minutes * 60_000;
        done.finish();
        expect(done.terminal).toEqual(['RunCompleted']);
      }),
      FEW,
    );
  });

  it('is not counted while the run rests, whichever way the clock jumps then', () => {
    fc.assert(
      fc.property(fc.integer({ min: -12, max: 12 }), (hours) => {
        const run = worked(begun(diligent, MINUTES), 2);
        run.wish(facts.pauseRequested());
        for (let look = 0; look < 5 && run.run.relay.phase !== 'resting'; look += 1) run.look('act');
        expect(run.run.relay.phase).toBe('resting');
        run.now += hours * HOUR_MS;
        run.finish(20_000, facts.resumeRequested());
        expect(run.terminal).toEqual(['RunCompleted']);
      }),
      FEW,
    );
  });
});
