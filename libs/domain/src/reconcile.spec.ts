import { facts, given } from '#testing';
import { type History, reconcile, restartBackoffMs } from './index.js';

const { requested, scheduled, started, ended, presumedDead, cancelRequested, pauseRequested, resumeRequested } = facts;
const { message, turn, bash, text, callStarted, turnFailed, completed, cancelled, halted, runFailed } = facts;
const { capsRaised, itemStarted, completeItem, callCompleted, itemCompleted } = facts;

const reconciling = ({ run }: History, now: number) => reconcile(run, now).events;

describe('reconciling a run between segments', () => {
  it('schedules the first segment of a new run', () => {
    given(requested()).when(reconciling).records(scheduled(1));
  });

  it('schedules the next segment after a handoff and after a drain', () => {
    const first = [requested(), scheduled(), started()];
    given(...first, ended('handoff'))
      .when(reconciling)
      .records(scheduled(2, 'handoff'));
    given(...first, ended('drain'))
      .when(reconciling)
      .records(scheduled(2, 'drain'));
  });

  it('waits longer after each death without a step, at most a minute', () => {
    expect([0, 1, 2, 3, 50].map(restartBackoffMs)).toEqual([0, 200, 400, 800, 60_000]);
    const dead = given(requested(), scheduled(), started(), presumedDead());
    expect(reconcile(dead.run, dead.now(199))).toEqual({ events: [], lookAgainAt: dead.now(200) });
    dead.when(reconciling, 200).records(scheduled(2, 'presumed-dead', 1));
  });

  it('does not wait when the segment had recorded a step before it crashed', () => {
    given(requested(), scheduled(), started(), turn([bash()]), ended('crashed'))
      .when(reconciling, 0)
      .records(scheduled(2, 'crash', 0));
  });

  it('does not wait for a clock that was set back to catch up', () => {
    given(requested(), scheduled(), started(), ended('crashed'))
      .when(reconciling, -3_600_000)
      .records(scheduled(2, 'crash', 1));
  });

  it('counts the death of a segment that never started', () => {
    given(requested(), scheduled(), presumedDead())
      .when(reconciling)
      .records(scheduled(2, 'presumed-dead', 1));
  });

  it('schedules nothing while the run is paused, and goes on when it is resumed', () => {
    given(requested(), pauseRequested()).when(reconciling).records();
    given(requested(), pauseRequested(), resumeRequested()).when(reconciling).records(scheduled(1));
  });

  it('cancels at once, though the run is paused', () => {
    given(requested(), pauseRequested(), cancelRequested()).when(reconciling).records(cancelled());
  });
});

describe('reconciling a run against its caps', () => {
  it('halts before a segment too many, and lets a raised cap go on', () => {
    const used = [requested({ caps: { segments: 1 } }), scheduled(), started(), ended('handoff')];
    given(...used)
      .when(reconciling)
      .records(halted('segments', 'The run has reached its limit of 1 segments (caps.segments).'));
    given(...used, capsRaised({ segments: 2 }))
      .when(reconciling)
      .records(scheduled(2, 'handoff'));
  });

  it('halts after the last restart without progress and says how far the items are', () => {
    given(
      requested({ caps: { restartsWithoutProgress: 1 }, items: ['a'] }),
      scheduled(),
      started(),
      itemStarted('a'),
      ended('crashed'),
    )
      .when(reconciling)
      .records(
        halted(
          'restartsWithoutProgress',
          'The run has reached its limit of 1 restarts without progress (caps.restartsWithoutProgress). ' +
            '0 of 1 item completed, 0 failed, 1 open.',
        ),
      );
  });

  it('halts a run that is older than its time, though nothing was ever begun', () => {
    given(requested({ caps: { runMinutes: 1 } }))
      .when(reconciling, 60_000)
      .records(halted('runMinutes', 'The run has reached its limit of 1 minutes (caps.runMinutes).'));
  });
});

describe('reconciling a run that somebody else moves', () => {
  it.each([
    ['scheduled', [requested(), scheduled()]],
    ['working', [requested(), scheduled(), started()]],
    ['working and cancelled', [requested(), scheduled(), started(), cancelRequested()]],
    ['ended', [requested(), cancelRequested(), cancelled()]],
    ['ended, with a message that came too late', [requested(), cancelRequested(), cancelled(), message()]],
    ['waiting for a message', [requested(), scheduled(), started(), ended('waiting')]],
    ['paused', [requested(), scheduled(), started(), pauseRequested(), ended('paused')]],
  ])('records nothing for a run that is %s', (_, history) => {
    given(...history)
      .when(reconciling)
      .records();
  });

  it('cancels a scheduled segment before a runner takes it', () => {
    given(requested(), scheduled(), cancelRequested()).when(reconciling).records(cancelled());
  });

  it('cancels a resting run', () => {
    given(requested(), scheduled(), started(), ended('waiting'), cancelRequested())
      .when(reconciling)
      .records(cancelled());
  });

  it('goes on when a waiting run is answered and when a paused one is resumed', () => {
    given(requested(), scheduled(), started(), ended('waiting'), message())
      .when(reconciling)
      .records(scheduled(2, 'answered'));
    given(requested(), scheduled(), started(), pauseRequested(), ended('paused'), resumeRequested())
      .when(reconciling)
      .records(scheduled(2, 'resumed'));
  });
});

describe('reconciling a run whose segment has landed', () => {
  const work = [requested(), scheduled(), started(), turn([text('The answer.')])];

  it('completes a finished run with its last words', () => {
    given(...work, ended('finished'))
      .when(reconciling)
      .records(completed(0, 0, 0, 'The answer.'));
  });

  it('tells how many items were done', () => {
    given(
      requested({ items: ['a'] }),
      scheduled(),
      started(),
      turn([completeItem('a')]),
      callCompleted(),
      itemCompleted('a'),
      ended('finished'),
    )
      .when(reconciling)
      .records(completed(1, 1, 0, ''));
  });

  it('lets completion win over a cancel that came after the segment had finished', () => {
    given(...work, ended('finished'), cancelRequested())
      .when(reconciling)
      .records(completed(0, 0, 0, 'The answer.'));
  });

  it('answers a message that came as the segment finished', () => {
    given(...work, message(), ended('finished'))
      .when(reconciling)
      .records(scheduled(2, 'answered'));
    given(...work, ended('finished'), message())
      .when(reconciling)
      .records(scheduled(2, 'answered'));
  });

  it('cancels instead of answering', () => {
    given(...work, ended('finished'), message(), cancelRequested())
      .when(reconciling)
      .records(cancelled());
  });

  it('cancels with what was executed and what is in doubt', () => {
    given(
      requested(),
      scheduled(),
      started(),
      turn([bash('a', 'x'), bash('b', 'y')]),
      callStarted('1-0'),
      callStarted('1-1'),
      callCompleted('1-0'),
      cancelRequested('bob'),
      ended('cancelled'),
    )
      .when(reconciling)
      .records(cancelled(1, 1, 'bob'));
  });

  it('fails with the reason of the segment', () => {
    given(...work, ended('failed', 1, 'The model refused.'))
      .when(reconciling)
      .records(runFailed('The model refused.'));
    given(...work, ended('failed'))
      .when(reconciling)
      .records(runFailed('The segment failed without a reason.'));
  });

  it('halts when the model stayed unavailable, and fails when it refuses the request', () => {
    given(requested(), scheduled(), started(), turnFailed(9), ended('failed'))
      .when(reconciling)
      .records(halted('modelRetries', 'The model stayed unavailable for 9 attempts (caps.modelRetries): It is busy.'));
    given(
      requested(),
      scheduled(),
      started(),
      turnFailed(1, undefined, 'authentication'),
      ended('failed', 1, 'No key.'),
    )
      .when(reconciling)
      .records(runFailed('No key.'));
  });

  it('halts when a cap had landed the segment', () => {
    given(requested({ caps: { steps: 1 } }), scheduled(), started(), turn([bash()]), callCompleted(), ended('failed'))
      .when(reconciling)
      .records(halted('steps', 'The run has reached its limit of 1 steps (caps.steps).'));
  });
});

describe('reconciling a run that nobody takes up', () => {
  it('looks again when its minutes are over, and halts it then', () => {
    const queued = given(requested({ caps: { runMinutes: 5 } }), scheduled());
    const over = queued.now(300_000);
    expect(reconcile(queued.run, queued.now(0))).toEqual({ events: [], lookAgainAt: expect.any(Number) });
    const [event] = reconcile(queued.run, over).events;
    expect(event).toMatchObject({ type: 'RunHalted', data: { cap: 'runMinutes' } });
  });
});
