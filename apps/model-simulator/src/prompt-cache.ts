import { createHash } from 'node:crypto';
import type { MessagesRequest } from './messages-request.js';
import { promptParts, tokensOf } from './token-count.js';

/** How a prompt's tokens are accounted for. */
export interface CacheUse {
  readonly read: number;
  readonly written: number;
  /** Everything else. */
  readonly fresh: number;
}

/** A shorter prefix is not remembered; on the real API this depends on the model, from 512 to 4,096. */
const LEAST_TOKENS = 1_024;
/** How many blocks before a mark the API looks for something that it remembers. */
const LOOK_BACK = 20;
const MOST_PREFIXES = 100_000;

/**
 * The prompt cache of the API, without its five minutes: a prefix that ends in a mark is remembered, and a later request
 * of the same run (`scope`) reads the longest remembered one, at a mark or up to twenty blocks before it.
 */
export class PromptCache {
  private readonly known = new Set<string>();

  use(scope: string, request: MessagesRequest): CacheUse {
    const parts = promptParts(request);
    const prefixes: string[] = [];
    const tokens: number[] = [];
    let characters = 0;
    let digest = `${scope} ${request.model}`;
    for (const part of parts) {
      digest = createHash('sha256').update(`${digest} ${part.says}`).digest('base64');
      characters += part.characters;
      prefixes.push(digest);
      tokens.push(tokensOf(characters));
    }
    const marks = parts.flatMap(({ marked }, place) => (marked && (tokens[place] ?? 0) >= LEAST_TOKENS ? [place] : []));
    const read = Math.max(0, ...marks.map((mark) => tokens[this.nearest(prefixes, mark)] ?? 0));
    for (const mark of marks) this.remember(prefixes[mark] ?? '');
    const covered = tokens[marks.at(-1) ?? -1] ?? 0;
    return { read, written: covered - read, fresh: Math.max(covered === 0 ? 1 : 0, tokensOf(characters) - covered) };
  }

  /** The place of the longest remembered prefix that a mark can find; -1 when there is none. */
  private nearest(prefixes: readonly string[], mark: number): number {
    for (let place = mark; place >= Math.max(0, mark - LOOK_BACK + 1); place -= 1) {
      if (this.known.has(prefixes[place] ?? '')) return place;
    }
    return -1;
  }

  private remember(prefix: string): void {
    this.known.delete(prefix);
    this.known.add(prefix);
    const [oldest = ''] = this.known;
    if (this.known.size > MOST_PREFIXES) this.known.delete(oldest);
  }
}
