import type { ContextMessage, ModelBlock, RunId } from '#contracts';
import { type AgentSpec, AgentSpec as AgentSpecs, type GatewayRunEvent, momentOf, WORDS_VERSION } from '#contracts';
import type { TurnRequest } from '#domain';
import { sha256 } from '#platform';

/*
 * The run that is played: its items (twenty of them), worked through by a model that is a pure function of the request. It has calls
 * side by side, calls that may be repeated and calls that may not, one that a person must allow, one that is longer than
 * what is left of its segment, an item that fails, and more words than the window holds.
 */
const ASKS_A_PERSON = 7;
const FAILS = 9;
const TAKES_LONG = 12;
/** Requests to the world outside, each by its item, and a question to people. */
const OUTSIDE: ReadonlyMap<number, string> = new Map([
  [3, 'pay'],
  [5, 'order'],
  [10, 'register'],
]);
const ASKS = 14;

const aRequest = (name: string) => ({ name, description: name, url: `https://outside.example/${name}` });

const SPEC: AgentSpec = AgentSpecs.parse({
  name: 'simulated',
  model: { name: 'pure', contextTokens: 4_000 },
  instructions: 'Work through the items.',
  tools: ['bash', 'write_file', 'ask_human'],
  http: [
    // Done once at the most: of the one the world can be asked what became of it, of the other only a person knows.
    { ...aRequest('pay'), method: 'POST', probe: { url: 'https://outside.example/paid/{call}' } },
    { ...aRequest('order'), method: 'POST' },
    { ...aRequest('register'), method: 'PUT' },
  ],
  approvals: { bash: { when: { command: '^deploy ' } } },
  caps: { segmentSeconds: 14, reserveSeconds: 3, steps: 1_000 },
});

const itemId = (number: number): string => `item-${String(number).padStart(2, '0')}`;

export function requestOf({ items }: PlayedRun, now: number): Extract<GatewayRunEvent, { type: 'RunRequested' }> {
  return {
    type: 'RunRequested',
    data: {
      at: momentOf(now),
      agent: { name: SPEC.name, version: 1, spec: SPEC, files: [] },
      caps: SPEC.caps,
      input: `${items} things are to be done.`,
      items: Array.from({ length: items }, (_, place) => ({ id: itemId(place + 1), input: { number: place + 1 } })),
      words: WORDS_VERSION,
      requestDigest: '0'.repeat(64),
      by: 'a person',
    },
  };
}

/** One run of the play. */
export interface PlayedRun {
  readonly id: RunId;
  readonly items: number;
}

export const THE_RUN: PlayedRun = { id: '00000000-0000-7000-8000-000000000001' as RunId, items: 20 };
/** Smaller ones that may be at work beside it: what happens to one changes nothing for the others. */
export const COMPANIONS: readonly PlayedRun[] = [
  { id: '10000000-0000-7000-8000-000000000002' as RunId, items: 5 },
  { id: '20000000-0000-7000-8000-000000000003' as RunId, items: 5 },
];

/** Whether the tool is a request to the world outside. */
export const isHttp = (tool: string): boolean => SPEC.http.some(({ name }) => name === tool);

export const THE_ANSWER = 'The second one.';
export const THE_MESSAGE = 'Please be careful with the next ones.';

/** How long a tool takes and what it prints: by its input alone. */
export function toolWork(tool: string, input: unknown): { readonly takesMs: number; readonly prints: string } {
  const text = JSON.stringify(input);
  const digest = sha256(`${tool} ${text}`);
  const takesMs = text.includes('long ') ? 9_000 : 200 + (Number.parseInt(digest.slice(0, 4), 16) % 500);
  return { takesMs, prints: tool === 'bash' ? `${digest.slice(0, 16)} `.repeat(48).trim() : 'Written.' };
}

/** How long the model thinks, in milliseconds: by what it says alone. */
export const thinkingMs = (content: readonly ModelBlock[]): number => 150 + (charactersOf(content) % 250);

/** What the model says; its tokens are its characters, four to one. */
export function played(request: TurnRequest): { readonly content: ModelBlock[]; readonly inputTokens: number } {
  const inputTokens = Math.ceil(request.messages.reduce((sum, message) => sum + gistOf(message).characters, 0) / 4);
  return { content: answer(request.messages), inputTokens };
}

export const tokensIn = (content: readonly ModelBlock[]): number => Math.ceil(charactersOf(content) / 4);

const lengths = new WeakMap<readonly ModelBlock[], number>();
function charactersOf(content: readonly ModelBlock[]): number {
  const length = lengths.get(content) ?? JSON.stringify(content).length;
  lengths.set(content, length);
  return length;
}

/** What one message says to the model; the same object says the same for ever. */
interface Gist {
  readonly characters: number;
  readonly calls: number;
  readonly compact: boolean;
  /** The item that it announces last, with the calls that a summary counts; `null`: none is open any more. */
  readonly item: { readonly number: number; readonly calls: number } | null | undefined;
}

const gists = new WeakMap<ContextMessage, Gist>();
function gistOf(message: ContextMessage): Gist {
  const known = gists.get(message);
  if (known) return known;
  const texts = message.content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  const { calls, compact, item } = wordsOf(message, texts.join('\n'));
  const gist = { characters: JSON.stringify(message.content).length, calls, compact, item };
  gists.set(message, gist);
  return gist;
}

function wordsOf({ role, content }: ContextMessage, text: string): Omit<Gist, 'characters'> {
  if (role === 'assistant') {
    const calls = content.filter((block) => block.type === 'tool_use' && !block.name.endsWith('_item')).length;
    return { calls, compact: false, item: undefined };
  }
  const compact = text.includes('<compact/>');
  if (text.includes('<no-open-items/>')) return { calls: 0, compact, item: null };
  const item = text.includes('<item>') ? [...text.matchAll(/<item>(.*?)<\/item>/g)].at(-1)?.[1] : undefined;
  if (item === undefined) return { calls: 0, compact, item };
  const { number } = JSON.parse(item) as { readonly number: number };
  return { calls: 0, compact, item: { number, calls: Number(/<calls>(\d+)<\/calls>/.exec(text)?.[1] ?? 0) } };
}

interface Standing {
  /** The item in work; undefined when none is open. */
  readonly number: number | undefined;
  /** The calls that were made for it. */
  readonly calls: number;
  readonly compact: boolean;
}

function standingOf(messages: readonly ContextMessage[]): Standing {
  let number: number | undefined;
  let calls = 0;
  let compact = false;
  for (const message of messages) {
    const gist = gistOf(message);
    compact = gist.compact;
    calls = gist.item ? gist.item.calls : calls + gist.calls;
    if (gist.item !== undefined) number = gist.item?.number;
  }
  return { number, calls, compact };
}

function answer(messages: readonly ContextMessage[]): ModelBlock[] {
  const { number, calls, compact } = standingOf(messages);
  if (compact) return [{ type: 'text', text: `Item ${number ?? 'none'} is in work. <calls>${calls}</calls>` }];
  if (number === undefined) return [{ type: 'text', text: 'All items are settled.' }];
  const use = (place: number, name: string, input: Record<string, string>): ModelBlock => ({
    type: 'tool_use',
    id: `toolu_${number}_${calls + place}`,
    name,
    input,
  });
  if (calls > 0) {
    const settle =
      number === FAILS
        ? use(0, 'fail_item', { item_id: itemId(number), reason: 'It cannot be done.' })
        : use(0, 'complete_item', { item_id: itemId(number), result: `Done: ${number}.` });
    return [{ type: 'text', text: `Item ${number} is through.` }, settle];
  }
  if (number === ASKS) return [use(0, 'ask_human', { question: `Which one is ${number}?` })];
  const outside = OUTSIDE.get(number);
  if (outside !== undefined) {
    return [use(0, outside, { number: String(number) }), use(1, 'bash', { command: commandOf(number) })];
  }
  const bash = use(0, 'bash', { command: commandOf(number) });
  return number % 4 === 0 && number !== TAKES_LONG
    ? [bash, use(1, 'write_file', { path: `${itemId(number)}.txt`, content: `about ${number}` })]
    : [bash];
}

function commandOf(number: number): string {
  if (number === ASKS_A_PERSON) return `deploy ${number}`;
  return number === TAKES_LONG ? `long ${number}` : `work ${number}`;
}
