import { TOMBSTONE } from '../storage/event.js';
import type { Direction } from '../storage/reader.js';
import type { Nothing, WirePosition, WireStream } from './wire.js';

export interface StreamOption {
  readonly streamIdentifier?: WireStream;
  readonly revision?: string;
  readonly start?: Nothing;
  readonly end?: Nothing;
}

export interface AllOption {
  readonly position?: WirePosition;
  readonly start?: Nothing;
  readonly end?: Nothing;
}

/** 64-bit numbers beyond what is stored mean the end. */
const bounded = (text: string | undefined): number => Math.min(Number(text ?? 0), TOMBSTONE - 1);

/** The first revision of a read, included. */
export function streamStart({ revision, end }: StreamOption, last: number, direction: Direction): number {
  if (revision !== undefined) return bounded(revision);
  if (end === undefined) return 0;
  return direction === 'forwards' ? last + 1 : last;
}

/** The position beyond which a read begins: forwards the named one is read too, backwards it is not. */
export function allStart({ position, end }: AllOption, last: number, direction: Direction): number {
  if (position) {
    const commit = bounded(position.commitPosition);
    return direction === 'forwards' ? commit - 1 : commit;
  }
  if (end === undefined) return 0;
  return direction === 'forwards' ? last : last + 1;
}

/** The first revision that a subscription brings: the one after the named. */
export function streamSubscriptionStart({ revision, end }: StreamOption, last: number): number {
  if (revision !== undefined) return bounded(revision) + 1;
  return end === undefined ? 0 : last + 1;
}

/** The position beyond which a subscription begins. */
export function allSubscriptionStart({ position, end }: AllOption, last: number): number {
  if (position) return bounded(position.commitPosition);
  return end === undefined ? 0 : last;
}
