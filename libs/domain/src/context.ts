import type { CallId, ContextMessage, Discovery, MediaBlock, Recorded, RunEvent, ToolResultBlock } from '#contracts';
import { callIdOf } from '#contracts';
import { blockTokens, isMedia, tokensOf, withinBytes, withoutMedia } from './media.js';
import {
  capNotice,
  cutOffNotice,
  droppedNotice,
  idleNotice,
  itemNotice,
  mediaNotice,
  openingNotice,
  restatement,
  serverNotice,
  settledNotice,
} from './notices.js';
import type { Run } from './run.js';

/** A text for the model's next user message, from the event at `revision`. */
interface Note {
  readonly revision: number;
  readonly text: string;
  /** What comes with it. */
  readonly media?: readonly MediaBlock[];
  /** It is told once and restated by nothing, so a compaction before the next turn leaves it there. */
  readonly kept?: true;
}

/**
 * What the model has seen and what waits to be shown, folded from the run's events (law 6). A request is built from the
 * log up to a revision; what other apps record while the model thinks is shown after its answer, not in between.
 */
export interface Context {
  readonly messages: readonly ContextMessage[];
  readonly notes: readonly Note[];
  /** The calls of the last turn in the model's order, with the model's own ids. */
  readonly asked: readonly { readonly callId: CallId; readonly toolUseId: string }[];
  readonly results: Readonly<Record<string, ToolResultBlock>>;
  /** Estimate of the tokens that the next request takes. */
  readonly tokens: number;
}

export const emptyContext: Context = { messages: [], notes: [], asked: [], results: {}, tokens: 0 };

/** About how many tokens a tool's result takes. */
export const resultTokens = ({ content }: ToolResultBlock): number =>
  content.reduce((sum, block) => sum + blockTokens(block), 0);

/** Folds one event into the context. `run` is the state after the same event. */
export function extendContext(context: Context, run: Run, { revision, event }: Recorded<RunEvent>): Context {
  switch (event.type) {
    case 'RunRequested':
      return withNote(context, { revision, text: openingNotice(run), media: run.attachments });
    case 'MessageReceived':
      // An answer to `ask_human` is shown as that call's result.
      return run.unread.includes(revision)
        ? withNote(context, { revision, text: event.data.text, media: event.data.attachments ?? [] })
        : context;
    case 'ToolsDiscovered':
      return wasAnnounced(event.data.discovery, run)
        ? withNote(context, news(run, revision, serverNotice(event.data.discovery)))
        : context;
    case 'ItemStarted':
      return withNote(context, { revision, text: itemNotice(run, event.data.itemId) });
    case 'ItemCompleted':
    case 'ItemFailed':
      return run.settled.done + run.settled.failed === run.items.length
        ? withNote(context, { revision, text: settledNotice(run) })
        : context;
    case 'CapNeared':
      return withNote(context, news(run, revision, capNotice(event.data)));
    case 'ModelTurnCompleted':
      return afterTurn(context, run, event.data, revision);
    case 'ModelTurnFailed':
      return event.data.kind === 'invalid-request' ? withoutNewMedia(context) : context;
    case 'ContextCompacted':
      return compacted(context, run, event.data, revision);
    case 'ToolCallCompleted': {
      const { callId, content, outcome } = event.data;
      return withResult(context, callId, content, outcome !== 'ok');
    }
    case 'ToolCallSettled':
      return withResult(context, event.data.callId, event.data.content, false);
    default:
      return context;
  }
}

/** A server that is there from the start is no news: its tools are shown. */
const wasAnnounced = (discovery: Discovery, run: Run): boolean =>
  discovery.state === 'unavailable' ||
  discovery.ended !== undefined ||
  (run.servers[discovery.server]?.returned ?? false);

/** The messages of the request that may be sent now, from the log up to `basedOn`. Every call of the last turn must have its result. */
export function requestMessages(context: Context, basedOn: number): readonly ContextMessage[] {
  const known = lastAsked.get(context);
  if (known?.basedOn === basedOn) return known.messages;
  const messages = messagesUpTo(context, basedOn);
  lastAsked.set(context, { basedOn, messages });
  return messages;
}

/**
 * What was asked for last of a context. The fold of the answer asks for the same messages again: the same objects go into the
 * next context then, and whatever is remembered of a message, its digest above all, is worked out once.
 */
const lastAsked = new WeakMap<Context, { readonly basedOn: number; readonly messages: readonly ContextMessage[] }>();

function messagesUpTo(context: Context, basedOn: number): readonly ContextMessage[] {
  const results = context.asked.flatMap(({ callId }) => context.results[callId] ?? []);
  const notes = context.notes
    .filter((note) => note.revision <= basedOn)
    .flatMap(({ text, media = [] }) => [...media, { type: 'text' as const, text }]);
  const content = [...results, ...notes];
  if (content.length === 0) return withinBytes(context.messages);
  const last = context.messages.at(-1);
  return withinBytes(
    last?.role === 'user'
      ? [...context.messages.slice(0, -1), { role: 'user', content: [...last.content, ...content] }]
      : [...context.messages, { role: 'user', content }],
  );
}

/** Until version 4 of Baton's words a compaction swallowed what was new. */
const news = ({ words }: Run, revision: number, text: string): Note => ({
  revision,
  text,
  ...(words >= 4 && { kept: true }),
});

function withNote({ messages, notes, asked, results, tokens }: Context, { media = [], ...told }: Note): Context {
  const note = { ...told, ...(media.length > 0 && { media }) };
  return { messages, notes: [...notes, note], asked, results, tokens: tokens + noteTokens(note) };
}

const noteTokens = ({ text, media = [] }: Note): number =>
  media.reduce((sum, block) => sum + blockTokens(block), tokensOf(text));

/** Whether the model was never shown some image or document that waits to be shown. */
export const hasNewMedia = ({ results, notes }: Context): boolean =>
  notes.some(({ media }) => media !== undefined) || Object.values(results).some(({ content }) => content.some(isMedia));

/**
 * A request that the API refuses would be refused for ever. What it has not been shown before may be why: an image that
 * is broken, a document with too many pages. The model is told instead.
 */
function withoutNewMedia(context: Context): Context {
  if (!hasNewMedia(context)) return context;
  const results = Object.entries(context.results).map(
    ([callId, result]) => [callId, { ...result, content: withoutMedia(result.content) }] as const,
  );
  const notes = context.notes.map(({ revision, text, media = [] }) => ({
    revision,
    text: [...withoutMedia(media).map((told) => ('text' in told ? told.text : '')), text].join('\n'),
  }));
  return { ...context, results: Object.fromEntries(results), notes };
}

function withResult(context: Context, callId: CallId, content: ToolResultBlock['content'], isError: boolean): Context {
  const toolUseId = context.asked.find((call) => call.callId === callId)?.toolUseId;
  if (toolUseId === undefined) return context;
  const tokens = content.reduce((sum, block) => sum + blockTokens(block), context.tokens);
  const { messages, notes, asked } = context;
  const results: Record<string, ToolResultBlock> = { ...context.results };
  results[callId] = { type: 'tool_result', toolUseId, content, isError };
  return { messages, notes, asked, results, tokens };
}

type Turn = Extract<RunEvent, { type: 'ModelTurnCompleted' }>['data'];

function afterTurn(context: Context, run: Run, turn: Turn, revision: number): Context {
  const { inputTokens, cacheReadTokens, cacheWriteTokens, outputTokens } = turn.usage;
  const asked = turn.content
    .filter((block) => block.type === 'tool_use')
    .map(({ id }, place) => ({ callId: callIdOf(turn.turn, place), toolUseId: id }));
  const later = context.notes.filter((note) => note.revision > turn.basedOn);
  const answered: Context = {
    messages: spoken(requestMessages(context, turn.basedOn), turn.content),
    notes: later,
    asked,
    results: {},
    tokens:
      inputTokens +
      cacheReadTokens +
      cacheWriteTokens +
      outputTokens +
      later.reduce((sum, note) => sum + noteTokens(note), 0),
  };
  const light =
    answered.tokens > DROP_ABOVE * run.agent.spec.model.contextTokens ? withoutOldResults(answered) : answered;
  if (turn.stopReason === 'max_tokens' && asked.length === 0)
    return withNote(light, { revision, text: cutOffNotice() });
  const idle = asked.length === 0 ? idleNotice(run) : undefined;
  return idle === undefined ? light : withNote(light, { revision, text: idle });
}

/** Old large results are dropped when this part of the model's window is used, before anything has to be summarised. */
const DROP_ABOVE = 0.6;
const LARGE_CHARACTERS = 2_000;
/** The newest messages stay as they are. */
const KEPT_MESSAGES = 6;

function withoutOldResults(context: Context): Context {
  let dropped = 0;
  const messages = context.messages.map((message, place) => {
    if (message.role !== 'user' || place >= context.messages.length - KEPT_MESSAGES) return message;
    const content = message.content.map((block) => {
      if (block.type !== 'tool_result') return block;
      const characters = 4 * resultTokens(block);
      if (characters <= LARGE_CHARACTERS) return block;
      dropped += characters;
      return { ...block, content: inPlaceOf(block, characters) };
    });
    return { ...message, content };
  });
  return dropped === 0
    ? context
    : { ...context, messages, tokens: Math.max(0, context.tokens - Math.ceil(dropped / 4)) };
}

/** What a dropped result leaves: of an image or a document, what it was. */
export const inPlaceOf = ({ content }: ToolResultBlock, characters: number): ToolResultBlock['content'] => {
  const media = content.filter(isMedia);
  if (media.length > 0) return media.map((block) => ({ type: 'text', text: mediaNotice(block, 'dropped') }));
  return [{ type: 'text', text: droppedNotice(characters) }];
};

/** A turn without a word leaves no message: the model's API takes none that is empty. */
const spoken = (asked: Context['messages'], content: Turn['content']): Context['messages'] =>
  content.length === 0 ? asked : [...asked, { role: 'assistant', content }];

type Compaction = Extract<RunEvent, { type: 'ContextCompacted' }>['data'];

/**
 * Baton restates what must not be lost from the log itself; the model's summary stands beside it. What no turn has answered
 * yet, a message or news of a cap or a server, is kept word for word.
 */
function compacted(context: Context, run: Run, { basedOn, summary }: Compaction, revision: number): Context {
  const later = context.notes.filter(
    (note) => note.kept || note.revision > basedOn || run.unread.includes(note.revision),
  );
  const fresh = withNote(emptyContext, { revision, text: restatement(run, summary), media: run.attachments });
  return later.reduce(withNote, fresh);
}
