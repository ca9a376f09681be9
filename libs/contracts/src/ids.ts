import { z } from 'zod';

/** A run's id: a UUID; new ones are UUIDv7, those of an `Idempotency-Key` are derived from the key. */
export const RunId = z.uuid().brand<'RunId'>();
export type RunId = z.infer<typeof RunId>;

/** An agent's name is its id: lower-case letters, digits and dashes. */
export const AgentName = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
    'use 1 to 63 lower-case letters, digits and dashes, not starting or ending with a dash',
  )
  .brand<'AgentName'>();
export type AgentName = z.infer<typeof AgentName>;

/** Names one tool call within its run: `<turn>-<place in the turn>`, e.g. `12-0`; made by Baton, never by the model. */
export const CallId = z
  .string()
  .regex(/^\d+-\d+$/)
  .brand<'CallId'>();
export type CallId = z.infer<typeof CallId>;

/** What is made of two whole numbers has the form of one; every fold of a turn names its calls. */
export const callIdOf = (turn: number, place: number): CallId => `${turn}-${place}` as CallId;

/** Lower-case hex SHA-256 of some content. */
export const Digest = z.string().regex(/^[0-9a-f]{64}$/, 'use the 64 lower-case hex digits of a SHA-256');
export type Digest = z.infer<typeof Digest>;

/** A moment, ISO 8601 in UTC. */
export const Moment = z.iso.datetime();
export type Moment = z.infer<typeof Moment>;

/** A segment's number within its run, from 1. */
export const SegmentNumber = z.int().positive();

/** Milliseconds since 1970 of a moment, and back: pure arithmetic, no clock is read. */
export const millisOf = (moment: Moment): number => Date.parse(moment);
export function momentOf(millis: number): Moment {
  const whole = Math.trunc(millis);
  const day = Math.floor(whole / DAY_MS);
  if (day !== known.day) known = { day, text: new Date(whole).toISOString().slice(0, -'00:00:00.000Z'.length) };
  const time = whole - day * DAY_MS;
  const [hours, minutes, seconds] = [Math.floor(time / 3_600_000), Math.floor(time / 60_000), Math.floor(time / 1_000)];
  return `${known.text}${TENS[hours]}:${TENS[minutes % 60]}:${TENS[seconds % 60]}.${THOUSANDS[time % 1_000]}Z`;
}

const DAY_MS = 86_400_000;
const TENS = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, '0'));
const THOUSANDS = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'));
/** The day of the last moment: every event has one, and a date takes ten times as long to write as a time of the day. */
let known = { day: Number.NaN, text: '' };
