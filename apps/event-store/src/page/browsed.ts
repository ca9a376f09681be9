import type { Store } from '../services/sink.js';
import type { Catalogue } from './catalogue.js';

/** What a page is made from, for one caller. */
export interface Browsed {
  readonly store: Store;
  readonly catalogue: Catalogue;
  readonly mayRead: (stream: string) => boolean;
  /** @throws Refusal */
  readonly requireRead: (stream: string) => void;
}
