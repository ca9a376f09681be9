import { PassThrough } from 'node:stream';
import { RunView } from '#contracts';
import { facts, historyOf, recorded } from '#testing';
import { Output } from '../output.js';
import { barOf } from './bar.js';
import { lineOf } from './live-line.js';
import { LiveView } from './live-view.js';
import { replayed, replayInWords } from './replay-in-words.js';
import { inWords } from './run-in-words.js';

const { requested, scheduled, started, turn, bash, callStarted, itemStarted, itemCompleted } = facts;
const events = recorded([
  requested({ items: ['a', 'b', 'c', 'd'] }),
  scheduled(1),
  started(1),
  itemStarted('a'),
  itemCompleted('a'),
  itemStarted('b'),
  turn([bash('wc -l b', 't1')]),
  callStarted('1-0'),
]);
const history = historyOf(events);

function screen(isTTY: boolean) {
  const out = Object.assign(new PassThrough(), { isTTY, columns: 30 });
  return { out, text: () => String(out.read() ?? '') };
}

describe('what a watcher sees', () => {
  it('has the items, the status and the segment in its bar', () => {
    expect(barOf(history.run)).toMatch(/^\[█{6}░{18}\] 1\/4 · working · segment 1 · b$/);
  });

  it('has a line for what matters and none for the rest', () => {
    expect(events.map(({ event }) => lineOf(event))).toEqual([
      undefined,
      undefined,
      'segment 1 starts in process 4711',
      undefined,
      'item a is done',
      undefined,
      'step 1: bash ["wc -l b"]',
      undefined,
    ]);
  });

  it('keeps the bar below the lines of a terminal, no wider than it', () => {
    const { out, text } = screen(true);
    const view = new LiveView(out);
    view.show('x'.repeat(100));
    view.line('one');
    view.close();
    expect(text()).toBe(`${'x'.repeat(29)}\r\u001B[Kone\n${'x'.repeat(29)}\n`);
  });

  it('has lines only where there is no terminal', () => {
    const { out, text } = screen(false);
    const view = new LiveView(out);
    view.show('bar');
    view.line('one');
    view.close();
    expect(text()).toBe('one\n');
  });
});

describe('a status', () => {
  const view = RunView.parse({
    id: 'c34a9e96-003b-8209-8c18-9e38b87876e8',
    agent: { name: 'profiler', version: 1 },
    status: 'waiting',
    summary: 'Waits for a message.',
    asOf: { revision: 7, type: 'SegmentEnded', at: '2026-11-23T10:00:00.000Z' },
    requestedAt: '2026-11-23T10:00:00.000Z',
    items: { total: 0, done: 0, failed: 0 },
    handoffs: 1,
    restarts: 0,
    unread: 1,
    openCalls: [],
    caps: {},
  });

  it('counts one thing as one', () => {
    expect(inWords(view)).toContain('\n  relay     1 handoff, 0 restarts\n');
    expect(inWords(view)).toMatch(/\n {2}unread {4}1 message(\n|$)/);
    expect(inWords({ ...view, handoffs: 2, restarts: 1 })).toContain('2 handoffs, 1 restart\n');
  });
});

describe('a replay', () => {
  it('says what the run was: status, items, open calls and the context', () => {
    const words = replayInWords(history);
    expect(words).toMatch(/^At revision 7 \(ToolCallStarted, /);
    expect(words).toContain('item    done    a\n');
    expect(words).toContain('b  ← in work\n');
    expect(words).toContain('1-0 bash');
    expect(replayed(history)).toMatchObject({ revision: 7, status: 'working', openCalls: [{ callId: '1-0' }] });
  });
});

describe('a table', () => {
  it('has columns as wide as they need, and no blanks at the end of a line', () => {
    const out = new PassThrough();
    new Output(out).table(
      ['RUN', 'STATUS'],
      [
        ['a-long-name', 'ok'],
        ['b', ''],
      ],
    );
    expect(String(out.read())).toBe('RUN          STATUS\na-long-name  ok\nb\n');
  });
});
