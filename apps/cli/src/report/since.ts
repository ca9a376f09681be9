import { InvalidArgumentError } from 'commander';
import { type Moment, momentOf } from '#contracts';

const UNIT_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 };

/** Reads `2d`, `36h`, `90m`, `1w` back from now, or a moment such as `2026-11-20` or `2026-11-20T18:00Z`; for commander. */
export const sinceFrom =
  (now: () => number) =>
  (text: string): Moment => {
    const [, count, unit = ''] = /^(\d{1,6})([mhdw])$/.exec(text) ?? [];
    const millis =
      count === undefined
        ? /^\d{4}-/.test(text)
          ? Date.parse(text)
          : Number.NaN
        : now() - Number(count) * (UNIT_MS[unit] ?? 0);
    if (Number.isFinite(millis) && millis <= now()) return momentOf(Math.max(0, millis));
    throw new InvalidArgumentError(
      'It must be a time back from now such as 2d, 36h, 90m or 1w, or a past moment such as 2026-11-20T18:00Z.',
    );
  };
