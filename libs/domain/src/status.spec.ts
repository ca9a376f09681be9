import { facts, given } from '#testing';
import { capUses, statusOf, summaryOf } from './index.js';

const { requested, scheduled, started, ended, presumedDead, cancelRequested, pauseRequested, turn, bash } = facts;
const work = [requested(), scheduled(), started()];

describe('the status of a run', () => {
  it.each([
    ['queued', [requested()]],
    ['queued', [requested(), scheduled()]],
    ['starting', work],
    ['working', [...work, turn([bash()])]],
    ['working', [...work, ended('handoff'), scheduled(2, 'handoff'), started(2)]],
    ['working', [...work, ended('finished')]],
    ['handing-off', [...work, ended('handoff')]],
    ['handing-off', [...work, ended('drain'), scheduled(2, 'drain')]],
    ['recovering', [...work, ended('crashed')]],
    ['recovering', [...work, presumedDead(), scheduled(2, 'presumed-dead', 1)]],
    ['waiting', [...work, ended('waiting')]],
    ['paused', [...work, pauseRequested(), ended('paused')]],
    ['paused', [requested(), pauseRequested()]],
    [
      'paused',
      [...work, turn([bash()]), facts.approvalRequested(), ended('waiting'), pauseRequested(), facts.approvalGranted()],
    ],
    ['waiting', [...work, turn([bash()]), facts.approvalRequested(), ended('waiting'), pauseRequested()]],
    ['cancelling', [...work, cancelRequested()]],
    ['completed', [...work, facts.completed()]],
    ['failed', [...work, facts.runFailed('No.')]],
    ['cancelled', [...work, cancelRequested(), facts.cancelled()]],
    ['halted', [...work, facts.halted('steps', 'Much.')]],
  ] as const)('is %s', (word, history) => {
    expect(statusOf(given(...history).run)).toBe(word);
  });
});

describe('the summary for people', () => {
  const asked = [
    requested({ items: ['a', 'b'] }),
    scheduled(),
    started(),
    turn([bash()]),
    facts.approvalRequested(),
    ended('waiting'),
  ];
  const question = 'Waits for a person’s agreement to bash (call 1-0) until 2026-01-05T09:00:00.000Z.';
  const items = [requested({ items: ['a', 'b'] }), scheduled(), started(), facts.itemStarted('a')];
  const tally = '0 of 2 items completed, 0 failed, 2 open.';
  it.each([
    [`Segment 1 works on item a. ${tally}`, items],
    [`Queued. ${tally}`, items.slice(0, 1)],
    [`Model overloaded; retry 2 of 8 at 2026-01-05T08:00:04.100Z. ${tally}`, [...items, facts.turnFailed(2, 100)]],
    [`Segment 1 died (crash); restart 1 of 5 without progress. ${tally}`, [...items, ended('crashed')]],
    [`Cancel was requested by ann; the segment is closing. ${tally}`, [...items, cancelRequested()]],
    [`Waits for a message. ${tally}`, [...items, ended('waiting')]],
    [`Paused. ${tally}`, [...items, ended('waiting'), pauseRequested()]],
    [`${question} It is paused as well. ${tally}`, [...asked, pauseRequested()]],
    [`Has its answer, and goes on. ${tally}`, [...asked, facts.approvalGranted()]],
    [`Paused. ${tally}`, [...asked, pauseRequested(), facts.approvalGranted()]],
    [`Cancelled by ann. ${tally}`, [...items, cancelRequested(), facts.cancelled()]],
    [`Failed: No. ${tally}`, [...items, facts.runFailed('No.')]],
    [`Halted: Much. ${tally}`, [...items, facts.halted('steps', `Much. ${tally}`)]],
    ['Completed in 1 segment and 1 step.', [...work, turn([bash()]), facts.completed()]],
  ])('says: %s', (words, history) => {
    expect(summaryOf(given(...history).run)).toBe(words);
  });

  it('tells what is used of every cap in tenths', () => {
    const { run, now } = given(...work);
    expect(capUses(run, now(1_000))).toMatchObject({
      segments: { used: 1, limit: 200 },
      runMinutes: { used: 0.1, limit: 1_440 },
    });
  });
});
