import { type ApiVersion, checkRequest } from './request-check.js';
import { redacted, signatureOf } from './thinking-signature.js';

const tool = (name: string) => ({ name, description: 'x', input_schema: { type: 'object' } });
const good = {
  model: 'm',
  max_tokens: 10,
  stream: true,
  system: [{ type: 'text', text: 'Work.', cache_control: { type: 'ephemeral' } }],
  tools: [tool('bash'), tool('read_file')],
  messages: [
    { role: 'user', content: 'Begin.' },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: 'Hm.', signature: signatureOf('Hm.') },
        { type: 'redacted_thinking', data: redacted('secret') },
        { type: 'text', text: 'So.' },
        { type: 'tool_use', id: 't1', name: 'bash', input: {} },
        { type: 'tool_use', id: 't2', name: 'read_file', input: { path: 'a' } },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 't2', content: [{ type: 'text', text: 'a' }] },
        { type: 'tool_result', tool_use_id: 't1', is_error: true },
        { type: 'text', text: 'Go on.' },
      ],
    },
  ],
};
const [begin, turn, results] = good.messages;
const check = (request: unknown, version: ApiVersion = '2026-10-21') => checkRequest(request, 'messages', version);
const asking = (content: unknown) => ({ ...good, messages: [{ role: 'user', content }] });
const answering = (...content: readonly unknown[]) => ({ ...good, messages: [begin, turn, { role: 'user', content }] });
const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'x' });
const calling = (block: object) => ({
  ...good,
  messages: [
    begin,
    { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'bash', input: {}, ...block }] },
    begin,
  ],
});
const PNG = Buffer.from('\x89PNG\r\n\x1a\n plus!!', 'latin1').toString('base64');
const image = (other: object) => ({
  type: 'image',
  source: { type: 'base64', media_type: 'image/png', data: PNG, ...other },
});
const pdf = (data: string) => ({ type: 'document', source: { type: 'base64', media_type: 'application/pdf', data } });
const thought = { type: 'thinking', thinking: 'Hm.', signature: signatureOf('Hm.') };
const thinking = (content: readonly unknown[]) => ({
  ...good,
  messages: [begin, { role: 'assistant', content }, begin],
});
const untold = [
  begin,
  { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'bash', input: {} }] },
  { role: 'user', content: [result('t1')] },
];
const cached = { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } };

describe('a request to the Messages API', () => {
  it('is taken as it is when it is right', () => {
    expect(check(good)).toBe(good);
  });

  it('needs no length limit when only its tokens are counted', () => {
    const { max_tokens: _, ...counted } = good;
    expect(checkRequest(counted, 'count_tokens', '2026-10-21')).toBe(counted);
  });

  it('may show images and documents, to the model and in results', () => {
    const text = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' }, title: 'A text' };
    const shown = [image({}), pdf(Buffer.from('%PDF-1.7').toString('base64')), text];
    expect(check(asking(shown))).toBeTruthy();
    expect(check(answering({ ...result('t1'), content: shown }, result('t2')))).toBeTruthy();
  });

  it('may tell the model how to think', () => {
    const budget = { ...good, max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 } };
    expect(check(budget)).toBeTruthy();
    expect(
      check({ ...good, thinking: { type: 'adaptive', display: 'omitted' }, output_config: { effort: 'low' } }),
    ).toBeTruthy();
    expect(() => check({ ...budget, temperature: 0.5 }, '2023-06-01')).toThrow('`temperature` may only be set to 1');
  });

  it('may hold a call of a tool that there is not: the model made a mistake', () => {
    expect(
      check({
        ...calling({ name: 'rm' }),
        messages: [
          ...untold.slice(0, 1),
          { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'rm', input: {} }] },
          ...untold.slice(2),
        ],
      }),
    ).toBeTruthy();
  });

  it('may have a temperature in the older version only', () => {
    expect(check({ ...good, temperature: 0.5 }, '2023-06-01')).toBeTruthy();
    expect(() => check({ ...good, temperature: 0.5 })).toThrow('temperature: Extra inputs are not permitted');
    expect(() => check({ ...good, temperature: 2 }, '2023-06-01')).toThrow('temperature: range: 0..1');
  });

  it.each<[string, unknown]>([
    ['Input should be an object', []],
    ['model: Field required', { ...good, model: undefined }],
    ['model: String should have at least 1 character', { ...good, model: '' }],
    ['max_tokens: Field required', { ...good, max_tokens: undefined }],
    ['max_tokens: Input should be greater than or equal to 1', { ...good, max_tokens: 0 }],
    ['max_tokens: Input should be a valid integer', { ...good, max_tokens: '10' }],
    ['stream: Input should be a valid boolean', { ...good, stream: 'yes' }],
    ['maxTokens: Extra inputs are not permitted', { ...good, maxTokens: 1 }],
    ['system.0: text content blocks must be non-empty', { ...good, system: [{ type: 'text', text: '' }] }],
    ['tools: Tool names must be unique.', { ...good, tools: [tool('bash'), tool('bash')] }],
    ['tools.0.custom.name: String should match pattern', { ...good, tools: [tool('a b')] }],
    ['tools.0.custom.input_schema: Field required', { ...good, tools: [{ name: 'bash' }] }],
    ['messages: Field required', { ...good, messages: undefined }],
    ['messages: at least one message is required', { ...good, messages: [] }],
    ["messages.0.role: Input should be 'user' or 'assistant'", { ...good, messages: [{ role: 'tool', content: 'x' }] }],
    ['first message must use the "user" role', { ...good, messages: [{ role: 'assistant', content: 'x' }] }],
    ['roles must alternate', { ...good, messages: [begin, begin] }],
    ['must end with a user message', { ...good, messages: [begin, { role: 'assistant', content: 'x' }] }],
    ['messages.0: user messages must have non-empty content', asking([])],
    ['messages.0: text content blocks must be non-empty', asking('')],
    [
      'messages.0.content.0: text content blocks must contain non-whitespace text',
      asking([{ type: 'text', text: ' \n' }]),
    ],
    ['messages.0.content.0.type: Field required', asking([{ text: 'x' }])],
    ['messages.0.content.0.text: Field required', asking([{ type: 'text' }])],
    ['does not read blocks of type "video"', asking([{ type: 'video' }])],
    ['messages.0.content.0.source: Input should be an object', asking([{ type: 'image' }])],
    ['source.media_type: Input should be one of image/png', asking([image({ media_type: 'image/tiff' })])],
    ['data: Input should be valid base64', asking([image({ data: 'no base64' })])],
    ['it is said to be image/jpeg, but it appears to be image/png', asking([image({ media_type: 'image/jpeg' })])],
    ['image exceeds 5 MB maximum', asking([image({ data: `${PNG}${'AAAA'.repeat(2_000_000)}` })])],
    ['it is said to be application/pdf, but it appears to be image/png', asking([pdf(PNG)])],
    ['`image` blocks can only be in `user` messages', thinking([image({})])],
    ['Invalid `signature` in `thinking` block', thinking([{ ...thought, thinking: 'Hm!' }])],
    ['Invalid `signature` in `thinking` block', thinking([{ ...thought, signature: '' }])],
    ['Invalid `data` in `redacted_thinking` block', thinking([{ type: 'redacted_thinking', data: 'x' }])],
    ['Extra inputs are not permitted', thinking([{ ...thought, cache_control: { type: 'ephemeral' } }])],
    ['thinking.type: the model simulator plays only', { ...good, thinking: { type: 'deep' } }],
    ['budget_tokens: Field required', { ...good, thinking: { type: 'enabled' } }],
    ['greater than or equal to 1024', { ...good, thinking: { type: 'enabled', budget_tokens: 1_023 } }],
    ['`max_tokens` must be greater', { ...good, thinking: { type: 'enabled', budget_tokens: 1_024 } }],
    ['Extra inputs are not permitted', { ...good, thinking: { type: 'adaptive', budget_tokens: 1_024 } }],
    [
      'Expected `thinking` or `redacted_thinking`, but found `tool_use`',
      { ...calling({}), max_tokens: 2_000, thinking: { type: 'enabled', budget_tokens: 1_024 }, messages: untold },
    ],
    ['output_config.effort: Input should be one of', { ...good, output_config: { effort: 'huge' } }],
    ['max_tokens: 128001 > 128000', { ...good, max_tokens: 128_001 }],
    [
      '`tool_use` blocks can only be in `assistant` messages',
      asking([{ type: 'tool_use', id: 't', name: 'bash', input: {} }]),
    ],
    ['input: Input should be an object', calling({ input: 'ls' })],
    ['tool_use.id: String should match pattern', calling({ id: 'a b' })],
    ['requests which include `tool_use` blocks must define `tools`', { ...calling({}), tools: [] }],
    [
      'messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t2',
      answering(result('t1')),
    ],
    ['`tool_use` ids were found without `tool_result` blocks', { ...good, messages: [begin, turn, begin] }],
    ['unexpected `tool_use_id` found in `tool_result` blocks: t9', answering(result('t1'), result('t2'), result('t9'))],
    ['each tool_use must have a single result', answering(result('t1'), result('t1'), result('t2'))],
    [
      '`tool_result` blocks must come before any other content',
      answering(result('t1'), { type: 'text', text: 'x' }, result('t2')),
    ],
    ['unexpected `tool_use_id`', asking([result('t1')])],
    ['`tool_use` ids must be unique', { ...good, messages: [begin, turn, results, turn, results] }],
    ['A maximum of 4 blocks with cache_control may be provided. Found 5.', asking([cached, cached, cached, cached])],
    ["tool_choice: the model simulator plays only {type: 'auto'}", { ...good, tool_choice: { type: 'any' } }],
    ['stop_sequences: the model simulator does not play this', { ...good, stop_sequences: ['x'] }],
  ])('is refused with "%s"', (sentence, request) => {
    expect(() => check(request)).toThrow(
      expect.objectContaining({
        status: 400,
        type: 'invalid_request_error',
        message: expect.stringContaining(sentence) as string,
      }),
    );
  });
});
