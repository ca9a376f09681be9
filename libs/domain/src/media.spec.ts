import type { MediaBlock, ResultBlock, RunEvent } from '#contracts';
import { requestDigest } from '#platform';
import { facts, given, historyOf, recorded } from '#testing';
import {
  compactionRequest,
  type History,
  replay,
  requestMessages,
  shownBlocks,
  turnRequest,
  wishMessage,
} from './index.js';

const { requested, scheduled, started, turn, call, compacted, message, DIGEST } = facts;

const image = (bytes = 1_000, digest = DIGEST): MediaBlock => ({
  type: 'image',
  blob: { digest, bytes, mediaType: 'image/png' },
});
const pdf = (bytes: number): MediaBlock => ({
  type: 'document',
  blob: { digest: DIGEST, bytes, mediaType: 'application/pdf' },
  title: 'a.pdf',
});
const refused: facts.Fact = (at) => ({
  type: 'ModelTurnFailed',
  data: {
    at,
    segment: 1,
    turn: 1,
    attempt: 1,
    kind: 'invalid-request',
    message: 'Could not process image',
    retryInMs: 0,
  },
});
const asked =
  (attachments: MediaBlock[]): facts.Fact =>
  (at, revision) => {
    const event = requested({ input: 'What is this?' })(at, revision);
    return { ...event, data: { ...event.data, attachments } } as RunEvent;
  };
const looked =
  (content: ResultBlock[], id = '1-0'): facts.Fact =>
  (at, revision) => {
    const event = facts.callCompleted(id)(at, revision);
    return { ...event, data: { ...event.data, content } } as RunEvent;
  };
const begun = [scheduled(), started()];
const shown = (...history: readonly facts.Fact[]) => {
  const { run, context } = given(...history);
  return requestMessages(context, run.last.revision);
};
const read = (n: number, block: MediaBlock, inputTokens = 0) => [
  turn([call('read_file', { path: 'a.png' }, `toolu_${n}`)], { turn: n, usage: { inputTokens } }),
  facts.callStarted(`${n}-0`, 'read_file'),
  looked([block], `${n}-0`),
];

describe('images and documents in a conversation', () => {
  it('stand before the words that they came with, and are named by their digests', () => {
    const [first] = shown(asked([image(), pdf(9_000)]), ...begun);
    expect(first?.content).toEqual([image(), pdf(9_000), { type: 'text', text: 'What is this?' }]);
    const told = shown(requested(), ...begun, message('And this?', { attachments: [image()] }));
    expect(told.at(-1)?.content.slice(-2)).toEqual([image(), { type: 'text', text: 'And this?' }]);
  });

  it('are in results of tools, and the request is the same from the JSON of the log (law 6)', () => {
    const events = recorded([asked([image()]), ...begun, ...read(1, pdf(9_000))]);
    const digestOf = ({ run, context }: History) => requestDigest(turnRequest(run, context, run.last.revision));
    const read1 = JSON.parse(JSON.stringify(events)) as typeof events;
    const rebuilt = read1.reduce<History | undefined>(replay, undefined);
    expect(rebuilt && digestOf(rebuilt)).toBe(digestOf(historyOf(events)));
    expect(JSON.stringify(shown(asked([]), ...begun, ...read(1, pdf(9_000))).at(-1))).toContain('a.pdf');
  });

  it('count towards the window', () => {
    const without = given(asked([]), ...begun).context.tokens;
    expect(given(asked([image()]), ...begun).context.tokens).toBe(without + 1_600);
    expect(given(asked([]), ...begun, ...read(1, pdf(100_000))).context.tokens).toBeGreaterThanOrEqual(6_000);
  });

  it('stay with the goal after a compaction; those of older messages are only mentioned', () => {
    const history = [asked([image(1, 'a'.repeat(64))]), ...begun, message('See.', { attachments: [image()] })];
    const [only, ...more] = shown(...history, ...read(1, image(2)), compacted('So far.'));
    expect(more).toEqual([]);
    expect(only?.content[0]).toEqual(image(1, 'a'.repeat(64)));
    const words = JSON.stringify(only);
    expect(words).toContain('- See. [1 file came with it]');
    expect(words.match(/"image"/g)).toHaveLength(1);
  });

  it('are dropped from a request for a summary that would not fit, and told as what they were', () => {
    const spec = { model: { name: 'simulator', contextTokens: 4_000 } } as never;
    const steps = [...read(1, image()), ...read(2, image(), 1_700)];
    const { run, context } = given(requested({ spec }), ...begun, ...steps);
    const words = JSON.stringify(compactionRequest(run, context, run.last.revision).messages);
    expect(words).toContain('[An image (image/png, 1000 bytes) belongs here. It was dropped');
  });

  it('are the newest that fit into one request', () => {
    const large = 15 * 1_024 * 1_024;
    const messages = shown(asked([pdf(large)]), ...begun, ...read(1, pdf(large - 1)), ...read(2, image()));
    const words = JSON.stringify(messages);
    expect(words.match(/"blob"/g)).toHaveLength(2);
    expect(words).toContain(`[A document (application/pdf, ${large} bytes) belongs here. It was dropped`);
  });

  it('are told and not shown when they would fill the window', () => {
    const { run } = given(asked([]), ...begun);
    expect(shownBlocks(run, [image(), pdf(5_000_000)])).toEqual([
      image(),
      { type: 'text', text: expect.stringContaining('It is too large to be shown') as string },
    ]);
    const wisher = { by: 'ann', at: run.last.at };
    const tooMuch = { messageId: 'm', text: 'Look.', interrupt: false, attachments: [pdf(5_000_000)] };
    expect(wishMessage(run, wisher, tooMuch).refusal).toMatchObject({ code: 'attachments-too-large' });
  });

  it('are left out of the next attempt when the model’s API has refused the first request with them', () => {
    const history = [asked([image()]), ...begun, ...read(1, image(2))];
    const words = JSON.stringify(shown(...history, refused));
    expect(words).toContain('[An image (image/png, 2 bytes) belongs here. The model could not be shown it');
    // The one that the model was shown before stays.
    expect(words.match(/"blob"/g)).toHaveLength(1);
    expect(JSON.stringify(shown(asked([image()]), ...begun, refused))).not.toContain('"blob"');
  });

  it('answer a question with the words that they came with', () => {
    const question = [
      turn([call('ask_human', { question: 'Which?' })]),
      facts.callStarted('1-0', 'ask_human'),
      message('This one.', { attachments: [image()] }),
    ];
    const { run } = given(requested({ spec: { tools: ['ask_human'] } }), ...begun, ...question);
    expect(run.openCalls[0]?.question).toMatchObject({ words: 'This one.', attachments: [image()] });
  });
});
