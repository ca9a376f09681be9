import { RunId } from '#contracts';
import { newId } from '#platform';
import { facts } from '#testing';
import { count, type Evidence, isGood } from './count.js';
import type { JournalledCall } from './journal.js';

const { BEGIN, bash, callCompleted, callStarted, completed, ended, itemCompleted, recorded, requested, scheduled } =
  facts;
const { started, turn } = facts;

const known = (callId: string, executions = 1): JournalledCall =>
  ({ callId, executions, state: 'finished' }) as unknown as JournalledCall;

const events = recorded([
  requested({ items: ['a', 'b'] }),
  scheduled(1),
  started(1),
  turn([bash('true', 't1')]),
  callStarted('1-0'),
  ended('crashed', 1),
  scheduled(2, 'crash'),
  started(2),
  callCompleted('1-0'),
  itemCompleted('a'),
  callStarted('2-0', 'bash', 2),
  callCompleted('2-0'),
  itemCompleted('b', '2-0'),
  ended('finished', 2),
  completed(2, 2),
]);
const evidence = (changed: Partial<Evidence> = {}): Evidence => ({
  run: RunId.parse(newId()),
  events,
  journal: [known('1-0'), known('2-0')],
  ledger: ['a', 'b'],
  reported: new Set(['a', 'b']),
  killedAt: BEGIN + 4_500,
  report: '/report',
  ...changed,
});

describe('counting a demo', () => {
  it('counts from the log, the journal and the ledger', () => {
    const result = count(evidence());
    expect(result).toMatchObject({
      status: 'completed',
      items: { total: 2, done: 2 },
      segments: 2,
      handoffs: 0,
      kills: 1,
      recoveryMs: 3_500,
      effects: { executed: 2, doubled: 0, lost: 0 },
    });
    expect(isGood(result)).toBe(true);
  });

  it.each<[string, Partial<Evidence>, object]>([
    ['a command that wrote twice', { ledger: ['a', 'a', 'b'] }, { doubled: 1, lost: 0 }],
    ['a call that was executed twice', { journal: [known('1-0', 2), known('2-0')] }, { doubled: 1, lost: 0 }],
    ['an item that is done and not in the ledger', { ledger: ['a'] }, { doubled: 0, lost: 1 }],
    ['an item without its report', { reported: new Set(['a']) }, { doubled: 0, lost: 1 }],
    ['an execution that the log does not know', { journal: [known('1-0'), known('2-0'), known('9-0')] }, { lost: 1 }],
    ['an end that the journal does not know', { journal: [known('1-0')] }, { lost: 1 }],
  ])('sees %s', (_, changed, effects) => {
    const result = count(evidence(changed));
    expect(result.effects).toMatchObject(effects);
    expect(isGood(result)).toBe(false);
  });

  it('is no good when nothing was killed', () => {
    const unharmed = recorded([requested({ items: [] }), scheduled(1), started(1), ended('finished'), completed()]);
    const { killedAt: _, ...rest } = evidence({ events: unharmed, journal: [], ledger: [], reported: new Set() });
    expect(count(rest)).toMatchObject({ kills: 0, recoveryMs: null });
    expect(isGood(count(rest))).toBe(false);
  });
});
