import type { ContextMessage, ModelBlock } from '#contracts';
import { SimulateSpec } from '#contracts';
import { sha256, Unavailable, Unreadable } from '#platform';
import { type Simulator, startSimulator } from '#testing';
import { createAnthropicModel } from './anthropic-model.js';
import type { Model, ModelRequest, ModelTurn } from './model-port.js';
import { simulatorHeaders } from './simulate-header.js';
import type { LoadBlob } from './wire-media.js';

const text = (words: string) => ({ type: 'text' as const, text: words });
const bash = { name: 'bash', description: 'Runs.', inputSchema: { type: 'object' } };
const { signal } = new AbortController();
const png = Buffer.from('\x89PNG\r\n\x1a\n and so on', 'latin1');
const pdf = Buffer.from('%PDF-1.7 and so on');
const note = Buffer.from('Notes, in words: ß.');
const image = (content: Buffer) => ({
  type: 'image' as const,
  blob: { digest: sha256(content), bytes: content.length, mediaType: 'image/png' as const },
});
const document = (content: Buffer, mediaType: 'application/pdf' | 'text/plain') => ({
  type: 'document' as const,
  blob: { digest: sha256(content), bytes: content.length, mediaType },
  title: 'A document',
});

describe('a conversation with the model', () => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator();
  });
  afterAll(() => simulator.stop());
  const modelOf = (spec: object, loadBlob: LoadBlob = () => Promise.reject(new Unreadable('not there'))): Model =>
    createAnthropicModel({
      baseUrl: simulator.url,
      apiKey: 'none',
      timeoutMs: 5_000,
      loadBlob,
      headers: simulatorHeaders(SimulateSpec.parse(spec), 'a-run'),
    });
  const loop = { policy: 'script', turns: [{ texts: ['On.'], calls: [{ tool: 'bash' }] }], after: 'repeat' };
  const asking = (...messages: readonly ContextMessage[]): ModelRequest => ({
    model: 'simulator',
    maxTokens: 4_000,
    system: 'x'.repeat(8_000),
    tools: [bash],
    messages,
  });
  const begin: ContextMessage = { role: 'user', content: [text('Begin.')] };
  const answered = (content: readonly ModelBlock[], words = 'done'): readonly ContextMessage[] => [
    { role: 'assistant', content },
    {
      role: 'user',
      content: content.flatMap((block) =>
        block.type === 'tool_use'
          ? [{ type: 'tool_result' as const, toolUseId: block.id, content: [text(words)], isError: false }]
          : [],
      ),
    },
  ];

  it('pays in full only for what is new, however many calls a turn makes', async () => {
    const calls = Array.from({ length: 30 }, () => ({ tool: 'bash', input: { command: 'ls' } }));
    const model = modelOf({ ...loop, turns: [{ calls }] });
    const turns: ModelTurn[] = [];
    const messages: ContextMessage[] = [begin];
    for (let turn = 1; turn <= 4; turn += 1) {
      const answer = await model.turn(asking(...messages), { signal, place: { turn, attempt: 1 } });
      turns.push(answer);
      messages.push(...answered(answer.content, 'x'.repeat(40)));
    }
    const [first, ...later] = turns.map(({ usage }) => usage);
    expect(first).toMatchObject({ cacheReadTokens: 0, cacheWriteTokens: expect.any(Number) as number });
    expect(first?.cacheWriteTokens).toBeGreaterThan(2_000);
    for (const [place, usage] of later.entries()) {
      const before = turns[place]?.usage;
      expect(usage.cacheReadTokens).toBe((before?.cacheReadTokens ?? 0) + (before?.cacheWriteTokens ?? 0));
      expect(usage.inputTokens).toBe(0);
    }
  });

  it.each<[string, Pick<ModelRequest, 'thinking' | 'effort'>]>([
    ['within a budget', { thinking: { budgetTokens: 1_024 } }],
    ['as much as it wants to', { thinking: 'adaptive', effort: 'high' }],
  ])('has the model think %s, and gives it its thoughts back unchanged', async (_, how) => {
    const model = modelOf(loop);
    const first = await model.turn({ ...asking(begin), ...how }, { signal });
    expect(first.content[0]).toMatchObject({
      type: 'thinking',
      signature: expect.stringMatching(/^\S{20,}$/) as string,
    });
    const next = await model.turn({ ...asking(begin, ...answered(first.content)), ...how }, { signal });
    expect(next.stopReason).toBe('tool_use');
    const changed = first.content.map((block) => (block.type === 'thinking' ? { ...block, thinking: 'No.' } : block));
    await expect(model.turn({ ...asking(begin, ...answered(changed)), ...how }, { signal })).rejects.toMatchObject({
      kind: 'invalid-request',
      message: expect.stringContaining('signature') as string,
    });
  });

  it('gives hidden thoughts back, too', async () => {
    const model = modelOf({ ...loop, turns: [{ redactedThinking: 'secret', calls: [{ tool: 'bash' }] }] });
    const { content } = await model.turn(asking(begin), { signal });
    expect(content.map(({ type }) => type)).toEqual(['redacted_thinking', 'tool_use']);
    expect(await model.turn(asking(begin, ...answered(content)), { signal })).toMatchObject({ stopReason: 'tool_use' });
  });

  it('shows the model images and documents, each loaded once', async () => {
    const loads: string[] = [];
    const stored = new Map([png, pdf, note].map((content) => [sha256(content), content]));
    const model = modelOf(loop, (digest) => {
      loads.push(digest);
      return Promise.resolve(stored.get(digest) ?? Buffer.alloc(0));
    });
    const shown = [image(png), document(pdf, 'application/pdf'), document(note, 'text/plain'), image(png)];
    const opening: ContextMessage = { role: 'user', content: [...shown, text('What is this?')] };
    const first = await model.turn(asking(opening), { signal });
    const call = first.content.find((block) => block.type === 'tool_use');
    const result: ContextMessage = {
      role: 'user',
      content: [{ type: 'tool_result', toolUseId: call?.id ?? '', content: shown, isError: false }],
    };
    const later = asking(opening, { role: 'assistant', content: [...first.content] }, result);
    const next = await model.turn(later, { signal });
    expect(next.stopReason).toBe('tool_use');
    expect(next.usage.cacheWriteTokens).toBeGreaterThan(3_000);
    expect(loads).toHaveLength(6);
    await model.turn(later, { signal });
    expect(loads).toHaveLength(6);
  });

  it.each([
    ['for good', new Unreadable('The blob is not in the store.'), 'invalid-request', false],
    ['for now', new Unavailable('The log cannot be reached.'), 'server-error', true],
  ])('fails when an image is missing %s', async (_, error, kind, retryable) => {
    const model = modelOf(loop, () => Promise.reject(error));
    await expect(model.turn(asking({ role: 'user', content: [image(png)] }), { signal })).rejects.toMatchObject({
      kind,
      retryable,
      message: expect.stringContaining(error.message) as string,
    });
  });

  it('is refused by a window that it is too long for', async () => {
    const model = modelOf({ ...loop, windowTokens: 1_000 });
    await expect(model.turn(asking(begin), { signal })).rejects.toMatchObject({
      kind: 'invalid-request',
      message: expect.stringMatching(/prompt is too long: \d+ tokens > 1000 maximum/) as string,
    });
  });
});
